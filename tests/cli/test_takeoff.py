import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cli.runs import nothing_in

from toile import __version__
from toile.errors import ToileError
from toile.tasks.takeoff import parse_box


@pytest.fixture
def takeoff(toile, twgtm_folder):
    """Run `toile takeoff` with the small random model."""

    def run(*arguments: object):
        model = () if "--model" in arguments else ("--model", twgtm_folder)
        return toile("takeoff", *arguments, *model)

    return run


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(int)


def test_a_garment_is_taken_off(takeoff, noise_file, twgtm_folder, tmp_path):
    box = ["--box", "4,8,28,56"]
    done = takeoff(
        noise_file("ann.png"), "-o", tmp_path / "out.png", "--seed", 3, "--category", "dress", *box
    )
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
            "photo": "ann.png",
            "box": [4, 8, 28, 56],
        }


def test_alone_or_in_a_batch_the_picture_is_the_same(takeoff, noise_file, tmp_path):
    photos = [noise_file(f"{name}.png", seed) for seed, name in enumerate("abc")]
    assert takeoff(*photos, "-o", tmp_path / "three", "--batch", 3).code == 0
    assert takeoff(photos[1], "-o", tmp_path / "one").code == 0
    assert takeoff(photos[1], "-o", tmp_path / "other", "--seed", 6).code == 0
    three, one, other = (pixels(tmp_path / name / "b-garment.png") for name in ("three", "one", "other"))
    assert abs(three - one).max() <= 1
    assert abs(other - one).max() > 1


def test_the_box_counts(takeoff, noise_file, tmp_path):
    photo, found = noise_file("a.png"), {}
    for name, box in {"none": [], "given": ["--box", "8,8,24,40"], "own": ["--box", "predicted"]}.items():
        assert takeoff(photo, "-o", tmp_path / f"{name}.png", *box).code == 0
        found[name] = pixels(tmp_path / f"{name}.png")
    assert abs(found["none"] - found["given"]).max() > 1
    with Image.open(tmp_path / "own.png") as picture:
        assert json.loads(picture.text["toile"])["box"] == "predicted"


def test_the_silhouette_is_written_on_request(takeoff, noise_file, empty_working_directory):
    photos = [noise_file("a.png", 0), noise_file("b.png", 1)]
    done = takeoff(*photos, "--silhouette", "--batch", 2, "--size", "96x64")
    assert done.out.split() == ["a-garment.png", "b-garment.png"]
    names = {"a-garment.png", "a-garment-silhouette.png", "b-garment.png", "b-garment-silhouette.png"}
    assert {path.name for path in empty_working_directory.iterdir()} == names
    with Image.open("b-garment-silhouette.png") as picture:
        assert picture.mode == "L" and picture.size == (64, 96)
        assert json.loads(picture.text["toile"])["photo"] == "b.png"


def test_good_photos_are_done_and_bad_ones_reported(takeoff, noise_file, picture_file, tmp_path):
    (tmp_path / "bad.jpg").write_text("not a picture")
    grey = picture_file("grey.png", mode="I;16", color=40000)
    photos = [noise_file("a.png"), tmp_path / "bad.jpg", tmp_path / "gone.jpg", grey]
    done = takeoff(*photos, "-o", tmp_path / "out", "--batch", 2)
    assert done.code == 1
    assert [Path(line).name for line in done.out.split()] == ["a-garment.png", "grey-garment.png"]
    assert len(done.said) == 2 and "not a picture" in done.said[0] and "does not exist" in done.said[1]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a-garment.png", "grey-garment.png"]
    assert "does not exist" in takeoff(tmp_path / "gone.jpg", "-o", tmp_path / "new").error
    assert nothing_in(tmp_path / "new")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--category", "shoe"], "'shoe'"),
        (["--batch", "0"], "batch is 0"),
        (["--box", "everywhere"], "box 'everywhere'"),
        (["--box", "0,0,33,64"], "does not fit"),
        (["--box", "9,9,9,20"], "does not fit"),
        (["--size", "100x100"], "multiples of"),
    ],
)
def test_a_bad_setting(takeoff, noise_file, tmp_path, options, message):
    assert message in takeoff(noise_file("a.png"), "-o", tmp_path / "out" / "a.png", *options).error
    assert nothing_in(tmp_path / "out")


def test_a_model_of_another_system(takeoff, noise_file, igr_folder, tmp_path):
    error = takeoff(noise_file("a.png"), "-o", tmp_path / "out", "--model", igr_folder).error
    assert "TWGTMPipeline is needed" in error
    assert nothing_in(tmp_path / "out")


def test_no_photo_and_photos_that_would_be_written_over(takeoff, noise_file):
    assert "no photo was given" in takeoff().error
    photos = [noise_file("a.png"), noise_file("a-garment-silhouette.png", 1)]
    assert "one of the photos" in takeoff(*photos, "-o", photos[0].parent, "--silhouette").error


def test_boxes():
    assert parse_box(None) is None
    assert parse_box("predicted") == "predicted"
    assert parse_box("1, 2,3,4") == (1, 2, 3, 4)
    for text in ("", "1,2,3", "1,2,3,4,5", "-1,2,3,4", "1,2,3,x", "1.5,2,3,4"):
        with pytest.raises(ToileError, match="X0,Y0,X1,Y1"):
            parse_box(text)
