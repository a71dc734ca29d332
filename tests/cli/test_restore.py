import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cli.runs import nothing_in
from tests.data.small_parser import figure

from toile import __version__
from toile.cli.mask import MaskOptions, mask_photos
from toile.cli.options import IGR_OPTIONS
from toile.cli.restore import restore_photos

TOILE = [sys.executable, "-m", "toile.cli.main"]


@pytest.fixture
def restore(igr_folder, toile):
    """Run `toile restore` with the small random model; gives exit code, stdout and lines of stderr."""

    def run(*arguments: object) -> tuple[int, str, list[str]]:
        model = () if "--model" in arguments else ("--model", igr_folder)
        done = toile("restore", *arguments, *model)
        return done.code, done.out, done.said

    return run


def test_a_photo_is_restored(restore, picture_file, tmp_path):
    photo, mask = picture_file("a.jpg"), picture_file("m.png", color=255, mode="L")
    code, out, said = restore(
        photo, "--mask", mask, "-o", tmp_path / "out.png", "--seed", 3, "--category", "dress"
    )
    assert (code, out.strip(), said) == (0, str(tmp_path / "out.png"), [])
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.size == (32, 64) and picture.mode == "RGB"
        data = json.loads(picture.text["toile"])
    assert data.pop("model").endswith("igr0")
    assert data == {
        "toile": __version__,
        "category": "dress",
        "steps": 1,
        "guidance": 1.5,
        "seed": 3,
        "size": [64, 32],
        "dtype": "float32",
        "photo": "a.jpg",
        "mask": True,
    }


def test_without_a_mask_a_note_says_so(restore, picture_file, empty_working_directory):
    code, out, said = restore(picture_file("a.jpg"), "--mask", "none")
    assert code == 0 and out.strip() == "a-garment.png"
    assert len(said) == 1 and said[0].startswith("note:") and "--mask" in said[0]
    assert [path.name for path in empty_working_directory.iterdir()] == ["a-garment.png"]


def test_a_mask_is_found_where_none_is_given(restore, parser_folder, tmp_path):
    photos = [tmp_path / "ann.png", tmp_path / "bob.png"]
    for photo, worn in zip(photos, ((1, 2, 3), (1, 3)), strict=True):
        figure(worn)[0].save(photo)
    code, _, said = restore(*photos, "-o", tmp_path / "out", "--parser", parser_folder)
    assert code == 0
    assert len(said) == 1 and said[0].startswith("note:") and "in bob.png: without a mask" in said[0]
    data = [
        json.loads(Image.open(tmp_path / "out" / f"{name}-garment.png").text["toile"])
        for name in ("ann", "bob")
    ]
    assert [one["mask"] for one in data] == ["automatic", False]
    code, _, said = restore(photos[0], "-o", tmp_path / "own.png", "--parser", parser_folder)
    assert code == 0 and len(said) == 1 and "found the garment (upper) itself" in said[0]
    assert restore(photos[0], "-o", tmp_path / "whole.png", "--mask", "none")[0] == 0
    own, whole = (np.asarray(Image.open(tmp_path / name)).astype(int) for name in ("own.png", "whole.png"))
    assert abs(own - whole).max() > 1


def test_masks_that_are_found_are_those_of_toile_mask(restore, parser_folder, tmp_path):
    figure()[0].save(tmp_path / "ann.png")
    masks = MaskOptions(parser=str(parser_folder), device="cpu")
    mask_photos([tmp_path / "ann.png"], output=tmp_path / "m.png", options=masks)
    options = ("--parser", parser_folder)
    for name, mask in {"found.png": "auto", "given.png": tmp_path / "m.png"}.items():
        assert restore(tmp_path / "ann.png", "-o", tmp_path / name, "--mask", mask, *options)[0] == 0
    found, given = (np.asarray(Image.open(tmp_path / name)) for name in ("found.png", "given.png"))
    np.testing.assert_array_equal(found, given)


def test_exotic_photos_another_size_and_dtype(restore, picture_file, tmp_path):
    photos = [
        picture_file("alpha.png", mode="RGBA", color=(9, 9, 9, 99)),
        picture_file("grey.png", mode="L", color=7),
        picture_file("deep.png", mode="I;16", color=40000),
        picture_file("cmyk.jpg", mode="CMYK", color=(9, 9, 9, 9)),
        picture_file("wide.gif", mode="P", color=3, size=(300, 20)),
    ]
    options = ["--size", "96x64", "--batch", 2, "--dtype", "bfloat16", "--guidance", 1]
    code, out, _ = restore(*photos, "-o", tmp_path / "out", *options)
    assert code == 0
    assert len(out.split()) == 5
    for line in out.split():
        with Image.open(line) as picture:
            assert picture.size == (64, 96)


def test_alone_or_in_a_batch_the_picture_is_the_same(restore, tmp_path):
    random = np.random.default_rng(0)
    photos = []
    for name in "abc":
        photos.append(tmp_path / f"{name}.png")
        Image.fromarray(random.integers(0, 256, (50, 40, 3), dtype=np.uint8)).save(photos[-1])
    assert restore(*photos, "-o", tmp_path / "three", "--batch", 3, "--seed", 5)[0] == 0
    assert restore(photos[1], "-o", tmp_path / "one", "--seed", 5)[0] == 0
    assert restore(photos[1], "-o", tmp_path / "other", "--seed", 6)[0] == 0
    three, one, other = (
        np.asarray(Image.open(tmp_path / name / "b-garment.png")).astype(int)
        for name in ("three", "one", "other")
    )
    assert abs(three - one).max() <= 1
    assert abs(other - one).max() > 1


def test_a_folder_of_masks(restore, picture_file, tmp_path):
    photos = [picture_file("a.jpg"), picture_file("b.jpg"), picture_file("c.jpg")]
    for name in ("a.png", "b.gif"):
        picture_file(f"masks/{name}", mode="L", color=255)
    code, out, said = restore(*photos, "--mask", tmp_path / "masks", "-o", tmp_path / "out")
    assert code == 1
    assert [Path(line).name for line in out.split()] == ["a-garment.png", "b-garment.png"]
    assert said == [f"toile: {photos[2]} has no mask in {tmp_path}/masks; name it c.png or c-mask.png"]


def test_good_photos_are_done_and_bad_ones_reported(restore, picture_file, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_text("not a picture")
    cut = picture_file("cut.png", size=(200, 200), color=(1, 2, 3))
    cut.write_bytes(cut.read_bytes()[:100])
    photos = [picture_file("a.jpg"), bad, tmp_path / "gone.jpg", picture_file("b.jpg"), cut]
    code, out, said = restore(*photos, "-o", tmp_path / "out", "--batch", 2)
    assert code == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a-garment.png", "b-garment.png"]
    assert len(out.split()) == 2
    errors = [line for line in said if line.startswith("toile:")]
    assert len(errors) == 3
    assert "is not a picture" in errors[0] and "does not exist" in errors[1] and "cut short" in errors[2]


def bad_mask(picture_file, tmp_path, kind: str) -> Path:
    if kind == "other size":
        return picture_file("m.png", mode="L", color=255, size=(41, 60))
    if kind == "other aspect":
        return picture_file("m.png", mode="L", color=255, size=(60, 40))
    if kind == "empty":
        return picture_file("m.png", mode="L", color=0)
    if kind == "zero size":
        (tmp_path / "m.png").write_bytes(b"")
    if kind == "not a picture":
        (tmp_path / "m.png").write_bytes(b"text")
    if kind == "vanishing":
        picture_file("m.png", mode="L", color=0)
        with Image.open(tmp_path / "m.png") as mask:
            mask.putpixel((3, 3), 255)
            mask.save(tmp_path / "m.png")
    return tmp_path / "m.png"


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("other size", "41×60 pixels and its photo 40×60"),
        ("other aspect", "60×40 pixels and its photo 40×60"),
        ("empty", "is empty"),
        ("zero size", "empty file"),
        ("not a picture", "is not a picture"),
        ("vanishing", "marks so little"),
        ("missing", "does not exist"),
    ],
)
def test_a_bad_mask(restore, picture_file, tmp_path, kind, message):
    mask = bad_mask(picture_file, tmp_path, kind)
    code, out, said = restore(picture_file("a.jpg"), "--mask", mask, "-o", tmp_path / "out" / "a.png")
    assert (code, out) == (2, "")
    assert len(said) == 1 and message in said[0] and "m.png" in said[0]
    assert nothing_in(tmp_path / "out")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--category", "shoe"], "'shoe'"),
        (["--steps", "0"], "steps is 0"),
        (["--batch", "0"], "batch is 0"),
        (["--guidance", "-1"], "guidance is -1"),
        (["--guidance", "nan"], "guidance is nan"),
        (["--seed", "-1"], "seed is -1"),
        (["--size", "big"], "size 'big'"),
        (["--size", "100x100"], "multiples of 32"),
        (["--device", "toaster"], "device 'toaster'"),
        (["--dtype", "int8"], "dtype 'int8'"),
        (["--parser", "someone/nothing"], "someone/nothing"),
        (["--model", "tinny"], "no such folder"),
        (["--model", "someone/nothing"], "someone/nothing"),
    ],
)
def test_a_bad_setting(restore, picture_file, tmp_path, options, message):
    code, out, said = restore(picture_file("a.jpg"), "-o", tmp_path / "out" / "a.png", *options)
    assert (code, out) == (2, "")
    assert len(said) == 1 and message in said[0]
    assert nothing_in(tmp_path / "out")


@pytest.mark.parametrize("damage", ["no part", "no weights", "no index", "other system", "cut weights"])
def test_a_bad_model(restore, picture_file, tmp_path, igr_folder, damage):
    folder = shutil.copytree(igr_folder, tmp_path / "model")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    if damage == "no part":
        shutil.rmtree(folder / "garment_net")
    elif damage == "no weights":
        weights.unlink()
    elif damage == "cut weights":
        weights.write_bytes(weights.read_bytes()[:-10])
    elif damage == "no index":
        (folder / "model_index.json").unlink()
    else:
        index = json.loads((folder / "model_index.json").read_text())
        (folder / "model_index.json").write_text(
            json.dumps(index | {"_class_name": "StableDiffusionPipeline"})
        )
    code, out, said = restore(picture_file("a.jpg"), "-o", tmp_path / "out" / "a.png", "--model", folder)
    assert (code, out) == (2, "")
    assert len(said) == 1 and str(folder) in said[0]
    assert nothing_in(tmp_path / "out")


def test_unwritable_output(restore, picture_file, tmp_path):
    (tmp_path / "file").touch()
    code, out, said = restore(picture_file("a.jpg"), "-o", tmp_path / "file" / "a.png")
    assert (code, out) == (2, "") and len(said) == 1 and "cannot be written" in said[0]


def test_a_decompression_bomb(restore, tmp_path):
    Image.new("1", (11_000, 10_000)).save(tmp_path / "bomb.png")
    code, out, said = restore(tmp_path / "bomb.png", "-o", tmp_path / "out" / "a.png")
    assert (code, out) == (2, "")
    assert len([line for line in said if "100,000,000" in line]) == 1
    assert nothing_in(tmp_path / "out")


def test_from_python(igr_folder, picture_file, tmp_path):
    outcomes = restore_photos(
        [picture_file("a.jpg"), tmp_path / "gone.jpg"],
        output=tmp_path / "out",
        options=replace(IGR_OPTIONS, model=str(igr_folder), steps=1),
    )
    assert [outcome.error is None for outcome in outcomes] == [True, False]
    assert outcomes[0].job.output.is_file()


def test_the_process_fails_with_one_line(tmp_path):
    done = subprocess.run(
        [*TOILE, "restore", "gone.jpg", "--category", "shoe"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "toile: category 'shoe' is unknown; write one of upper, lower, dress\n"


def test_ctrl_c_keeps_what_is_finished(igr_folder, picture_file, tmp_path):
    photos = [str(picture_file(f"{index}.jpg")) for index in range(200)]
    command = [
        *TOILE,
        "restore",
        *photos,
        "-o",
        str(tmp_path / "out"),
        "--model",
        str(igr_folder),
        "--steps",
        "2",
    ]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # background jobs ignore it
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and len(list((tmp_path / "out").glob("*.png"))) < 2:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in err and "Traceback" not in err
    written = list((tmp_path / "out").iterdir())
    assert 2 <= len(written) < 200
    for path in written:
        assert path.suffix == ".png"
        with Image.open(path) as picture:
            picture.load()
