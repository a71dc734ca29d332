import pytest
import torch

from toile.evaluation.metrics.steerable_pyramid import oriented_bands


def wave(direction: float, octaves: float, size: tuple[int, int] = (64, 128)) -> torch.Tensor:
    """A plane wave of amplitude 1, so many octaves below the highest frequency."""
    rows, columns = (torch.arange(side, dtype=torch.float64) for side in size)
    frequency = torch.pi * 2.0**octaves
    angle = torch.tensor(direction, dtype=torch.float64)
    phase = frequency * (columns[None, :] * angle.cos() + rows[:, None] * angle.sin())
    return torch.cos(phase)[None]


@pytest.mark.parametrize(("level", "size"), [(1, (64, 128)), (2, (32, 64)), (4, (8, 16))])
def test_sizes(level: int, size: tuple[int, int]) -> None:
    bands = oriented_bands(torch.rand(3, 64, 128, dtype=torch.float64), level=level, orientations=6)
    assert bands.shape == (3, 6, *size)


def test_odd_sides_are_rounded_up() -> None:
    bands = oriented_bands(torch.rand(1, 67, 101, dtype=torch.float64), level=3, orientations=4)
    assert bands.shape == (1, 4, 17, 26)


@pytest.mark.parametrize("band", [0, 1, 2, 3])
def test_a_wave_is_found_by_the_band_of_its_direction_and_level(band: int) -> None:
    picture = wave(band * torch.pi / 4, octaves=-3)
    energy = [
        oriented_bands(picture, level=level, orientations=4).abs().square().mean(dim=(0, 2, 3))
        for level in (1, 2, 3, 4)
    ]
    assert int(energy[2].argmax()) == band
    assert energy[2][band] > 10 * max(float(energy[0].max()), float(energy[1].max()))


def test_magnitude_stays_and_phase_turns_when_the_picture_moves() -> None:
    picture = wave(0, octaves=-3)
    before = oriented_bands(picture, level=3, orientations=4)[0, 0]
    after = oriented_bands(picture.roll(1, dims=2), level=3, orientations=4)[0, 0]
    assert torch.allclose(before.abs(), after.abs(), atol=1e-9)
    turn = torch.angle(after / before)
    assert torch.allclose(turn, torch.full_like(turn, -torch.pi / 8), atol=1e-6)


def test_brightness_alone_has_no_bands() -> None:
    bands = oriented_bands(torch.full((1, 64, 64), 0.7, dtype=torch.float64), level=4, orientations=8)
    assert bands.abs().max() < 1e-12


def test_coefficients_have_the_pictures_unit() -> None:
    picture = torch.rand(1, 64, 64, dtype=torch.float64)
    bands = oriented_bands(picture, level=2, orientations=4)
    assert torch.allclose(oriented_bands(255 * picture, level=2, orientations=4), 255 * bands)
