"""Which sets a participant is shown, what was answered, and which forms count."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toile.data.json_lines import read_lines
from toile.errors import ToileError
from toile.evaluation.study.files import ANSWERS, Study, StudyItem

LONGEST_NAME = 60
"""Letters of a participant's name."""
Slot = tuple[str, int]
"""A set's name, and a question's number."""


@dataclass(frozen=True, kw_only=True)
class ShownSet:
    """One set as one participant sees it."""

    item: StudyItem
    """The set."""
    results: tuple[str, ...]
    """Its pictures' names in the order they are shown."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """Everything that one participant has answered."""

    participant: str
    """Who."""
    choices: Mapping[Slot, str]
    """The picture that was chosen, for each set and question; the last answer counts."""
    letters: tuple[int, ...]
    """The places of the chosen pictures among those shown, in the order of the form."""
    complete: bool
    """Whether nothing is left to answer."""


def check_participant(name: object) -> str:
    """A participant's name without spaces around it.

    Raises:
        ToileError: when it is empty, too long, or no printable text.
    """
    if (
        not isinstance(name, str)
        or not name.strip().isprintable()
        or not 0 < len(name.strip()) <= LONGEST_NAME
    ):
        raise ToileError(f"a participant's name has 1 to {LONGEST_NAME} printable letters")
    return name.strip()


def shown_sets(study: Study, participant: str) -> tuple[ShownSet, ...]:
    """The sets of a participant, in order, and the order of results in each; always the same for one name.

    Every group gives equally many sets, as far as it has them.

    Source: AnyDressing, Sec. 5.3 (25 single-garment and 25 multi-garment results), 7.3 (shuffled order).
    """
    dice = random.Random(f"{study.seed} {participant}")
    groups: dict[int, list[StudyItem]] = {}
    for item in study.items:
        groups.setdefault(item.group, []).append(item)
    for items in groups.values():
        dice.shuffle(items)
    dealt: list[StudyItem] = []
    while len(dealt) < min(study.sets, len(study.items)):
        for group in sorted(groups):
            dealt += [groups[group].pop()] if groups[group] else []
    dealt = dealt[: study.sets]
    dice.shuffle(dealt)
    return tuple(
        ShownSet(item=item, results=tuple(dice.sample(item.results, len(item.results)))) for item in dealt
    )


def check_answer(study: Study, request: Mapping[str, Any]) -> dict[str, object]:
    """An answer as it is kept, from what the page sends.

    Raises:
        ToileError: when it answers nothing that this participant is asked.
    """
    participant = check_participant(request.get("participant"))
    item, question, choice = (request.get(name) for name in ("item", "question", "choice"))
    shown = next((s for s in shown_sets(study, participant) if s.item.identifier == item), None)
    if shown is None or choice not in shown.results:
        raise ToileError(
            "the answer is about a picture that this participant is not shown; load the page anew"
        )
    if type(question) is not int or not 0 <= question < len(study.questions):
        raise ToileError(f"there is no question {question!r}; load the page anew")
    return {"participant": participant, "item": item, "question": question, "choice": choice}


def read_forms(study: Study, folder: Path) -> tuple[Form, ...]:
    """Every participant's form, in the order of their first answers.

    Raises:
        ToileError: when a line is no answer to this study.
    """
    path = folder / ANSWERS
    chosen: dict[str, dict[Slot, str]] = {}
    for number, line in enumerate(read_lines(path) if path.exists() else [], 1):
        try:
            answer = check_answer(study, line)
        except ToileError as error:
            raise ToileError(f"{path}, line {number}: {error}") from error
        slots = chosen.setdefault(str(answer["participant"]), {})
        slots[str(answer["item"]), int(str(answer["question"]))] = str(answer["choice"])
    return tuple(_form(study, participant, choices) for participant, choices in chosen.items())


def _form(study: Study, participant: str, choices: Mapping[Slot, str]) -> Form:
    shown = shown_sets(study, participant)
    letters = [
        one.results.index(choices[one.item.identifier, question])
        for one in shown
        for question in range(len(study.questions))
        if (one.item.identifier, question) in choices
    ]
    complete = len(letters) == len(shown) * len(study.questions)
    return Form(participant=participant, choices=choices, letters=tuple(letters), complete=complete)


def invalid_forms(forms: Sequence[Form]) -> dict[str, str]:
    """The participants whose forms do not count, and why.

    "Responses where all answers had the same selection and responses with completely identical answers were
    considered invalid" (AnyDressing, Sec. 7.3). `Ours:` the same selection is the same letter throughout:
    always the same method may be honest. Two forms are identical when all their letters are, although
    pictures were shuffled for each alone, or when they choose the same pictures in the same sets; neither
    counts then. Forms of a single answer are never called so, and unfinished ones do not count either.
    """
    reasons = {form.participant: "not finished" for form in forms if not form.complete}
    finished = [form for form in forms if form.complete and len(form.letters) > 1]
    for form in finished:
        others = [other for other in finished if other is not form]
        if len(set(form.letters)) == 1:
            reasons[form.participant] = f"every answer is the same letter, {letter(form.letters[0])}"
            continue
        twin = next((o for o in others if o.letters == form.letters or o.choices == form.choices), None)
        if twin is not None:
            reasons[form.participant] = f"identical to the form of {twin.participant}"
    return reasons


def letter(place: int) -> str:
    """What the page calls the result at that place: A, B, ..."""
    return chr(ord("A") + place)
