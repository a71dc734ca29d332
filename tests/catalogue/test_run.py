"""A catalogue in this process, its workers in their own, with the stand-in for the models."""

import hashlib
import json
import tarfile
from pathlib import Path

import pytest
from tests.catalogue.stand_in import (
    BUGGY,
    DEADLY,
    HANGING,
    REFUSED,
    missing_model,
    open_photos,
    stand_in,
    write_photos,
)

from toile.catalogue.lists import open_list
from toile.catalogue.manifest import MANIFEST, Row, read_rows
from toile.catalogue.run import run_catalogue
from toile.catalogue.settings import CatalogueSettings
from toile.errors import ToileError
from toile.tasks.models import Models


def run(items, output, **settings):
    settings = {"drawer": stand_in(), "batch": 2} | settings
    return run_catalogue("restore", items, output, CatalogueSettings(**settings), progress=False)


def rows(output: Path) -> list[dict]:
    return sorted(read_rows(output / MANIFEST), key=lambda row: row["number"])


def pictures(output: Path) -> dict[str, str]:
    """The digests of all pictures."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (output / "pictures").rglob("*.png")
    }


def members(shard: Path) -> list[str]:
    with tarfile.open(shard) as archive:
        return archive.getnames()


def test_good_items_become_pictures_and_bad_ones_reasons(tmp_path):
    special = {3: "missing", 4: REFUSED, 6: "missing", 7: "missing"}
    summary = run(open_photos(tmp_path / "in", 9, special), tmp_path / "out", workers=2)
    assert (summary.items, summary.done, summary.failed, summary.recorded) == (9, 5, 4, 9)
    assert summary.exit_code == 1 and summary.deaths == 0
    found = rows(tmp_path / "out")
    assert [row["number"] for row in found] == list(range(9))
    assert {row["number"] for row in found if row["error"]} == set(special)
    good = {row["output"] for row in found if row["state"] == "done"}
    assert good == {f"pictures/{name}" for name in pictures(tmp_path / "out")} and len(good) == 5
    page = summary.report.read_text()
    assert "00003" in page and "batch 2 · 2 workers (local)" in page
    assert not (tmp_path / "out" / ".unfinished").exists()


def test_worst_cases_cost_their_own_items_alone(tmp_path):
    special = {1: DEADLY, 6: BUGGY, 8: HANGING}
    summary = run(open_photos(tmp_path / "in", 12, special), tmp_path / "out", workers=2, timeout=1.5)
    errors = {row["number"]: row["error"] for row in rows(tmp_path / "out") if row["error"]}
    assert errors == {
        1: "the worker died on it twice (ended by SIGKILL)",
        6: "the worker died on it twice (RuntimeError: a bug)",
        8: "the worker died on it twice (it took longer than 1.5 seconds)",
    }
    assert summary.done == len(pictures(tmp_path / "out")) == 9 and summary.deaths >= 12


def test_a_second_run_has_nothing_to_do(tmp_path):
    items = open_photos(tmp_path / "in", 4)
    run(items, tmp_path / "out")
    before = (tmp_path / "out" / MANIFEST).read_bytes()
    summary = run(items, tmp_path / "out", drawer=None)  # loads no model
    assert (summary.recorded, summary.done, summary.exit_code) == (0, 4, 0)
    assert (tmp_path / "out" / MANIFEST).read_bytes() == before


def test_failed_items_are_tried_again_when_asked_for(tmp_path):
    special = {1: "missing", 2: "missing", 3: "missing", 6: "missing"}
    run(open_photos(tmp_path / "in", 8, special), tmp_path / "out")
    write_photos(tmp_path / "in", 8, {6: "missing"})
    items = open_list(str(tmp_path / "in" / "list.csv"), "restore")
    assert run(items, tmp_path / "out").recorded == 0
    summary = run(items, tmp_path / "out", retry_failed=True)
    assert (summary.recorded, summary.done, summary.failed) == (4, 7, 1)
    found = rows(tmp_path / "out")
    assert [row["number"] for row in found] == list(range(8)) and len(pictures(tmp_path / "out")) == 7


def test_when_nothing_can_be_done_the_exit_code_says_so(tmp_path):
    summary = run(open_photos(tmp_path / "in", 2, {0: "missing", 1: "missing"}), tmp_path / "out")
    assert (summary.exit_code, summary.failed) == (2, 2) and summary.report.exists()


def test_the_number_of_workers_changes_no_picture(tmp_path):
    items = open_photos(tmp_path / "in", 10)
    for workers in (1, 3):
        run(items, tmp_path / f"{workers}", workers=workers)
    assert pictures(tmp_path / "1") == pictures(tmp_path / "3") and len(pictures(tmp_path / "1")) == 10


def test_shards_hold_what_a_folder_would(tmp_path):
    items = open_photos(tmp_path / "in", 7, {2: "missing"})
    summary = run(items, tmp_path / "out", sink="shards", shard_size=3)
    assert (summary.done, summary.failed) == (6, 1)
    shards = sorted((tmp_path / "out").glob("*.tar"))
    assert [shard.name for shard in shards] == [f"shard-{number:08d}.tar" for number in range(3)]
    names = [name for shard in shards for name in members(shard)]
    assert [name for name in names if name.endswith(".png")] == [
        f"{number:09d}.garment.png" for number in range(7) if number != 2
    ]
    write_photos(tmp_path / "in", 7)
    items = open_list(str(tmp_path / "in" / "list.csv"), "restore")
    assert run(items, tmp_path / "out", sink="shards", shard_size=3, retry_failed=True).done == 7
    assert members(tmp_path / "out" / "shard-00000003.tar")[0] == "000000002.garment.png"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"defaults": {"seed": 5}}, "seed none, and this is seed 5"),
        ({"batch": 3}, "batch 2, and this is batch 3"),
        ({"models": Models(igr="other")}, "igr tiny, and this is igr other"),
        ({"sink": "shards"}, "output folder, and this is output shards"),
    ],
)
def test_other_settings_are_refused(tmp_path, changed, said):
    items = open_photos(tmp_path / "in", 2)
    run(items, tmp_path / "out")
    with pytest.raises(ToileError, match=said):
        run(items, tmp_path / "out", **changed)


def test_another_list_is_refused(tmp_path):
    run(open_photos(tmp_path / "in", 2), tmp_path / "out")
    with pytest.raises(ToileError, match="items 2, and this is items 3"):
        run(open_photos(tmp_path / "more", 3), tmp_path / "out")
    listed = tmp_path / "in" / "list.csv"
    listed.write_text(listed.read_text().replace(",1", ",7"))
    with pytest.raises(ToileError, match="another list, or the list has changed"):
        run(open_list(str(listed), "restore"), tmp_path / "out")


def test_where_it_runs_may_change(tmp_path):
    items = open_photos(tmp_path / "in", 2)
    run(items, tmp_path / "out", models=Models(device="cuda"))
    run(items, tmp_path / "out", models=Models(device="cpu"), workers=2, threads=1, timeout=5.0)


def test_a_model_that_is_not_there_stops_the_run(tmp_path):
    items = open_photos(tmp_path / "in", 2)
    with pytest.raises(ToileError, match="the model is not there"):
        run(items, tmp_path / "out", drawer=missing_model, workers=2)
    assert rows(tmp_path / "out") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch": 0},
        {"workers": 0},
        {"shard_size": 0},
        {"threads": 0},
        {"timeout": 0.0},
        {"address": "auto"},
    ],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ToileError):
        CatalogueSettings(**wrong)


def test_the_run_file_says_how_it_was_made(tmp_path):
    run(open_photos(tmp_path / "in", 2), tmp_path / "out", defaults={"category": "lower"})
    said = json.loads((tmp_path / "out" / "run.json").read_text())
    assert said["task"] == "restore" and said["items"] == 2 and said["settings"] == {"category": "lower"}
    assert rows(tmp_path / "out")[0]["settings"]["category"] == "lower"


def test_of_a_long_list_only_what_is_left_is_read(tmp_path, monkeypatch):
    count, left = 3_000, [7, 8, 2_990, 2_999]
    write_photos(tmp_path / "in", 1)
    listed = tmp_path / "in" / "long.csv"
    listed.write_text("name,photo\n" + "".join(f"item-{number},00000.png\n" for number in range(count)))
    items = open_list(str(listed), "restore")
    with monkeypatch.context() as patch, pytest.raises(ToileError):
        patch.setattr("toile.catalogue.run.Coordinator", refusing)
        run(items, tmp_path / "out", batch=1)
    with (tmp_path / "out" / MANIFEST).open("wb") as file:
        for number in sorted(set(range(count)) - set(left)):
            row = Row(number=number, name=f"item-{number}", state="done", block=number, items=1)
            file.write(row.line())
    asked: list[int] = []
    read = type(items).read

    def watched(self, begin, end):
        asked.extend(range(begin, end))
        return read(self, begin, end)

    with monkeypatch.context() as patch:
        patch.setattr(type(items), "read", watched)
        patch.setattr("toile.catalogue.run.write_report", lambda folder, tally, **_: folder)
        assert run(items, tmp_path / "out", batch=1).recorded == len(left)
    assert asked == left
    assert sorted(path.name for path in (tmp_path / "out" / "pictures").rglob("*.png")) == [
        f"item-{number}.png" for number in sorted(left, key=str)
    ]


def refusing(*arguments, **more):
    raise ToileError("only the folder is wanted")
