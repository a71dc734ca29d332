"""Fills in forms of a study, one method or one letter at a time."""

import json
from collections.abc import Callable
from pathlib import Path

from toile.evaluation.study.files import Study, read_key, read_study
from toile.evaluation.study.forms import ShownSet, shown_sets

Choose = Callable[[ShownSet, int], str]
"""Gives the picture that is chosen for a set and a question."""


def answers(study: Study, participant: str, choose: Choose, leave_out: int = 0) -> list[dict[str, object]]:
    """The lines of a form, without the last `leave_out` ones."""
    lines = [
        {
            "participant": participant,
            "item": shown.item.identifier,
            "question": question,
            "choice": choose(shown, question),
        }
        for shown in shown_sets(study, participant)
        for question in range(len(study.questions))
    ]
    return lines[: len(lines) - leave_out]


def write_answers(folder: Path, lines: list[dict[str, object]]) -> None:
    with (folder / "answers.jsonl").open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def prefer(folder: Path, method: str) -> Choose:
    """Always the picture of that method."""
    key = read_key(folder)
    return lambda shown, _: next(name for name in shown.results if key.pictures[name] == method)


def fill(folder: Path, participant: str, choose: Choose, leave_out: int = 0) -> None:
    write_answers(folder, answers(read_study(folder), participant, choose, leave_out))
