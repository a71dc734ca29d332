from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from toile.data.faults import FaultLog
from toile.data.open import open_pairs
from toile.data.readable import ReadablePairs
from toile.errors import ToileError
from toile.igr.recipes import IGRRecipe, tiny_coarse, with_guidance
from toile.training.igr import IGRTask, load_igr
from toile.training.prepared import PairEncoder, prepare

SIZE = (64, 96)


def make_task(recipe: IGRRecipe, folder: Path) -> IGRTask:
    """The task of a recipe on a few small dolls."""
    torch.manual_seed(0)
    parts, model = load_igr(recipe)
    pairs = ReadablePairs(open_pairs("dolls:0:2", size=SIZE), FaultLog(folder / "faults"))
    encoder = PairEncoder(
        parts.vae,
        parts.tokenizer,
        SIZE,
        parts.image_encoder.config.image_size,
        image_encoder=parts.image_encoder,
    )
    encodings = prepare(pairs, encoder, None)
    return IGRTask(recipe, model, parts, encodings, encodings, pairs)


def test_a_size_that_the_model_cannot_work_at_is_refused_before_it_is_trained():
    with pytest.raises(ToileError, match=r"size 72×40: .* multiples of 32; take 64×32"):
        load_igr(replace(tiny_coarse(), size=(72, 40)))


def test_samples_are_restored_as_the_recipe_says(tmp_path):
    """By its steps, and by its guidance, which is all that the rows of Table 3 differ in."""
    recipe = replace(tiny_coarse(), size=SIZE, num_inference_steps=1)
    task = make_task(recipe, tmp_path)
    drawn = []
    for changed in (recipe, recipe, with_guidance(recipe, 5.0), replace(recipe, num_inference_steps=2)):
        task.recipe = changed
        drawn.append(np.asarray(task.sample(task.model)))
    assert (drawn[0] == drawn[1]).all()
    assert (drawn[0] != drawn[2]).any() and (drawn[0] != drawn[3]).any()
