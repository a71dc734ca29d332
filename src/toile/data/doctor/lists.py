"""Reads lists of pairs with suspicion: lines that mean nothing, and files that are not there."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from toile.data.doctor.findings import Finding
from toile.data.doctor.inventory import Inventory
from toile.data.doctor.layout import DRESSCODE, PLAIN_FOLDER, STREET_TRYON, VITON_HD, Layout
from toile.data.street_tryon import FOLDER, TASKS

LINE_LIMIT = 1_000_000
"""Ours: a longer line is no line of a list."""
DIGITS = {"0": "upper_body", "1": "lower_body", "2": "dresses"}
"""DressCode's digit for a category, in the third column of the lists at its root."""


@dataclass(frozen=True, kw_only=True)
class ListedPair:
    """A line of a list that could be understood."""

    line: int
    """Its number, from 1."""
    person: str
    """The photo, relative to the root."""
    garment: str
    """The garment, relative to the root; empty where the list names none."""


@dataclass(kw_only=True)
class Listed:
    """What all lists together say."""

    findings: list[Finding] = field(default_factory=list)
    """What is wrong with them."""
    splits: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The splits that each listed picture is in, by name."""

    def splits_of(self, name: str) -> frozenset[str]:
        """The splits that a picture is listed in."""
        return frozenset(self.splits.get(name, ()))


def read_lists(root: Path, layout: Layout, inventory: Inventory) -> Listed:
    """Read every list of pairs of a dataset, and compare it with the files."""
    names = {
        file.name for item in inventory.items for file in item.files if file.role in ("person", "garment")
    }
    own = {
        file.name: item.identifier for item in inventory.items for file in item.files if file.name in names
    }
    listed = Listed()
    lists = dict(_lists(root, layout))
    for path, (group, split) in lists.items():
        pairs = list(_read(root, path, layout, group, listed.findings))
        listed.findings += _check(path.relative_to(root).as_posix(), pairs, names, own)
        for pair in pairs:
            for name in (pair.person, pair.garment):
                if split and name in names:
                    listed.splits[name].add(split)
    listed.findings += _absent(root, layout, lists)
    if lists and layout is not STREET_TRYON:
        listed.findings += _left_out(listed, names, own)
    if layout is PLAIN_FOLDER:
        listed.findings += _unmatched(inventory)
    if layout is VITON_HD:
        listed.findings += _without_garment(root, lists, inventory)
    listed.findings += [
        Finding(code="split-overlap", file=name, identifier=own[name])
        for name, splits in listed.splits.items()
        if len(splits) > 1 and layout is DRESSCODE
    ]
    return listed


def _lists(root: Path, layout: Layout) -> Iterator[tuple[Path, tuple[str, str]]]:
    """The lists that are there, with their group (empty for all groups) and split."""
    if layout is VITON_HD:
        for split in layout.present(root):
            yield from ((path, (split, split)) for path in sorted(root.glob(f"{split}_pairs*.txt")))
    if layout is DRESSCODE:
        for group in ("", *layout.present(root)):
            for split in ("train", "test"):
                yield from (
                    (path, (group, split)) for path in sorted((root / group).glob(f"{split}_pairs*.txt"))
                )
    if layout is STREET_TRYON:
        paths = (root / "annotations" / name for name in TASKS)
        yield from ((path, (FOLDER, "test")) for path in paths if path.is_file())


def _read(
    root: Path, path: Path, layout: Layout, group: str, findings: list[Finding]
) -> Iterator[ListedPair]:
    """The lines of a text list that can be understood."""
    file = path.relative_to(root).as_posix()
    empty = True
    try:
        with path.open("rb") as stream:
            for number, raw in enumerate(iter(lambda: stream.readline(LINE_LIMIT), b""), 1):
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8", "replace").strip()
                words = text.split(",")[1:] if layout is STREET_TRYON and text else text.split()
                if not text or (layout is STREET_TRYON and number == 1):
                    continue
                empty = False
                problem = _problem(words, layout, group)
                if problem is None:
                    yield _pair(words, layout, group, number)
                else:
                    code, detail = problem
                    findings.append(Finding(code=code, file=f"{file}:{number}", detail=detail))
    except OSError as error:
        findings.append(Finding(code="file-unreadable", file=file, detail=error.strerror or str(error)))
        return
    if empty:
        findings.append(Finding(code="list-empty", file=file))


def _problem(words: list[str], layout: Layout, group: str) -> tuple[str, str] | None:
    """The code and detail of a line that cannot be understood."""
    digits = layout is DRESSCODE and not group
    if any("\ufffd" in word or not word.isprintable() for word in words):
        return "list-malformed", f"it is not UTF-8 text: {ascii(' '.join(words))[:80]}"
    if len(words) < 2 or len(words) > (3 if layout is DRESSCODE else 2):
        return "list-malformed", f"{len(words)} names instead of 2: {' '.join(words)[:80]!r}"
    if (digits or len(words) == 3) and (len(words) < 3 or words[2] not in DIGITS):
        return "list-malformed", f"no category 0, 1 or 2 at its end: {' '.join(words)[:80]!r}"
    unsafe = next((word for word in words if escapes(word)), None)
    return None if unsafe is None else ("list-escapes", repr(unsafe))


def escapes(name: str) -> bool:
    """Whether a listed name is absolute, or leads up and out."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or (len(name) > 1 and name[1] == ":")


def _pair(words: list[str], layout: Layout, group: str, number: int) -> ListedPair:
    person, garment = words[:2]
    if layout is VITON_HD:
        return ListedPair(line=number, person=f"{group}/image/{person}", garment=f"{group}/cloth/{garment}")
    if layout is STREET_TRYON:  # who gives the garment, who gets it
        return ListedPair(line=number, person=f"{group}/image/{garment}", garment=f"{group}/image/{person}")
    folder = group or DIGITS[words[2]]
    return ListedPair(line=number, person=f"{folder}/images/{person}", garment=f"{folder}/images/{garment}")


def _check(file: str, pairs: list[ListedPair], names: set[str], own: dict[str, str]) -> Iterator[Finding]:
    """Lines that name files that are not there, or say what an earlier line said."""
    seen: dict[tuple[str, str], int] = {}
    for pair in pairs:
        for name in (pair.person, pair.garment):
            if name and name not in names:
                identifier = own.get(pair.person, "")
                yield Finding(
                    code="list-names-missing", file=f"{file}:{pair.line}", detail=name, identifier=identifier
                )
        first = seen.setdefault((pair.person, pair.garment), pair.line)
        if first != pair.line:
            yield Finding(
                code="list-repeats", file=f"{file}:{pair.line}", detail=f"it says what line {first} says"
            )


def _absent(root: Path, layout: Layout, lists: Iterable[Path]) -> Iterator[Finding]:
    """Splits and categories without a list, or without one of true pairs."""
    there = {path.relative_to(root).as_posix() for path in lists}
    if layout is VITON_HD:
        for split in layout.present(root):
            if f"{split}_pairs.txt" not in there:
                yield Finding(code="list-missing", file=f"{split}_pairs.txt")
    if layout is STREET_TRYON and not there:
        yield from (Finding(code="list-missing", file=f"annotations/{name}") for name in TASKS)
    if layout is DRESSCODE:
        for group in layout.present(root):
            mine = {name for name in there if PurePosixPath(name).parent.as_posix() in (group, ".")}
            if not mine:
                yield Finding(code="list-missing", file=f"{group}/train_pairs.txt")
            elif all(name.endswith("_unpaired.txt") for name in mine):
                yield Finding(code="list-unpaired-only", file=group, detail=", ".join(sorted(mine)))


def _left_out(listed: Listed, names: set[str], own: dict[str, str]) -> Iterator[Finding]:
    for name in sorted(names - listed.splits.keys()):
        yield Finding(code="list-leaves-out", file=name, identifier=own[name])


def _without_garment(
    root: Path, lists: dict[Path, tuple[str, str]], inventory: Inventory
) -> Iterator[Finding]:
    """Photos on VITON-HD's list of pairs whose own garment, of the same stem, is not there."""
    groups = {group for path, (group, _) in lists.items() if path.name == f"{group}_pairs.txt"}
    for item in inventory.items:
        photo = item.first("person")
        if item.group in groups and photo is not None and item.first("garment") is None:
            yield Finding(code="person-without-garment", file=photo.name, identifier=item.identifier)


def _unmatched(inventory: Inventory) -> Iterator[Finding]:
    """Photos and garments of a plain folder that have no partner of their name."""
    if not any(item.first("person") and item.first("garment") for item in inventory.items):
        yield Finding(code="pairs-none", file="persons", detail="nor has any garment a photo")
    for item in inventory.items:
        photo, garment = item.first("person"), item.first("garment")
        if photo is not None and garment is None:
            yield Finding(code="person-without-garment", file=photo.name, identifier=item.identifier)
        if garment is not None and photo is None:
            yield Finding(code="garment-without-person", file=garment.name, identifier=item.identifier)
