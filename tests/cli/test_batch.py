import json

import numpy as np
import pytest
from PIL import Image

from toile.catalogue.job import WorkerSettings
from toile.catalogue.lists import open_list
from toile.catalogue.manifest import read_rows
from toile.catalogue.plan import Block
from toile.catalogue.worker import Worker
from toile.cli.batch import BatchDress, BatchRestore, BatchSwap, BatchTryOn
from toile.cli.main import parse_command
from toile.errors import ToileError


def parsed(*words: object):
    """The settings of one task."""
    return parse_command(["batch", *map(str, words)]).command


@pytest.fixture
def photos(noise_file, tmp_path):
    """A folder of three photos, of which one is none."""
    for number in range(3):
        noise_file(f"photos/{number}.png", seed=number)
    (tmp_path / "photos" / "1.png").write_text("no picture")
    return tmp_path / "photos"


def test_a_folder_is_restored_as_photos_are_one_by_one(toile, photos, igr_folder, tmp_path):
    options = ("--seed", 7, "--category", "lower", "--model", igr_folder, "--steps", 2)
    out = tmp_path / "out"
    run = toile("batch", "restore", photos, "-o", out, "--masks", "none", "--batch", 2, *options)
    assert run.code == 1 and run.out == f"{out / 'report.html'}\n" and "2 of 3 done, 1 failed" in run.errors
    assert run.errors.splitlines()[-1].startswith("  1 × ")
    rows = {row["name"]: row for row in read_rows(out / "manifest.jsonl")}
    assert "is not a picture" in rows["1"]["error"] and len(rows) == 3
    assert [rows[name]["output"] for name in ("0", "2")] == ["pictures/0.png", "pictures/2.png"]
    single = ("restore", photos / "0.png", photos / "2.png", "-o", tmp_path / "single", "--mask", "none")
    assert toile(*single, "--batch", 2, *options).code == 0
    for name in "02":
        with (
            Image.open(out / "pictures" / f"{name}.png") as one,
            Image.open(tmp_path / "single" / f"{name}-garment.png") as other,
        ):
            pixels = [np.asarray(picture).astype(int) for picture in (one, other)]
            said = json.loads(one.text["toile"])
        assert said["seed"] == 7 and said["category"] == "lower" and said["steps"] == 2
        assert said["model"] == str(igr_folder)
        assert abs(pixels[0] - pixels[1]).max() <= 1
    again = toile("batch", "restore", photos, "-o", out, "--masks", "none", "--batch", 2, *options)
    assert again.code == 1 and len(list(read_rows(out / "manifest.jsonl"))) == 3
    other = toile("batch", "restore", photos, "-o", out, "--masks", "none", "--batch", 2, *options[2:])
    assert "was begun with seed 7, and this is seed 0" in other.error


@pytest.mark.parametrize(
    ("task", "columns", "model"),
    [
        ("restore", {"photo": "a.png", "mask": "m.png"}, "igr_folder"),
        ("takeoff", {"photo": "a.png", "box": "predicted"}, "twgtm_folder"),
        ("tryon", {"person": "a.png", "garment": "b.png", "mask": "m.png"}, "twgtm_folder"),
        ("swap", {"wearer": "a.png", "target": "b.png", "target_mask": "m.png"}, "twgtm_folder"),
        ("dress", {"upper": "b.png", "lower": "a.png"}, "anydressing_folder"),
    ],
)
def test_every_task_does_a_list(task, columns, model, request, noise_file, mask_file, tmp_path):
    """The worker is in this process, so that the libraries are imported once."""
    noise_file("a.png", seed=1), noise_file("b.png", seed=2), mask_file("m.png")
    listed = tmp_path / "list.csv"
    lines = [",".join(("name", *columns, "seed"))]
    lines += [",".join((f"item-{seed}", *columns.values(), str(seed))) for seed in range(2)]
    listed.write_text("\n".join(lines))
    words = [task, listed, "-o", tmp_path / "out", "--model", request.getfixturevalue(model), "--steps", 1]
    words += ["--device", "cpu", "--shards", "--batch", 2]
    words += ["--prompt", "a woman at the sea"] if task == "dress" else []
    command = parsed(*words)
    command.check()
    own, items = command.settings(), open_list(command.items, task)
    settings = WorkerSettings(
        task=task, models=own.models, defaults=own.defaults, output=command.output, items=2, batch=own.batch
    )
    report = Worker(settings).submit(Block(number=0, items=tuple(items.read(0, 2)))).result(120)
    assert [(row.state, row.error, row.seed) for row in report.rows] == [("done", None, 0), ("done", None, 1)]
    for row in report.rows:
        with Image.open(tmp_path / "out" / row.output) as drawn:
            assert drawn.size == (32, 64) and json.loads(drawn.text["toile"])["seed"] == row.seed
    assert own.sink == "shards"


def test_options_reach_the_settings(tmp_path):
    words = ("--workers", 3, "--threads", 2, "--engine", "ray", "--address", "auto", "--timeout", 9)
    own = parsed(
        "restore", "x", "-o", "y", "--shards", "--shard-size", 7, "--retry-failed", *words
    ).settings()
    assert (own.sink, own.shard_size, own.retry_failed) == ("shards", 7, True)
    assert (own.workers, own.threads, own.engine, own.address, own.timeout) == (3, 2, "ray", "auto", 9.0)
    assert own.defaults == {
        "seed": 0, "steps": None, "guidance": 1.5, "size": None, "category": "upper", "mask": "auto",
    }  # fmt: skip


def test_every_task_names_its_own_models():
    swap = parsed("swap", "x", "-o", "y", "--through", "igr", "--restorer", "a", "--model", "b").models()
    assert (swap.igr, swap.twgtm) == ("a", "b")
    dress = parsed("dress", "x", "-o", "y", "--model", "c", "--wardrobe", "w").models()
    assert (dress.anydressing, str(dress.wardrobe)) == ("c", "w")
    restore = parsed("restore", "x", "-o", "y", "--parser", "p", "--dtype", "float16").models()
    assert (restore.parser, restore.dtype, restore.igr) == ("p", "float16", "tiny")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("restore", "nowhere.csv"), "nowhere.csv does not exist"),
        (("restore", "photos", "--category", "shoes"), "category 'shoes' is unknown"),
        (("restore", "photos", "--batch", 0), "batch is 0"),
        (("restore", "photos", "--workers", 0), "workers is 0"),
        (("restore", "photos", "--steps", 0), "steps is 0"),
        (("restore", "photos", "--size", "big"), "size 'big' is not HEIGHTxWIDTH"),
        (("restore", "photos", "--masks", "nowhere"), "nowhere"),
        (("restore", "photos", "--address", "auto"), "write --engine ray with it"),
        (("takeoff", "photos", "--box", "left"), "box"),
        (("tryon", "photos"), "write a CSV with the columns person and garment"),
        (("tryon", "photos", "--mask", "m.png"), "write auto or none"),
    ],
)
def test_mistakes_are_one_line(toile, photos, words, said, tmp_path):
    task, listed, *rest = words
    listed = photos if listed == "photos" else listed
    assert said in toile("batch", task, listed, "-o", tmp_path / "out", *rest).error
    assert not (tmp_path / "out").exists()


def test_the_help_says_what_a_list_may_say():
    for command, columns in (
        (BatchRestore, "photo, and if wanted mask, category"),
        (BatchTryOn, "person and garment"),
        (BatchSwap, "wearer and target"),
        (BatchDress, "upper, lower, dress, hat"),
    ):
        assert columns in " ".join(command.__doc__.split())


def test_a_mask_for_all_is_no_choice():
    with pytest.raises(ToileError, match="write auto or none"):
        parsed("swap", "x", "-o", "y", "--target-mask", "m.png").settings()
