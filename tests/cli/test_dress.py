import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cli.runs import nothing_in

from toile import __version__
from toile.anydressing.garments_net import GarmentsNet
from toile.cli.dress import dress_files, plan_outputs
from toile.errors import ToileError
from toile.tasks.drawing import LARGEST_SEED

PROMPT = "a woman in a park"


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(int)


def told(path: Path) -> dict:
    with Image.open(path) as picture:
        return json.loads(picture.text["toile"])


def test_somebody_is_dressed(dress, anydressing_folder, garments, noise_file, tmp_path):
    extra = ["--garment", f"upper={noise_file('coat.png', 3)}", "--negative-prompt", "blurred"]
    done = dress("-o", tmp_path / "out.png", "--seed", 3, "--scale", 0.5, *extra)
    assert (done.code, done.out.strip(), done.said) == (0, str(tmp_path / "out.png"), [])
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.size == (32, 64) and picture.mode == "RGB"
    assert told(tmp_path / "out.png") == {
        "toile": __version__,
        "model": str(anydressing_folder),
        "steps": 1,
        "guidance": 6.0,
        "seed": 3,
        "size": [64, 32],
        "dtype": "float32",
        "prompt": PROMPT,
        "negative_prompt": "blurred",
        "scale": 0.5,
        "garments": {"upper": ["shirt.jpg", "coat.png"], "lower": ["jeans.png"]},
    }


def test_the_seed_decides_and_every_input_counts(dress, garments, noise_file, tmp_path):
    ways = {
        "first": {},
        "again": {},
        "seed": {"options": ["--seed", 1]},
        "prompt": {"options": ["--prompt", "a man at the sea"]},
        "negative": {"options": ["--negative-prompt", "blurred"]},
        "scale": {"options": ["--scale", 3]},
        "garment": {"upper": noise_file("coat.png", 2)},
        "one": {"lower": None},
        "hat": {"options": ["--hat", garments[0]]},
    }
    found = {}
    for name, way in ways.items():
        options = way.pop("options", [])
        assert dress("-o", tmp_path / f"{name}.png", "--guidance", 3, *options, **way).code == 0
        found[name] = pixels(tmp_path / f"{name}.png")
    assert abs(found["first"] - found["again"]).max() <= 1
    for name in ways.keys() - {"first", "again"}:
        assert abs(found["first"] - found[name]).max() > 1, name


def test_candidates_alone_or_in_batches(dress, tmp_path):
    done = dress("-o", tmp_path / "out", "--candidates", 3, "--batch", 2, "--seed", 4)
    assert done.code == 0
    assert [Path(line).name for line in done.out.split()] == [f"dressed-{seed}.png" for seed in (4, 5, 6)]
    assert dress("-o", tmp_path / "alone.png", "--seed", 6).code == 0
    assert told(tmp_path / "out" / "dressed-6.png") == told(tmp_path / "alone.png")
    assert abs(pixels(tmp_path / "out" / "dressed-6.png") - pixels(tmp_path / "alone.png")).max() <= 1
    assert abs(pixels(tmp_path / "out" / "dressed-5.png") - pixels(tmp_path / "alone.png")).max() > 1


def test_the_result_s_name_and_another_size(dress, empty_working_directory):
    done = dress("--size", "96x64", "--dtype", "bfloat16", "--guidance", 1)
    assert (done.code, done.out.strip()) == (0, "dressed.png")
    with Image.open(empty_working_directory / "dressed.png") as picture:
        assert picture.size == (64, 96)


def test_exotic_pictures(dress, picture_file, tmp_path):
    alpha = picture_file("alpha.png", mode="RGBA", color=(9, 9, 9, 99))
    wide = picture_file("wide.gif", mode="P", color=3, size=(300, 20))
    assert dress("-o", tmp_path / "out.png", upper=alpha, lower=wide).code == 0


def test_a_kept_outfit_is_worn_without_a_garment_network(
    dress, toile, anydressing_folder, garments, tmp_path, monkeypatch
):
    place = ("--wardrobe", tmp_path / "w")
    words = ["wardrobe", "add", "sunday", "--upper", garments[0], "--lower", garments[1], *place]
    assert dress("-o", tmp_path / "new.png").code == 0
    from toile.cli.main import main

    assert main([*map(str, words), "--model", str(anydressing_folder), "--device", "cpu"]) == 0
    passes: list[int] = []
    forward = GarmentsNet.forward
    monkeypatch.setattr(GarmentsNet, "forward", lambda net, *given: passes.append(1) or forward(net, *given))
    none = {"upper": None, "lower": None}
    done = dress("-o", tmp_path / "kept.png", "--wear", "sunday", *place, **none)
    assert done.code == 0 and passes == []
    assert abs(pixels(tmp_path / "kept.png") - pixels(tmp_path / "new.png")).max() <= 1
    assert told(tmp_path / "kept.png") | {"wear": "sunday"} == told(tmp_path / "kept.png")
    halves = {"upper": garments[0], "lower": None}
    assert dress("-o", tmp_path / "more.png", "--wear", "sunday", *place, **halves).code == 0
    assert passes == [1]
    assert abs(pixels(tmp_path / "more.png") - pixels(tmp_path / "new.png")).max() > 1
    assert "no outfit 'monday'" in dress("--wear", "monday", *place, **none).error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--garment", "shoe=shirt.jpg"], "shirt.jpg does not exist"),
        (["--garment", "shoe"], "KIND=PICTURE"),
        (["--prompt", " "], "prompt is empty"),
        (["--scale", "-1"], "scale is -1"),
        (["--steps", "0"], "steps is 0"),
        (["--candidates", "0"], "candidates is 0"),
        (["--candidates", "2", "--seed", LARGEST_SEED], "passes 2**63 - 1"),
        (["--batch", "0"], "batch is 0"),
        (["--size", "100x100"], "multiples of"),
        (["--model", "tinny"], "no such folder"),
        (["--pose", "pose.png"], "--pose is given without --controlnet"),
        (["--controlnet", "some/thing"], "--controlnet is given without --pose"),
        (["--face", "face.png"], "--face is given without --face-adapter"),
        (["--face-encoder", "some/thing"], "--face-encoder goes with --face"),
        (["--lora", "style.bin"], "no .safetensors file"),
        (["--lora", "style.safetensors"], "style.safetensors does not exist"),
        (["--lora", "style.safetensors:much"], "'much' is no weight"),
        (["--lora", "style.safetensors:100"], "between -10 and 10"),
        (["--face-scale", "-1"], "face_scale is -1"),
    ],
)
def test_a_bad_setting(dress, tmp_path, options, message):
    assert message in dress("-o", tmp_path / "out" / "a.png", *options).error
    assert nothing_in(tmp_path / "out")


def test_a_kind_that_the_model_does_not_know(dress, garments, tmp_path):
    error = dress("-o", tmp_path / "out" / "a.png", "--garment", f"shoe={garments[0]}").error
    assert "'shoe' is unknown; this model has upper, lower, hat" in error
    assert nothing_in(tmp_path / "out")


def test_nothing_to_wear(dress, tmp_path):
    assert "nothing to wear" in dress("-o", tmp_path / "out" / "a.png", upper=None, lower=None).error
    assert nothing_in(tmp_path / "out")


def test_bad_pictures_and_outputs(dress, garments, tmp_path):
    (tmp_path / "text.png").write_text("not a picture")
    out = ("-o", tmp_path / "out" / "a.png")
    assert "gone.jpg does not exist" in dress(*out, upper=tmp_path / "gone.jpg").error
    assert "text.png is not a picture" in dress(*out, lower=tmp_path / "text.png").error
    assert nothing_in(tmp_path / "out")
    before = garments[1].read_bytes()
    assert "is one of the photos" in dress("-o", garments[1]).error
    assert garments[1].read_bytes() == before
    assert "ends in .jpg" in dress("-o", tmp_path / "a.jpg").error
    assert "one file for 2" in dress("-o", tmp_path / "a.png", "--candidates", 2).error
    assert "cannot be written" in dress("-o", tmp_path / "text.png" / "a.png").error


def test_where_candidates_go(tmp_path):
    assert plan_outputs(None, 7, 1) == [Path("dressed.png")]
    assert plan_outputs(tmp_path, 7, 2) == [tmp_path / "dressed-7.png", tmp_path / "dressed-8.png"]


def test_the_bundled_model_is_missed_in_one_line(monkeypatch, tmp_path, garments):
    monkeypatch.setattr("toile.bundled.weights_folder", lambda: tmp_path / "weights")
    with pytest.raises(ToileError, match="weights of `tiny` are missing"):
        dress_files({"upper": [garments[0]]}, PROMPT, output=tmp_path / "out" / "a.png")
    assert nothing_in(tmp_path / "out")


def test_interrupted(anydressing_folder, garments, tmp_path):
    out = tmp_path / "out"
    words = ["dress", "--upper", garments[0], "--prompt", PROMPT, "--model", anydressing_folder, "-o", out]
    words += ["--candidates", 1000, "--steps", 1, "--device", "cpu"]
    run = subprocess.Popen(
        [sys.executable, "-m", "toile.cli.main", *map(str, words)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # background jobs ignore it
    )
    patience = time.monotonic() + 120
    while not list(out.glob("*.png")) and time.monotonic() < patience:
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 130 and "Traceback" not in errors
    assert errors.splitlines()[-1].endswith("toile: interrupted; what was finished is kept")
    for path in out.iterdir():
        assert path.suffix == ".png" and told(path)["prompt"] == PROMPT


def test_a_damaged_model(dress, anydressing_folder, tmp_path):
    copy = shutil.copytree(anydressing_folder, tmp_path / "model")
    (copy / "dressing_attention" / "diffusion_pytorch_model.safetensors").write_bytes(b"no")
    assert "cannot be loaded" in dress("--model", copy, "-o", tmp_path / "out" / "a.png").error
    assert nothing_in(tmp_path / "out")
