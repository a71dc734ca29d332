"""What lies in a study's folder: what is served, and the key to it, which never is.

`study.json` and `pictures/` are what the page may see: numbers and random names alone. `key.json` says which
method drew which picture; `answers.jsonl` grows by a line for each answer.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from toile.errors import ToileError
from toile.evaluation.study.questions import Question
from toile.files import write_text

STUDY, KEY, ANSWERS, PICTURES = "study.json", "key.json", "answers.jsonl", "pictures"
"""Names in the folder; only `PICTURES` and what `STUDY` holds ever reach the page."""
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class StudyItem:
    """One set of results that is shown together."""

    identifier: str
    """A random name."""
    group: int
    """Sets of each group are shown equally often (single garments, several garments)."""
    prompt: str
    """What the results were made from; empty for none."""
    inputs: tuple[str, ...]
    """Random names of the reference pictures."""
    results: tuple[str, ...]
    """Random names of the results, sorted by these names, so that their order says nothing."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """A study as the page may know it: nothing in it says which method drew what."""

    questions: tuple[Question, ...]
    """What is asked about each set."""
    items: tuple[StudyItem, ...]
    """Every set."""
    sets: int
    """How many sets each participant is shown."""
    seed: int
    """Decides, with a participant's name, which sets are shown and in what order."""


@dataclass(frozen=True, kw_only=True)
class StudyKey:
    """Which method drew which picture."""

    methods: tuple[str, ...]
    """In the table's order."""
    pictures: Mapping[str, str]
    """The method of each result, by the picture's random name."""
    items: Mapping[str, str]
    """What each set's files are called, by its random name."""


def write_study(study: Study, key: StudyKey, folder: Path) -> None:
    """Write both files.

    Raises:
        ToileError: when the folder cannot be written.
    """
    for name, content in ((STUDY, asdict(study)), (KEY, asdict(key))):
        text = json.dumps({"format": FORMAT, **content}, indent=1, ensure_ascii=False)
        write_text(text + "\n", folder / name)


def read_study(folder: Path) -> Study:
    """Read the study in a folder.

    Raises:
        ToileError: when there is none.
    """
    content = _read(folder / STUDY)
    try:
        return Study(
            questions=tuple(Question(**question) for question in content["questions"]),
            items=tuple(_item(item) for item in content["items"]),
            sets=int(content["sets"]),
            seed=int(content["seed"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _broken(folder / STUDY, str(error)) from error


def read_key(folder: Path) -> StudyKey:
    """Read the key in a folder.

    Raises:
        ToileError: when there is none.
    """
    content = _read(folder / KEY)
    try:
        return StudyKey(
            methods=tuple(content["methods"]),
            pictures=dict(content["pictures"]),
            items=dict(content["items"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _broken(folder / KEY, str(error)) from error


def _item(content: Mapping[str, Any]) -> StudyItem:
    names: dict[str, Sequence[str]] = {kind: tuple(content[kind]) for kind in ("inputs", "results")}
    return StudyItem(**{**content, **names})


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT}")
    except FileNotFoundError as error:
        raise ToileError(f"{path} does not exist; make a study with `toile study make`") from error
    except (OSError, ValueError) as error:
        raise _broken(path, str(error)) from error
    return content


def _broken(path: Path, reason: str) -> ToileError:
    return ToileError(f"{path} is no study ({' '.join(reason.split())}); make one with `toile study make`")
