import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from toile.dolls import draw_doll
from toile.dolls.layouts import file_names
from toile.dolls.pair_lists import read_rows
from toile.dolls.writers import DatasetSettings, write_dataset
from toile.errors import ToileError

SIZE = (64, 48)


def settings(out: Path, **changes: object) -> DatasetSettings:
    return DatasetSettings(**{"out": out, "count": 4, "first_seed": 20, "size": SIZE, **changes})


def write(out: Path, **changes: object) -> int:
    return write_dataset(settings(out, **changes), progress=False)


def array(path: Path) -> np.ndarray:
    return np.array(Image.open(path))


def test_viton_hd_is_read_back_file_by_file(tmp_path):
    assert write(tmp_path, split="test") == 4
    for seed in range(20, 24):
        drawn = draw_doll(seed, SIZE, category="upper")
        paths = {
            role: tmp_path / path for role, path in file_names(seed, "viton-hd", "test", "upper").items()
        }
        for role, picture in (("person", drawn.person), ("garment", drawn.garment)):
            assert Image.open(paths[role]).format == "JPEG"
            assert np.abs(array(paths[role]).astype(int) - picture).mean() < 3
        assert np.array_equal(array(paths["silhouette"]) > 127, drawn.silhouette > 0)
        assert np.array_equal(array(paths["agnostic mask"]), drawn.agnostic_mask)
        assert np.array_equal(array(paths["parse"]), drawn.parse)
        assert (array(paths["agnostic parse"])[drawn.agnostic_mask > 0] == 0).all()
        assert json.loads(paths["joints"].read_text())["people"]
    assert (tmp_path / "test_pairs.txt").read_text().splitlines()[0] == "00000020_00.jpg 00000020_00.jpg"
    unpaired = [line.split() for line in (tmp_path / "test_pairs_unpaired.txt").read_text().splitlines()]
    assert len(unpaired) == 4 and all(person != garment for person, garment in unpaired)
    rows = [json.loads(line) for line in (tmp_path / "dolls.jsonl").read_text().splitlines()]
    assert [row["identifier"] for row in rows] == [f"{seed:08d}_00" for seed in range(20, 24)]
    assert all(row["category"] == "upper" and row["caption"] and row["attributes"] for row in rows)
    assert all(
        set(row["hardness"]) == {"occlusion", "truncation", "side_view", "extreme_proportion"} for row in rows
    )


def test_dresscode_is_read_back_file_by_file(tmp_path):
    write(tmp_path, layout="dresscode", split="test", count=8)
    digits = {"upper": "0", "lower": "1", "dress": "2"}
    everything = [line.split("\t") for line in (tmp_path / "test_pairs_paired.txt").read_text().splitlines()]
    assert len(everything) == 8
    for seed in range(20, 28):
        drawn = draw_doll(seed, SIZE)
        paths = {
            role: tmp_path / path
            for role, path in file_names(seed, "dresscode", "test", drawn.category).items()
        }
        assert np.abs(array(paths["garment"]).astype(int) - drawn.garment).mean() < 3
        assert np.array_equal(array(paths["agnostic mask"]), drawn.agnostic_mask)
        assert np.array_equal(array(paths["silhouette"]), drawn.silhouette)
        assert len(json.loads(paths["dresscode joints"].read_text())["keypoints"]) == 18
        row = [f"{seed:06d}_0.jpg", f"{seed:06d}_1.jpg"]
        assert [*row, digits[drawn.category]] in everything
        folder = paths["person"].parent.parent
        assert "\t".join(row) in (folder / "test_pairs_paired.txt").read_text().splitlines()
        assert (folder / "test_pairs_unpaired.txt").is_file()


def test_a_complete_dataset_is_not_drawn_again(tmp_path):
    write(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.jpg")}
    assert write(tmp_path) == 0
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.jpg")}
    assert write(tmp_path, count=6) == 2
    assert len((tmp_path / "train_pairs.txt").read_text().splitlines()) == 6


def test_a_lost_file_is_written_again(tmp_path):
    write(tmp_path)
    lost = tmp_path / "train/cloth/00000021_00.jpg"
    content = lost.read_bytes()
    lost.unlink()
    assert write(tmp_path) == 1
    assert lost.read_bytes() == content


def test_a_killed_run_goes_on_where_it_stopped(tmp_path):
    write(tmp_path)
    rows = (tmp_path / "dolls.jsonl").read_text().splitlines()
    (tmp_path / "dolls.jsonl").unlink()
    (tmp_path / "dolls.log").write_text("\n".join(rows[:2]) + "\n" + rows[2][:30])  # Killed in mid-line.
    assert len(read_rows(tmp_path)) == 2
    assert write(tmp_path) == 2
    assert (tmp_path / "dolls.jsonl").read_text().splitlines() == rows
    assert not (tmp_path / "dolls.log").exists()


def test_several_workers_write_the_same_files(tmp_path):
    write(tmp_path / "one")
    write(tmp_path / "two", workers=2)
    files = sorted(
        path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()
    )
    assert files == sorted(
        p.relative_to(tmp_path / "two") for p in (tmp_path / "two").rglob("*") if p.is_file()
    )
    assert all(
        (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in files
    )


def test_train_and_test_share_a_folder(tmp_path):
    write(tmp_path)
    write(tmp_path, split="test", first_seed=30, mode="street")
    assert len((tmp_path / "train_pairs.txt").read_text().splitlines()) == 4
    assert len((tmp_path / "test_pairs.txt").read_text().splitlines()) == 4
    assert len(read_rows(tmp_path)) == 8


@pytest.mark.parametrize("changes", [{"size": (64, 64)}, {"mode": "street"}, {"layout": "dresscode"}])
def test_another_dataset_in_the_same_folder_is_refused(tmp_path, changes):
    write(tmp_path, count=1)
    with pytest.raises(ToileError, match="another folder"):
        write(tmp_path, count=1, **changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"count": 0}, "at least 1"),
        ({"workers": 0}, "at least 1"),
        ({"first_seed": -1}, "from 0 on"),
        ({"size": (8, 8)}, "8x8"),
    ],
)
def test_bad_settings_are_named(tmp_path, changes, said):
    with pytest.raises(ToileError, match=said):
        settings(tmp_path, **changes)


def test_an_interrupted_run_keeps_its_lists_and_goes_on(tmp_path):
    run = (
        "from pathlib import Path; from toile.dolls.writers import *;"
        f"out = Path({str(tmp_path)!r});"
        "write_dataset(DatasetSettings(out=out, count=400, size=(64, 48), workers=WORKERS))"
    )
    for workers in ("1", "2"):
        code = f"if __name__ == '__main__':\n    {run.replace('WORKERS', workers)}"
        script = tmp_path.parent / f"run_{tmp_path.name}.py"
        script.write_text(code)
        process = subprocess.Popen(
            [sys.executable, str(script)],
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # background jobs ignore it
        )
        before = len(list(tmp_path.rglob("*_keypoints.json")))
        while len(list(tmp_path.rglob("*_keypoints.json"))) < before + 5:
            assert process.poll() is None, process.stderr
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert "KeyboardInterrupt" in said
        rows = read_rows(tmp_path)
        assert 0 < len(rows) < 400
        assert len((tmp_path / "train_pairs.txt").read_text().splitlines()) == len(rows)
        assert not list(tmp_path.rglob(".*"))
    complete = len(rows)
    assert write(tmp_path, first_seed=0, count=complete) < complete


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ToileError, match="cannot be written"):
        write(tmp_path / "file")


def test_nothing_is_left_beside_the_files(tmp_path):
    write(tmp_path, count=1)
    assert not [path for path in tmp_path.rglob(".*")]
    assert os.listdir(tmp_path / "train/image") == ["00000020_00.jpg"]
