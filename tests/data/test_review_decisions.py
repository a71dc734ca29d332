import pytest
from tests.data.test_curation_file import curation, row

from toile.data.curation_file import decisions_path, write_curation
from toile.data.review_decisions import Decisions, check_names, kept_rows, replay
from toile.errors import ToileError

A, B = ("upper", "00000"), ("upper", "00001")


def test_decisions_survive_and_the_last_one_counts(tmp_path):
    path = tmp_path / "d.jsonl"
    first = Decisions(path)
    first.decide(A, "keep")
    first.decide(B, "skip")
    first.decide(A, "drop")
    assert Decisions(path).made == first.made == {A: "drop", B: "skip"}
    assert len(path.read_text().splitlines()) == 3


def test_undo_takes_back_step_by_step_also_after_a_restart(tmp_path):
    path = tmp_path / "d.jsonl"
    Decisions(path).decide(A, "keep")
    Decisions(path).decide(A, "drop")
    assert Decisions(path).undo() == A
    again = Decisions(path)
    assert again.made == {A: "keep"}
    assert again.undo() == A and again.made == {}
    assert again.undo() is None
    assert replay(path) == ({}, [])


def test_a_line_cut_short_is_not_a_decision(tmp_path):
    path = tmp_path / "d.jsonl"
    Decisions(path).decide(A, "keep")
    with path.open("ab") as file:
        file.write(b'{"category": "upper", "iden')
    assert Decisions(path).made == {A: "keep"}


@pytest.mark.parametrize("line", ['{"category": "upper", "identifier": "a"}', '{"decision": "keep"}'])
def test_a_line_that_is_no_decision_is_named(tmp_path, line):
    (tmp_path / "d.jsonl").write_text(line + "\n")
    with pytest.raises(ToileError, match="line 1"):
        replay(tmp_path / "d.jsonl")


def test_decisions_beside_a_curation_overrule_what_was_measured(tmp_path):
    path = tmp_path / "curation.jsonl"
    write_curation(curation(row(0), row(1, keep=False), row(2), row(3, keep=False)), path)
    assert list(kept_rows(path)) == [("upper", "00000"), ("upper", "00002")]
    log = Decisions(decisions_path(path))
    for key, decision in ((A, "drop"), (B, "keep"), (("upper", "00002"), "skip")):
        log.decide(key, decision)
    assert list(kept_rows(path)) == [("upper", "00001"), ("upper", "00002")]


def test_pairs_of_one_name_are_refused():
    with pytest.raises(ToileError, match="two pairs are called 'twin'"):
        check_names([row(0, identifier="twin"), row(1, identifier="twin")])
