import pytest

from toile.errors import ToileError
from toile.evaluation.study.questions import QUESTIONS, Question, parse_questions


def test_without_any_the_papers_four_are_asked() -> None:
    assert parse_questions(()) == QUESTIONS and len(QUESTIONS) == 4
    assert [question.needs_prompt for question in QUESTIONS] == [False, True, False, False]
    assert QUESTIONS[1].about("a cat") == "Which result best matches the prompt “a cat”?"


def test_questions_of_ones_own() -> None:
    assert parse_questions(["Fit: Which fits: A or B?"]) == (
        Question(criterion="Fit", text="Which fits: A or B?"),
    )


@pytest.mark.parametrize("texts", [["no colon"], [": text"], ["criterion:"], ["A: x", "A: y"]])
def test_what_is_no_question_is_refused(texts: list[str]) -> None:
    with pytest.raises(ToileError, match=r"is no question|one criterion"):
        parse_questions(texts)
