import math
import re
from pathlib import Path

import pytest
from tests.evaluation.study.answering import fill, prefer

from toile.errors import ToileError
from toile.evaluation.study.files import read_key
from toile.evaluation.study.tally import tally_study, tally_to_latex, tally_to_markdown


def of_method(folder: Path, methods: list[str]):
    """One method for each question."""
    key = read_key(folder)
    return lambda shown, question: next(
        name for name in shown.results if key.pictures[name] == methods[question % len(methods)]
    )


@pytest.fixture
def answered(study_folder: Path) -> Path:
    """Two honest forms, one of a single letter, one not finished."""
    fill(study_folder, "Ann", of_method(study_folder, ["secret-ours"]))
    fill(study_folder, "Bea", of_method(study_folder, ["secret-ours", "secret-third"]))
    fill(study_folder, "Cid", lambda shown, _: shown.results[0])
    fill(study_folder, "Dan", prefer(study_folder, "secret-theirs"), leave_out=3)
    return study_folder


def test_shares_are_those_of_the_valid_forms(answered: Path) -> None:
    tally = tally_study(answered)
    assert tally.valid == 2 and tally.invalid.keys() == {"Cid", "Dan"}
    shares = {method: [share.value for share in of_one] for method, of_one in tally.shares.items()}
    assert shares == {
        "secret-ours": [100, 50, 100, 50],
        "secret-theirs": [0, 0, 0, 0],
        "secret-third": [0, 50, 0, 50],
    }
    ours = tally.shares["secret-ours"]
    assert (ours[0].low, ours[0].high) == (100, 100) and (ours[1].low, ours[1].high) == (0, 100)


def test_the_table_has_the_papers_form(answered: Path) -> None:
    lines = tally_to_markdown(tally_study(answered)).splitlines()
    heads = ("Method", "Texture Consistency ↑", "Align with Prompt ↑", "Image Quality ↑")
    assert lines[0] == f"| {' | '.join((*heads, 'Comprehensive Evaluation ↑'))} |"
    assert lines[2].startswith("| secret-ours | **100.00%** \\[100.00, 100.00\\] | **50.00%** ")
    assert "2 valid forms, 2 left out" in lines[-1]
    latex = tally_to_latex(tally_study(answered))
    assert "\\textbf{100.00\\%} {\\scriptsize [100.00, 100.00]}" in latex
    assert len(re.findall(r"(?<!\\)&", latex)) == 4 * 4


def test_one_participant_has_no_interval(study_folder: Path) -> None:
    fill(study_folder, "Ann", prefer(study_folder, "secret-ours"))
    tally = tally_study(study_folder)
    assert math.isnan(tally.shares["secret-ours"][0].low)
    assert "**100.00%** |" in tally_to_markdown(tally)


def test_without_a_valid_form_there_is_no_table(study_folder: Path) -> None:
    with pytest.raises(ToileError, match="nobody has answered"):
        tally_study(study_folder)
    fill(study_folder, "Cid", lambda shown, _: shown.results[0])
    with pytest.raises(ToileError, match="Cid: every answer is the same letter, A"):
        tally_study(study_folder)
