"""What files a dataset holds: which pair each belongs to, which are missing, and names that make trouble."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from toile.data.doctor.findings import Finding
from toile.data.doctor.layout import OF_PERSON, PICTURES, Layout, Role, RoleFolder
from toile.data.parse_labels import LabelSet
from toile.data.record import Category


class DataFile(NamedTuple):
    """A file of a pair."""

    name: str
    """Relative to the root, with / between its parts; a shard's member is SHARD/MEMBER."""
    role: Role
    """What it is to its pair."""
    folder: str
    """The folder of the layout that it lies in, since two folders may share a role."""
    offset: int = -1
    """Where it starts in its shard, in bytes; -1 for a file of its own."""
    length: int = 0
    """How many bytes a shard's member has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """The files that belong together: a person, a garment, and what was made from them."""

    identifier: str
    """As readers name the pair."""
    group: str
    """The split, category or shard that holds it."""
    category: Category | None
    """What is worn; None when the layout does not say."""
    files: tuple[DataFile, ...]
    """Its files, at least one."""
    label_set: LabelSet | None = None
    """The labels of its parse map, where they are not the layout's."""

    def first(self, role: Role) -> DataFile | None:
        """Its first file of a role."""
        return next((file for file in self.files if file.role == role), None)


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """All files of a dataset, sorted into pairs."""

    items: list[Item]
    """In the order of groups and identifiers."""
    counts: Counter[str]
    """How many files each folder holds."""
    findings: list[Finding]
    """What names and missing files told."""


def take_inventory(root: Path, layout: Layout) -> Inventory:
    """List a dataset's files by pair. Nothing is opened, and no link out of the root is followed.

    Args:
        root: the dataset's folder, free of links itself.
        layout: the layout to read it by.
    """
    findings: list[Finding] = []
    counts: Counter[str] = Counter()
    parts: defaultdict[tuple[str, str], list[DataFile]] = defaultdict(list)
    for group in layout.present(root):
        findings += _unknown_folders(root, layout, group)
        for folder in dict.fromkeys(known.folder for known in layout.folders):
            place = PurePosixPath(group) / folder
            rules = [known for known in layout.folders if known.folder == folder]
            names = list(_safe_files(root, place, findings))
            if not names and folder in layout.needed and _is_real_folder(root / place):
                findings.append(Finding(code="folder-empty", file=str(place), detail=_deeper(root / place)))
            for name in names:
                file, identifier = _classify(place / name, rules)
                if file is None:
                    findings.append(Finding(code="file-unknown", file=str(place / name)))
                else:
                    parts[group, identifier].append(file)
                    counts[str(place)] += 1
    items = [
        Item(
            identifier=_full(layout, group, stem),
            group=group,
            category=layout.groups[group],
            files=tuple(files),
        )
        for (group, stem), files in sorted(parts.items())
    ]
    findings += _incomplete(items)
    return Inventory(items=items, counts=counts, findings=findings)


def _full(layout: Layout, group: str, stem: str) -> str:
    """The identifier that readers give to a pair: a category's folder is part of it, a split is not."""
    return stem if group in layout.splits or not group else f"{group}/{stem}"


def _unknown_folders(root: Path, layout: Layout, group: str) -> Iterator[Finding]:
    known = {folder.folder for folder in layout.folders} | set(layout.groups)
    for entry in sorted(os.scandir(root / group), key=lambda entry: entry.name):
        if entry.is_dir(follow_symlinks=False) and entry.name not in known | {"annotations"}:
            yield Finding(code="folder-unknown", file=str(PurePosixPath(group) / shown(entry.name)))


def _safe_files(root: Path, place: PurePosixPath, findings: list[Finding]) -> Iterator[str]:
    """The names of a folder's files that can be opened safely; what is odd about the others is found."""
    if not (root / place).is_dir():
        if (root / place).is_symlink():
            findings.append(Finding(code="link-broken", file=str(place)))
        return
    if _leaves(root, root / place):
        findings.append(_outside(root, place))
        return
    seen: dict[str, str] = {}
    for entry in sorted(os.scandir(root / place), key=lambda entry: entry.name):
        name = str(place / shown(entry.name))
        odd = _odd_name(entry.name)
        if odd is not None:
            findings.append(Finding(code=odd, file=name, detail=ascii(entry.name)))
            if odd != "name-with-space":
                continue
        twin = seen.setdefault(entry.name.casefold(), entry.name)
        if twin != entry.name:
            findings.append(Finding(code="name-collision", file=name, beside=(str(place / twin),)))
        if entry.is_symlink() and not os.path.exists(entry.path):
            findings.append(Finding(code="link-broken", file=name, detail=f"to {os.readlink(entry.path)}"))
        elif entry.is_symlink() and _leaves(root, Path(entry.path)):
            findings.append(_outside(root, place / entry.name))
        elif entry.is_file():
            yield entry.name
        else:
            findings.append(Finding(code="folder-unknown", file=name))


def shown(name: str) -> str:
    """A file's name as it can be printed: control characters and bytes that are no UTF-8 as escapes."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _deeper(path: Path) -> str:
    """Says where the files may be that a folder was thought to hold."""
    folders = sorted(shown(entry.name) for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False))
    return f"it holds folders instead, which are not looked into: {', '.join(folders[:5])}" if folders else ""


def _is_real_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _odd_name(name: str) -> str | None:
    try:
        name.encode()
    except UnicodeEncodeError:
        return "name-undecodable"
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        return "name-newline"
    return "name-with-space" if len(name.split()) > 1 or name != name.strip() else None


def _leaves(root: Path, path: Path) -> bool:
    return not path.resolve().is_relative_to(root)


def _outside(root: Path, place: PurePosixPath) -> Finding:
    return Finding(code="link-outside", file=str(place), detail=f"to {(root / place).resolve()}")


def _classify(path: PurePosixPath, rules: list[RoleFolder]) -> tuple[DataFile | None, str]:
    """The file with its role, and the stem of its pair; no file where no rule fits its name."""
    for rule in rules:
        endings = frozenset({".json"}) if rule.role == "pose" else PICTURES
        for suffix in rule.suffixes:
            if path.suffix.lower() in endings and path.stem.endswith(suffix) and path.stem != suffix:
                stem = path.stem[: len(path.stem) - len(suffix)]
                return DataFile(str(path), rule.role, rule.folder), stem
    return None, ""


def _incomplete(items: list[Item]) -> Iterator[Finding]:
    """Photos that lack what others have, and what was made from pictures that are gone."""
    usual: defaultdict[str, set[tuple[str, Role]]] = defaultdict(set)
    for item in items:
        usual[item.group] |= {(file.folder, file.role) for file in item.files}
    for item in items:
        has = {file.folder for file in item.files}
        lacking: defaultdict[str, list[str]] = defaultdict(list)
        for folder, role in sorted(usual[item.group]):
            if role not in OF_PERSON and role != "silhouette":
                continue
            of = item.first("person" if role in OF_PERSON else "garment")
            if of is not None and folder not in has:
                lacking[of.name].append(folder)
            elif of is None and folder in has:
                orphan = next(file.name for file in item.files if file.folder == folder)
                yield Finding(code="condition-orphan", file=orphan, identifier=item.identifier)
        for name, folders in lacking.items():
            detail = f"none in {', '.join(folders)}"
            yield Finding(code="condition-missing", file=name, detail=detail, identifier=item.identifier)
