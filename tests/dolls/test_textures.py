import numpy as np
import pytest

from toile.dolls.outfit import PATTERNS, Texture
from toile.dolls.palette import COLOURS
from toile.dolls.textures import band, camouflage, paint_pattern


def texture(pattern, **changes):
    fields = {"period": 0.06, "duty": 0.5, "phase": 0.2, "slant": 1.0, **changes}
    return Texture(pattern=pattern, colours=("navy", "white", "red"), **fields)


def field(pattern, **changes):
    x = np.linspace(-0.12, 0.12, 120, dtype=np.float32)[None]
    y = np.linspace(0.16, 0.52, 180, dtype=np.float32)[:, None]
    image = paint_pattern(x, y, texture(pattern, **changes), 0.002)
    return np.broadcast_to(image, (3, 180, 120))


@pytest.mark.parametrize("pattern", sorted(set(PATTERNS) - {"plain", "camouflage"}))
def test_patterns_show_both_colours(pattern):
    image = field(pattern)
    for name in ("navy", "white"):
        near = np.abs(image - np.array(COLOURS[name])[:, None, None]).max(axis=0) < 60
        assert near.mean() > 0.05, name


def test_stripes_run_the_way_they_are_called():
    across, down = field("horizontal stripes"), field("vertical stripes")
    assert np.ptp(across, axis=2).max() == 0 and np.ptp(across, axis=1).max() > 100
    assert np.ptp(down, axis=1).max() == 0 and np.ptp(down, axis=2).max() > 100


def test_duty_is_the_share_of_the_second_colour():
    position = np.linspace(0, 1, 10_000, dtype=np.float32)
    for duty in (0.25, 0.5, 0.65):
        assert band(position, 0.1, duty, 1e-3).mean() == pytest.approx(duty, abs=0.02)


def test_camouflage_has_three_colours():
    image = camouflage(texture("camouflage"), 3, (128, 96))
    for name in ("navy", "white", "red"):
        near = np.abs(image - np.array(COLOURS[name])[:, None, None]).max(axis=0) < 40
        assert near.mean() > 0.02, name
