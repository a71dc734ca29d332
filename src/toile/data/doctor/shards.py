"""Lists what WebDataset shards hold, header by header, without unpacking any picture."""

import json
import os
import tarfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from toile.data.doctor.findings import Finding
from toile.data.doctor.inventory import DataFile, Inventory, Item, shown
from toile.data.doctor.layout import Role
from toile.data.doctor.lists import escapes
from toile.data.record import CATEGORIES, Category

MEMBER_ROLES: dict[str, Role] = {
    "person": "person", "garment": "garment", "mask": "mask", "silhouette": "silhouette", "parse": "parse",
}  # fmt: skip
"""What a member is, by the part of its name behind the key: KEY.person.jpg."""
NEEDED = ("json", "person", "garment")
"""What no sample can do without."""
JSON_LIMIT = 2**20
"""Ours: a sample's texts are a few kilobytes; more is not read."""


@dataclass(kw_only=True)
class _Sample:
    """What a shard holds of one pair."""

    files: list[DataFile] = field(default_factory=list)
    fields: set[str] = field(default_factory=set)
    identifier: str = ""
    category: Category | None = None


def shard_inventory(root: Path, shards: list[Path]) -> Inventory:
    """List the samples of shards; damaged and unsafe members are found.

    Args:
        root: the folder that the shards lie in.
        shards: the tar files, in order.
    """
    findings: list[Finding] = []
    counts: Counter[str] = Counter()
    items: list[Item] = []
    for shard in shards:
        if not shard.resolve().is_relative_to(root):
            findings.append(Finding(code="link-outside", file=shard.name, detail=f"to {shard.resolve()}"))
            continue
        samples = _samples(shard, findings)
        counts[shard.name] = sum(len(sample.fields) for sample in samples.values())
        for key, sample in samples.items():
            identifier = sample.identifier or key
            lacking = [name for name in NEEDED if name not in sample.fields]
            if lacking:
                detail = f"no {' and no '.join(lacking)}"
                findings.append(_finding("sample-incomplete", f"{shard.name}/{key}", detail, identifier))
            if sample.files:
                files = tuple(sample.files)
                item = Item(identifier=identifier, group=shard.name, category=sample.category, files=files)
                items.append(item)
    return Inventory(items=items, counts=counts, findings=findings)


def _finding(code: str, file: str, detail: str, identifier: str = "") -> Finding:
    return Finding(code=code, file=file, detail=detail, identifier=identifier)


def _samples(shard: Path, findings: list[Finding]) -> dict[str, _Sample]:
    """A shard's members by key, in order."""
    samples: dict[str, _Sample] = {}
    last = ""
    with shard.open("rb") as stream:
        for member in _members(shard, findings):
            name = f"{shard.name}/{shown(member.name)}"
            if not member.isreg() or escapes(member.name) or not member.name.isprintable():
                link = f"a link to {member.linkname!r}" if member.islnk() or member.issym() else ""
                findings.append(_finding("shard-unsafe", name, link))
                continue
            stem, _, ending = PurePosixPath(member.name).name.partition(".")
            key, part = str(PurePosixPath(member.name).parent / stem), ending.partition(".")[0]
            sample = samples.setdefault(key, _Sample())
            if part in sample.fields or (sample.fields and key != last):
                findings.append(_finding("shard-key-repeated", name, f"{key} was there before", key))
            last = key
            sample.fields.add(part)
            if part in MEMBER_ROLES:
                file = DataFile(name, MEMBER_ROLES[part], part, member.offset_data, member.size)
                sample.files.append(file)
            elif part == "json":
                stream.seek(member.offset_data)
                _read_texts(sample, stream.read(min(member.size, JSON_LIMIT + 1)), name, findings)
            else:
                findings.append(_finding("file-unknown", name, "", key))
    return samples


def _members(shard: Path, findings: list[Finding]) -> Iterator[tarfile.TarInfo]:
    """The members of a tar file that are whole, up to where it is damaged."""
    end, size = 0, os.stat(shard).st_size
    try:
        with tarfile.open(shard, "r:") as tar:
            for member in tar:
                end = member.offset_data + (member.size if member.isreg() else 0)
                if end <= size and not member.isdir():
                    yield member
    except Exception as error:  # tarfile meets damage in many ways: ReadError, ValueError, OverflowError...
        findings.append(_finding("shard-damaged", shard.name, " ".join(str(error).split())))
        return
    if size < end + tarfile.BLOCKSIZE:  # a whole tar file ends with blocks of zeros
        findings.append(_finding("shard-damaged", shard.name, "it is cut short"))


def _read_texts(sample: _Sample, data: bytes, name: str, findings: list[Finding]) -> None:
    """Take the identifier and the category from a sample's texts."""
    try:
        if len(data) > JSON_LIMIT:
            raise ValueError(f"more than {JSON_LIMIT:,} bytes")
        row: Any = json.loads(data)
        sample.identifier = str(row.get("identifier", ""))
        sample.category = next(name for name in CATEGORIES if name == row["category"])
    except (ValueError, KeyError, AttributeError, RecursionError, StopIteration) as error:
        said = " ".join(str(error).split()) or "its category is none"
        findings.append(_finding("sample-damaged", name, said, sample.identifier))
