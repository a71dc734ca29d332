"""Makes a blind study from folders of results: one folder a method, files of the same names."""

import json
import random
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from toile.data.json_lines import read_lines
from toile.errors import ToileError
from toile.evaluation.study.files import PICTURES, STUDY, Study, StudyItem, StudyKey, write_study
from toile.evaluation.study.questions import QUESTIONS, Question
from toile.images import load_photo
from toile.whole import whole_folder

SETS = 50
"""Sets that each participant is shown. Source: AnyDressing, Sec. 7.3."""
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp"})
"""Files that are pictures."""
NAMED = 3
"""So many names are said when files are missing."""


def make_study(
    folders: Sequence[Path],
    output: Path,
    *,
    inputs: Sequence[Path] = (),
    prompts: Mapping[str, str] | None = None,
    questions: Sequence[Question] = QUESTIONS,
    sets: int = SETS,
    seed: int | None = None,
) -> Study:
    """Make a study.

    Pictures are written anew under random names, without what their files say about themselves. Files in
    subfolders form groups, of which each participant is shown equally many sets (the paper: 25 single-garment
    and 25 multi-garment ones).

    Args:
        folders: the methods' results; a folder's name is the method's.
        output: the study's folder, which must not exist, or be empty.
        inputs: folders of reference pictures, named as the results; each gives one picture a set.
        prompts: what each result was made from, by the file's name without its suffix.
        questions: what is asked; those about a prompt are left out when there are no prompts.
        sets: how many sets each participant is shown, at most.
        seed: decides every random name and order; None draws one.

    Raises:
        ToileError: when there are not two methods, or files do not match, or cannot be read.
    """
    methods = _methods(folders)
    _check_output(output)
    prompts = prompts or {}
    asked = tuple(question for question in questions if prompts or not question.needs_prompt)
    found = {method: pictures_in(folder) for method, folder in methods.items()}
    references = [pictures_in(folder) for folder in inputs]
    names = _common(found, {str(folder): of for folder, of in zip(inputs, references, strict=True)}, prompts)
    if not asked or sets < 1:
        raise ToileError(f"{len(asked)} questions about {sets} sets are no study; ask at least one of each")
    drawn = secrets.randbits(48) if seed is None else seed
    order = random.Random(f"order {drawn}").getrandbits(48)
    try:
        with whole_folder(output.resolve()) as beside:
            items, key = _written(names, found, references, prompts, random.Random(f"names {drawn}"), beside)
            study = Study(questions=asked, items=items, sets=sets, seed=order)
            write_study(study, key, beside)
    except OSError as error:
        raise ToileError(f"{output} cannot be written ({error.strerror or error})") from error
    return study


def _methods(folders: Sequence[Path]) -> dict[str, Path]:
    methods = {folder.resolve().name: folder for folder in folders}
    if len(folders) < 2:
        raise ToileError(
            f"{len(folders)} folders of results leave no choice; give at least two, one a method"
        )
    if len(methods) < len(folders):
        raise ToileError("two folders have one name, which is the method's in the table; rename one")
    return methods


def _check_output(output: Path) -> None:
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        what = "holds a study already" if (output / STUDY).exists() else "holds something else"
        raise ToileError(f"{output} {what}; give a new folder, so that no answer is lost")


def pictures_in(folder: Path) -> dict[str, Path]:
    """The pictures in a folder and its subfolders, by path without suffix: `multi/001`.

    Raises:
        ToileError: when there is no such folder, no picture in it, or two of one name.
    """
    if not folder.is_dir():
        raise ToileError(f"{folder} is no folder; give a folder of pictures")
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            name = path.relative_to(folder).with_suffix("").as_posix()
            if name in found:
                raise ToileError(f"{found[name]} and {path} have one name; keep one of them")
            found[name] = path
    if not found:
        raise ToileError(f"{folder} holds no pictures; a study shows PNG, JPEG or WebP files")
    return found


def _common(
    found: Mapping[str, Mapping[str, Path]],
    references: Mapping[str, Mapping[str, Path]],
    prompts: Mapping[str, str],
) -> list[str]:
    """The names of all sets; every method, input and prompt must have each."""
    names = sorted({name for of_method in found.values() for name in of_method})
    sources: dict[str, Mapping[str, object]] = {**found, **references}
    if prompts:
        sources["the list of prompts"] = prompts
    for source, of_source in sources.items():
        missing = [name for name in names if name not in of_source]
        if missing:
            said = ", ".join(missing[:NAMED]) + (
                f" and {len(missing) - NAMED} more" if missing[NAMED:] else ""
            )
            raise ToileError(f"{source} has nothing for {said}; every method needs the same names")
    return names


def _written(
    names: Sequence[str],
    found: Mapping[str, Mapping[str, Path]],
    references: Sequence[Mapping[str, Path]],
    prompts: Mapping[str, str],
    dice: random.Random,
    folder: Path,
) -> tuple[tuple[StudyItem, ...], StudyKey]:
    """Write every picture under a random name, and say which is which."""
    (folder / PICTURES).mkdir()
    groups = sorted({_group(name) for name in names})
    opaque = _random_names(dice)
    items: list[StudyItem] = []
    methods: dict[str, str] = {}
    files: dict[str, str] = {}
    for name in names:
        results = {_copied(of_method[name], next(opaque), folder): m for m, of_method in found.items()}
        item = StudyItem(
            identifier=next(opaque),
            group=groups.index(_group(name)),
            prompt=prompts.get(name, ""),
            inputs=tuple(_copied(of_one[name], next(opaque), folder) for of_one in references),
            results=tuple(sorted(results)),
        )
        items.append(item)
        methods |= results
        files[item.identifier] = name
    shuffled = tuple(sorted(items, key=lambda item: item.identifier))
    return shuffled, StudyKey(methods=tuple(found), pictures=methods, items=files)


def _group(name: str) -> str:
    return name.rpartition("/")[0]


def _random_names(dice: random.Random) -> Iterator[str]:
    seen: set[str] = set()
    while True:
        name = f"{dice.getrandbits(48):012x}"
        if name not in seen:
            seen.add(name)
            yield name


def _copied(path: Path, name: str, folder: Path) -> str:
    """Write a picture's pixels, and nothing else of it, under another name."""
    picture = load_photo(path)
    picture.info.clear()
    picture.save(folder / PICTURES / f"{name}.png", format="PNG")
    return name


def read_prompts(path: Path) -> dict[str, str]:
    """Read what results were made from: a JSON object, or JSON lines with `identifier` and `prompt`.

    Raises:
        ToileError: when the file is neither.
    """
    try:
        if path.suffix == ".json":
            found = json.loads(path.read_text(encoding="utf-8"))
            pairs = list(found.items())
        else:
            pairs = [(row["identifier"], row["prompt"]) for row in read_lines(path)]
        if not pairs or not all(isinstance(text, str) and text for pair in pairs for text in pair):
            raise ValueError("not every name has a text")
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise ToileError(
            f"{path} holds no prompts ({error}); write a JSON object, or JSON lines with identifier, prompt"
        ) from error
    return dict(pairs)
