import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cli.runs import nothing_in
from tests.data.small_parser import figure

from toile.twgtm.regions import default_region


@pytest.fixture
def people(noise_file) -> tuple[Path, Path]:
    """A wearer and a target."""
    return noise_file("ann.png", 0), noise_file("bob.png", 1, (32, 64))


@pytest.fixture
def swap(toile, twgtm_folder, igr_folder, people):
    """Run `toile swap` with the small random models."""

    def run(*options: object, wearer=people[0], target=people[1]):
        models = {"--model": twgtm_folder, "--restorer": igr_folder}
        return toile("swap", wearer, target, *options, *(w for pair in models.items() for w in pair))

    return run


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(int)


def metadata(path: Path) -> dict[str, object]:
    with Image.open(path) as picture:
        data: dict[str, object] = json.loads(picture.text["toile"])
    return data


def test_without_masks_a_box_is_repainted_and_a_note_says_so(swap, people, empty_working_directory):
    done = swap("--category", "lower", "--target-mask", "none")
    assert (done.code, done.out.strip()) == (0, "bob-as-ann.png")
    assert len(done.said) == 1 and done.said[0].startswith("note:")
    assert "--target-mask" in done.said[0] and "(lower)" in done.said[0]
    result, photo = pixels(empty_working_directory / "bob-as-ann.png"), pixels(people[1])
    region = np.asarray(default_region("lower", (64, 32))) > 0
    changed = (result != photo).any(axis=2)
    assert changed[region].mean() > 0.9
    assert not changed[: region.any(axis=1).argmax() - 4].any()
    data = metadata(empty_working_directory / "bob-as-ann.png")
    assert (data["wearer"], data["target"], data["through"]) == ("ann.png", "bob.png", "twgtm")
    assert (data["category"], data["target_mask"], data["seed"]) == ("lower", False, 0)


def test_masks_are_found_where_none_are_given(swap, parser_folder, tmp_path):
    ann, bob = tmp_path / "figure.png", tmp_path / "bare.png"
    figure()[0].save(ann)
    figure((1, 3))[0].save(bob)
    options = ("--through", "igr", "--parser", parser_folder, "-o", tmp_path / "out.png")
    done = swap(*options, wearer=bob, target=ann)
    assert done.code == 0 and len(done.said) == 2
    assert "--target-mask none" in done.said[0] and "bare.png" in done.said[1]
    data = metadata(tmp_path / "out.png")
    assert (data["target_mask"], data["wearer_mask"]) == ("automatic", False)


def test_it_is_taking_off_and_trying_on(swap, toile, twgtm_folder, people, mask_file, tmp_path):
    mask, model = mask_file(box=(8, 16, 24, 48), size=(32, 64)), ("--model", twgtm_folder)
    done = swap("--target-mask", mask, "-o", tmp_path / "once.png", "--seed", 2)
    assert (done.code, done.said) == (0, [])
    flat = tmp_path / "flat.png"
    assert toile("takeoff", people[0], "-o", flat, "--seed", 2, *model).code == 0
    out = ("-o", tmp_path / "twice.png")
    assert toile("tryon", people[1], flat, "--mask", mask, "--seed", 2, *out, *model).code == 0
    assert abs(pixels(tmp_path / "once.png") - pixels(tmp_path / "twice.png")).max() <= 1


def test_through_igr_with_the_three_pictures_in_a_row(
    swap, toile, igr_folder, people, mask_file, tmp_path, monkeypatch
):
    wearer_mask = mask_file("w.png")
    target_mask = mask_file("t.png", (8, 16, 24, 48), (32, 64))
    masks = ("--wearer-mask", wearer_mask, "--target-mask", target_mask)
    done = swap("--through", "igr", *masks, "-o", tmp_path / "out", "--side-by-side")
    paths = [tmp_path / "out" / name for name in ("bob-as-ann.png", "bob-as-ann-side-by-side.png")]
    assert (done.code, done.said) == (0, [])
    assert done.out.split() == [str(path) for path in paths]
    flat = tmp_path / "flat.png"
    restored = ("--mask", wearer_mask, "-o", flat, "--model", igr_folder)
    assert toile("restore", people[0], *restored).code == 0
    row = pixels(paths[1])
    assert row.shape[1] == 3 * 32 + 4 * 4
    wearer, garment, result = (row[-68:-4, 4 + at * 36 : 36 + at * 36] for at in range(3))
    assert abs(garment - pixels(flat)).max() <= 1
    np.testing.assert_array_equal(result, pixels(paths[0]))
    assert (wearer[0] == 255).all()  # a 40×60 photo, padded
    for path in paths:
        data = metadata(path)
        assert (data["through"], data["wearer_mask"], data["target_mask"]) == ("igr", True, True)
        assert data["restorer"]["model"] == str(igr_folder) and data["restorer"]["steps"] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--category", "shoe"], "'shoe'"),
        (["--through", "magic"], "through 'magic' is unknown; write one of igr, twgtm"),
        (["--wearer-mask", "m.png"], "read by IGR alone"),
        (["--size", "100x100"], "multiples of"),
        (["--guidance", "-1"], "guidance is -1"),
    ],
)
def test_a_bad_setting(swap, tmp_path, options, message):
    assert message in swap("-o", tmp_path / "out" / "a.png", *options).error
    assert nothing_in(tmp_path / "out")


def test_bad_pictures_and_outputs(swap, people, mask_file, tmp_path):
    out = ("-o", tmp_path / "out" / "a.png")
    assert "gone.jpg does not exist" in swap(*out, wearer=tmp_path / "gone.jpg").error
    assert "its photo 32×64" in swap(*out, "--target-mask", mask_file()).error
    igr = ("--through", "igr", "--target-mask", mask_file("t.png", size=(32, 64)))
    assert "its photo 40×60" in swap(*out, *igr, "--wearer-mask", mask_file("w.png", size=(32, 64))).error
    assert nothing_in(tmp_path / "out")
    assert "one of the photos" in swap("-o", people[1]).error
    assert "ends in .webp" in swap("-o", tmp_path / "a.webp").error
