import json
import resource

import pytest

from toile.catalogue.manifest import DONE, FAILED, OPEN, Manifest, Row, forget, read_rows
from toile.errors import ToileError


def rows(block: int, numbers, failed=(), **more) -> list[Row]:
    return [
        Row(
            number=number,
            name=f"item {number}",
            state="failed" if number in failed else "done",
            block=block,
            items=len(numbers),
            **more,
        )
        for number in numbers
    ]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "manifest.jsonl"


@pytest.fixture
def manifest(path):
    opened = Manifest(path, 10)
    opened.record(rows(0, [0, 1, 2], failed=[1], settings={"category": "upper"}, seconds=1.5))
    opened.record(rows(5, [9, 4]))
    yield opened
    opened.close()


def test_what_is_recorded_is_known_to_the_next_one(path, manifest):
    again = Manifest(path, 10)
    for one in (manifest, again):
        assert one.states.tolist() == [DONE, FAILED, DONE, OPEN, DONE, OPEN, OPEN, OPEN, OPEN, DONE]
        assert (one.count(DONE), one.count(FAILED), one.next_block) == (4, 1, 6)
        assert [one.knows(block) for block in range(7)] == [True, False, False, False, False, True, False]


def test_a_line_says_all_of_an_item(path, manifest):
    first = next(read_rows(path))
    assert first == {
        "number": 0, "name": "item 0", "state": "done", "seed": None, "settings": {"category": "upper"},
        "seconds": 1.5, "error": None, "output": None, "notes": [], "block": 0, "items": 3, "attempts": 1,
    }  # fmt: skip
    assert [row["number"] for row in read_rows(path)] == [0, 1, 2, 9, 4]


def test_of_a_block_that_was_cut_short_at_any_byte_nothing_remains(path, manifest):
    whole = path.read_bytes()
    start = whole.index(b'{"number": 9')
    for end in range(start, len(whole)):
        path.write_bytes(whole[:end])
        again = Manifest(path, 10)
        assert again.count(DONE) + again.count(FAILED) == 3 and not again.knows(5)
        assert path.read_bytes() == whole[:start]
        again.record(rows(5, [9, 4]))
        again.close()
        assert path.read_bytes() == whole


def test_nothing_is_recorded_twice(path, manifest):
    before = path.read_bytes()
    for numbers in ([4, 5], [6, 6]):
        with pytest.raises(ValueError, match="recorded already"):
            manifest.record(rows(6, numbers))
    assert path.read_bytes() == before


def test_on_a_full_disk_a_block_is_recorded_whole_or_not_at_all(path, manifest):
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, hard))
    try:
        with pytest.raises(ToileError, match=r"manifest.jsonl cannot be written.*make room"):
            manifest.record(rows(6, [5, 6]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    manifest.record(rows(6, [5, 6]))
    assert Manifest(path, 10).count(DONE) == 6


def test_failures_are_forgotten(path, manifest):
    manifest.close()
    assert forget(path, lambda row: row["state"] == "failed") == 1
    again = Manifest(path, 10)
    assert again.states[[0, 1, 2]].tolist() == [DONE, OPEN, DONE]
    assert again.knows(0) and again.next_block == 6
    assert [row["items"] for row in read_rows(path)] == [2, 2, 2, 2]
    assert forget(path, lambda row: row["block"] == 0) == 2
    assert not Manifest(path, 10).knows(0)


@pytest.mark.parametrize(
    "line", [b"nonsense", b"[]", b"{}", b'{"number": 1, "state": "lost", "block": 0, "items": 1}']
)
def test_a_file_that_is_no_manifest_is_refused(path, line):
    path.write_bytes(line + b"\n")
    with pytest.raises(ToileError, match=r"manifest.jsonl, line 1, is no row"):
        Manifest(path, 10)


def test_rows_of_a_longer_list_are_refused(path, manifest):
    with pytest.raises(ToileError, match="belongs to another list"):
        Manifest(path, 9)


def test_a_long_manifest_takes_a_byte_an_item(path):
    line = json.dumps({"number": 0, "state": "done", "block": 0, "items": 1})
    path.write_text(line + "\n")
    assert Manifest(path, 1_000_000).states.nbytes == 1_000_000
