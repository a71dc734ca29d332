"""Encodings computed ahead give TWGTM the same batch as those computed in the step."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.utils.data import default_collate

from toile.data.faults import FaultLog
from toile.data.open import open_pairs
from toile.data.readable import ReadablePairs
from toile.training.prepared import prepare
from toile.training.twgtm import TWGTMTask
from toile.training.twgtm_start import load_twgtm
from toile.training.two_way_pairs import TwoWayEncoder, TwoWayPairs
from toile.twgtm.recipes import TWGTMRecipe, tiny_stage_1, tiny_stage_2

SIZE = (64, 64)


@pytest.mark.parametrize("recipe", [tiny_stage_1(), tiny_stage_2()], ids=["stage 1", "stage 2"])
def test_a_cache_changes_nothing_but_rounding(recipe: TWGTMRecipe, tmp_path: Path) -> None:
    torch.manual_seed(0)
    recipe = replace(recipe, size=SIZE)
    parts, model = load_twgtm(recipe)
    pairs = ReadablePairs(open_pairs("dolls:0:2", size=SIZE), FaultLog(tmp_path / "faults"))
    cache = prepare(pairs, TwoWayEncoder(parts, SIZE, recipe.stage), tmp_path)
    given = TwoWayPairs(pairs, SIZE), TwoWayPairs(pairs, SIZE, encodings=cache)
    task = TWGTMTask(recipe, model, parts, given[0], given[0])
    batches = [default_collate([source[index] for index in range(4)]) for source in given]
    made = [task.prepare(batch, torch.Generator().manual_seed(3)) for batch in batches]
    assert made[0].keys() == made[1].keys()
    for name, value in made[0].items():
        assert value.dtype == made[1][name].dtype
        torch.testing.assert_close(value.float(), made[1][name].float(), rtol=0.02, atol=0.05, equal_nan=True)
    losses = [task.loss(model, batch, torch.Generator().manual_seed(3))["loss"].item() for batch in batches]
    assert losses[0] == pytest.approx(losses[1], rel=0.01)


def test_encodings_know_what_they_depend_on() -> None:
    parts, _ = load_twgtm(tiny_stage_1())
    first = TwoWayEncoder(parts, SIZE, 1)
    keys = {
        first.key("a"),
        first.key("b"),
        TwoWayEncoder(parts, SIZE, 2).key("a"),
        TwoWayEncoder(parts, (64, 32), 1).key("a"),
    }
    assert len(keys) == 4
