import json

import numpy as np
import pytest
from PIL import Image

from toile.cli.demo_dress import SCALES, dressing_part, dressing_steps, find_wearer, told_scenes
from toile.cli.options import ModelOptions
from toile.errors import ToileError
from toile.tasks.step import Step

SIZE, SEED = (64, 32), 10_000_000


def test_more_garments_several_prompts_and_scales(anydressing_folder, tmp_path):
    options = ModelOptions(model=str(anydressing_folder), steps=1, guidance=6.0, seed=SEED, device="cpu")
    steps: list[Step] = []
    part = dressing_part(options.load("anydressing"), options, SEED, tmp_path, steps.append)
    assert sum(step.items for step in steps) == dressing_steps() == 9
    shown = [[caption for _, caption in row.pictures] for row in part.rows]
    assert shown == [
        ["upper", "lower", "hat"],
        ["no garment", "upper", "upper + lower", "upper + lower + hat"],
        ["prompt 1", "prompt 2", "prompt 3", "prompt 4"],
        [f"λ = {scale:g}" for scale in SCALES],
    ]
    files = [file for row in part.rows for file, _ in row.pictures]
    assert {path.name for path in tmp_path.iterdir()} == set(files) and len(set(files)) == len(files)
    found = {}
    for row in part.rows:
        for file, caption in row.pictures:
            with Image.open(tmp_path / file) as picture:
                assert picture.size == (32, 64) and json.loads(picture.text["toile"])["kind"] == caption
                found[caption] = np.asarray(picture).astype(int)
    flat = find_wearer(SEED, SIZE, ["hat"]).garments["hat"].image
    np.testing.assert_array_equal(found["hat"], flat)
    for same in (("no garment", "λ = 0"), ("prompt 1", "λ = 0.7"), ("upper + lower + hat", "prompt 1")):
        assert abs(found[same[0]] - found[same[1]]).max() <= 1
    for other in (("no garment", "upper"), ("upper", "upper + lower"), ("prompt 1", "prompt 2")):
        assert abs(found[other[0]] - found[other[1]]).max() > 1, other


def test_the_prompts_leave_the_clothes_out():
    prompts = told_scenes(SEED, SIZE)
    assert len(set(prompts)) == 4 and all("a wo" in text or "a man" in text for text in prompts)
    assert not any("shirt" in text or "trousers" in text for text in prompts)


def test_nobody_wears_that(monkeypatch):
    monkeypatch.setattr("toile.cli.demo_dress.PATIENCE", 2)
    with pytest.raises(ToileError, match="take another seed"):
        find_wearer(SEED, SIZE, ["crown"])
