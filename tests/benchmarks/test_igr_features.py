from dataclasses import replace
from pathlib import Path

import torch
from benchmarks.igr_features import Settings, explained, measured

SHAPE = (8, 12)


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_what_can_be_read_off_is_explained_and_what_cannot_is_not() -> None:
    wanted, everywhere = drawn(*SHAPE, 3), torch.ones(SHAPE, dtype=torch.bool)
    mixed = wanted @ drawn(3, 5, seed=1) + 0.5
    assert explained(mixed, wanted, everywhere) > 0.95
    assert explained(drawn(*SHAPE, 5, seed=2), wanted, everywhere) < 0.2


def test_only_positions_inside_count() -> None:
    wanted, inside = drawn(*SHAPE, 3), torch.zeros(SHAPE, dtype=torch.bool)
    inside[:, :6] = True
    features = torch.where(inside[..., None], wanted, drawn(*SHAPE, 3, seed=1))
    assert explained(features, wanted, inside) > 0.98
    assert explained(features, wanted, ~inside) < 0.5


def test_a_fresh_copy_is_measured_in_garment_nets_place(igr_folder: Path) -> None:
    settings = Settings(model=str(igr_folder), size=(64, 48), count=8)
    found, fresh = measured(settings), measured(replace(settings, fresh=True))
    assert found.keys() == fresh.keys()
    assert all(name.endswith("attn1") for name in found) and len(found) == 3
    assert all(value < 1 for value in (found | fresh).values())
    assert all(found[name] != fresh[name] for name in found)
