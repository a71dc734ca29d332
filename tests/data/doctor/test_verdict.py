"""What findings come to: counts, exit codes, JSON, text and the list of exclusions."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from toile.data.doctor import verdict
from toile.data.doctor.findings import KINDS, Finding
from toile.data.doctor.printed import to_lines
from toile.data.doctor.verdict import Report, Tally, write_exclusions, write_json
from toile.data.exclusions import read_exclusions
from toile.errors import ToileError


def report(*findings: Finding) -> Report:
    tally = Tally()
    tally.add(findings)
    return Report(
        path=Path("set"), layout="VITON-HD", recognised=True, pairs=2, counts={"train/image": 2},
        groups=tally.groups(), excluded=sorted(tally.excluded), seconds=0.5,
    )  # fmt: skip


FAULT = Finding(code="mask-empty", file="train/agnostic-mask/[b].png", detail="every value is 0")
WARNING = Finding(code="near-leak", file="train/image/a.jpg", beside=("test/image/c.jpg",), identifier="a")
NOTE = Finding(code="file-unknown", file="train/image/x.db")


@pytest.mark.parametrize(
    ("findings", "code", "says"),
    [
        ((), 0, "nothing wrong"),
        ((NOTE,), 0, "nothing wrong"),
        ((NOTE, WARNING), 1, "1 warning"),
        ((WARNING, FAULT), 2, "Begin with mask-empty"),
    ],
)
def test_exit_codes_and_verdicts(findings: tuple[Finding, ...], code: int, says: str) -> None:
    assert report(*findings).exit_code == code
    assert says in report(*findings).verdict()


def test_the_worst_come_first_and_repetitions_once() -> None:
    groups = report(NOTE, WARNING, FAULT, FAULT).groups
    assert [(group.kind.code, group.count) for group in groups] == [
        ("mask-empty", 1), ("near-leak", 1), ("file-unknown", 1),
    ]  # fmt: skip


def test_lines_of_a_list_are_in_their_order() -> None:
    findings = [Finding(code="list-malformed", file=f"list.txt:{line}") for line in (10, 9, 100)]
    assert [finding.file for finding in report(*findings).groups[0].findings] == [
        "list.txt:9", "list.txt:10", "list.txt:100",
    ]  # fmt: skip


def test_more_than_is_kept_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdict, "KEPT", 3)
    (group,) = report(*(Finding(code="mask-empty", file=str(number)) for number in range(9))).groups
    assert (group.count, len(group.findings)) == (9, 3)


def test_json_and_exclusions_are_read_back(tmp_path: Path) -> None:
    whole = report(WARNING, FAULT)
    write_json(whole, tmp_path / "report.json")
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["exit_code"] == 2
    assert content["findings"][0]["files"][0]["file"] == FAULT.file
    write_exclusions(whole, tmp_path / "exclusions.txt")
    assert read_exclusions(tmp_path / "exclusions.txt") == {"a"}


def test_the_text_names_files_and_advice() -> None:
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    for line in to_lines(report(WARNING, FAULT)):
        console.print(line)
    text = console.export_text()
    for words in (FAULT.file, FAULT.detail, "test/image/c.jpg", "toile mask PHOTO", "Not fit for use"):
        assert words in text


def test_each_kind_says_what_to_do() -> None:
    assert len(KINDS) > 50
    assert all(kind.title and kind.advice for kind in KINDS.values())
    with pytest.raises(ToileError, match="no kind of finding"):
        Finding(code="nonsense", file="a")
