import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cli.runs import nothing_in
from tests.data.small_parser import figure

from toile import __version__
from toile.cli.tryon import dress_photo
from toile.errors import ToileError
from toile.tasks.drawing import LARGEST_SEED


@pytest.fixture
def pictures(noise_file, mask_file) -> tuple[Path, Path, Path]:
    """A person, a garment and a mask."""
    return noise_file("ann.png", 0), noise_file("shirt.jpg", 1, (50, 50)), mask_file()


@pytest.fixture
def tryon(toile, twgtm_folder, pictures):
    """Run `toile tryon` with the small random model."""

    def run(*options: object, person=pictures[0], garment=pictures[1], mask=pictures[2]):
        model = () if "--model" in options else ("--model", twgtm_folder)
        return toile("tryon", person, garment, "--mask", mask, *options, *model)

    return run


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(int)


def test_a_garment_is_tried_on(tryon, twgtm_folder, tmp_path):
    done = tryon("-o", tmp_path / "out.png", "--category", "dress", "--seed", 3)
    assert (done.code, done.out.strip(), done.said) == (0, str(tmp_path / "out.png"), [])
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.size == (32, 64) and picture.mode == "RGB"
        assert json.loads(picture.text["toile"]) == {
            "toile": __version__,
            "model": str(twgtm_folder),
            "steps": 1,
            "guidance": 2.5,
            "seed": 3,
            "size": [64, 32],
            "dtype": "float32",
            "category": "dress",
            "person": "ann.png",
            "garment": "shirt.jpg",
            "repaint": True,
        }


def test_the_seed_decides_and_every_input_counts(tryon, noise_file, mask_file, tmp_path):
    ways = {
        "first": {},
        "again": {},
        "seed": {"options": ["--seed", 1]},
        "category": {"options": ["--category", "lower"]},
        "garment": {"garment": noise_file("coat.png", 2)},
        "mask": {"mask": mask_file("n.png", (5, 5, 20, 30))},
    }
    found = {}
    for name, way in ways.items():
        options = way.pop("options", [])
        assert tryon("-o", tmp_path / f"{name}.png", *options, **way).code == 0
        found[name] = pixels(tmp_path / f"{name}.png")
    assert abs(found["first"] - found["again"]).max() <= 1
    for name in ("seed", "category", "garment", "mask"):
        assert abs(found["first"] - found[name]).max() > 1, name


def test_the_photo_s_own_pixels_are_kept_unless_told_not_to(tryon, noise_file, mask_file, tmp_path):
    person, mask = noise_file("bob.png", 3, (32, 64)), mask_file("n.png", (8, 20, 24, 40), (32, 64))
    for name, option in {"kept": "--repaint", "whole": "--no-repaint"}.items():
        assert tryon("-o", tmp_path / f"{name}.png", option, person=person, mask=mask).code == 0
    kept, whole, photo = (pixels(path) for path in (tmp_path / "kept.png", tmp_path / "whole.png", person))
    np.testing.assert_array_equal(kept[:15], photo[:15])
    np.testing.assert_array_equal(kept[20:40, 8:24], whole[20:40, 8:24])
    assert abs(whole[:15] - photo[:15]).mean() > 1


def test_candidates_are_ranked_and_the_best_is_kept(tryon, tmp_path):
    done = tryon("-o", tmp_path / "best.png", "--candidates", 2, "--seed", 4)
    assert done.code == 0
    (line,) = [line for line in done.errors.replace("\r", "\n").splitlines() if "round trip:" in line]
    ranked = [(int(seed), float(far)) for seed, far in re.findall(r"seed (\d+) (\d\.\d+)", line)]
    assert {seed for seed, _ in ranked} == {4, 5} and ranked[0][1] <= ranked[1][1]
    assert f"seed {ranked[0][0]} is kept" in line and "% nearer" in line
    with Image.open(tmp_path / "best.png") as picture:
        data = json.loads(picture.text["toile"])
    assert data["seed"] == ranked[0][0]
    assert {int(seed): round(far, 4) for seed, far in data["round_trip"].items()} == dict(ranked)
    assert tryon("-o", tmp_path / "alone.png", "--seed", ranked[0][0]).code == 0
    assert abs(pixels(tmp_path / "alone.png") - pixels(tmp_path / "best.png")).max() <= 1


def test_the_result_s_name_and_another_size(tryon, empty_working_directory):
    done = tryon("--size", "96x64", "--dtype", "bfloat16", "--guidance", 1)
    assert (done.code, done.out.strip()) == (0, "ann-in-shirt.png")
    with Image.open(empty_working_directory / "ann-in-shirt.png") as picture:
        assert picture.size == (64, 96)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--category", "shoe"], "'shoe'"),
        (["--steps", "0"], "steps is 0"),
        (["--candidates", "0"], "candidates is 0"),
        (["--candidates", "2", "--seed", LARGEST_SEED], "passes 2**63 - 1"),
        (["--size", "100x100"], "multiples of"),
        (["--model", "tinny"], "no such folder"),
    ],
)
def test_a_bad_setting(tryon, tmp_path, options, message):
    assert message in tryon("-o", tmp_path / "out" / "a.png", *options).error
    assert nothing_in(tmp_path / "out")


def test_bad_pictures(tryon, pictures, mask_file, tmp_path):
    out = ("-o", tmp_path / "out" / "a.png")
    (tmp_path / "text.png").write_text("not a picture")
    assert "gone.jpg does not exist" in tryon(*out, person=tmp_path / "gone.jpg").error
    assert "text.png is not a picture" in tryon(*out, garment=tmp_path / "text.png").error
    assert "41×60 pixels and its photo 40×60" in tryon(*out, mask=mask_file("n.png", size=(41, 60))).error
    assert "nothing remains" in tryon(*out, mask=mask_file("n.png", (3, 3, 4, 4))).error
    assert nothing_in(tmp_path / "out")


def test_bad_outputs(tryon, pictures, tmp_path):
    before = pictures[0].read_bytes()
    assert "is one of the photos" in tryon("-o", pictures[0]).error
    assert pictures[0].read_bytes() == before
    assert "ends in .jpg" in tryon("-o", tmp_path / "a.jpg").error
    (tmp_path / "file").touch()
    assert "cannot be written" in tryon("-o", tmp_path / "file" / "a.png").error


def test_a_mask_is_found_where_none_is_given(tryon, parser_folder, tmp_path):
    figure()[0].save(tmp_path / "figure.png")
    found = {}
    for mask in ("auto", "none"):
        out = ("-o", tmp_path / f"{mask}.png", "--parser", parser_folder)
        done = tryon(*out, person=tmp_path / "figure.png", mask=mask)
        assert done.code == 0 and len(done.said) == 1 and done.said[0].startswith("note:")
        found[mask] = pixels(tmp_path / f"{mask}.png")
        with Image.open(tmp_path / f"{mask}.png") as picture:
            assert json.loads(picture.text["toile"])["mask"] == {"auto": "automatic", "none": False}[mask]
    assert "(upper)" in done.said[0] and "PERSON" in done.said[0]
    assert abs(found["auto"] - found["none"]).max() > 1


def test_the_bundled_model_is_missed_in_one_line(monkeypatch, tmp_path, pictures):
    monkeypatch.setattr("toile.bundled.weights_folder", lambda: tmp_path / "weights")
    with pytest.raises(ToileError, match="weights of `tiny` are missing"):
        dress_photo(*pictures, output=tmp_path / "out" / "a.png")
    assert nothing_in(tmp_path / "out")
