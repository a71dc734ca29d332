"""What could not be read is noted once, whoever meets it."""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from toile.data.faults import FaultLog
from toile.errors import ToileError


def note(folder: Path, identifier: str) -> bool:
    """What a process does that meets a broken pair."""
    return FaultLog(folder).note("set", identifier, ToileError("it is\nbroken"))


def test_a_fault_is_told_once(tmp_path: Path, capsys) -> None:
    log = FaultLog(tmp_path / "faults")
    assert log.summary() == ""
    assert note(log.folder, "b") and not note(log.folder, "b") and note(log.folder, "a")
    assert capsys.readouterr().err.splitlines() == [
        "toile: b is skipped: it is broken",
        "toile: a is skipped: it is broken",
    ]
    assert [fault["identifier"] for fault in log.faults()] == ["a", "b"]
    assert log.summary() == f"2 pairs could not be read and gave way to others: a, b; see {log.folder}"


def test_several_processes_tell_it_once(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3) as pool:
        said = list(pool.map(note, [tmp_path] * 12, ["x", "y"] * 6))
    assert sum(said) == 2
    assert len(FaultLog(tmp_path).faults()) == 2


def test_many_faults_are_counted_and_not_all_named(tmp_path: Path) -> None:
    for number in range(8):
        note(tmp_path, f"n{number}")
    assert "8 pairs" in FaultLog(tmp_path).summary() and "n4 and 3 more" in FaultLog(tmp_path).summary()


def test_an_unfinished_note_still_counts(tmp_path: Path) -> None:
    (tmp_path / "abc.json").write_text("")
    assert FaultLog(tmp_path).faults()[0]["identifier"] == "abc"
