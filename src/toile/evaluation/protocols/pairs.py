"""Opens the pairs that a protocol names, and recognises other ones by their hash."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from toile.data.doll_pairs import DollPairs, DollsMode, doll_pair
from toile.data.open import open_pairs
from toile.dolls import Mode
from toile.errors import ToileError
from toile.evaluation.protocols.dressing_list import read_dressing_list
from toile.evaluation.protocols.exchanged import exchanged_dolls
from toile.evaluation.protocols.protocol import DollRules, PairRules, Protocol
from toile.evaluation.protocols.truths import DollTruth, PairTruth, Truth

PROBES = 4
"""Dolls of each mode whose pixels tell one version of the generator from another."""


@dataclass(frozen=True, kw_only=True)
class OpenedPairs:
    """The items of an evaluation."""

    truths: tuple[Truth, ...]
    """Sorted by identifier."""
    rules: PairRules
    """The protocol's, with the hash and the number of what was opened."""
    deviations: tuple[str, ...]
    """How they differ from what the protocol prescribes; empty when they do not."""


def open_truths(
    protocol: Protocol, data: str | None, *, exclusions: Sequence[str] = (), count: int | None = None
) -> OpenedPairs:
    """Open the pairs of a protocol.

    Args:
        protocol: says which.
        data: a dataset as `toile.data.open_pairs` takes it, a folder with a `dressing.jsonl`; None opens the
            dolls that the protocol prescribes.
        exclusions: identifiers that are left out.
        count: only the first so many, which is not the benchmark any more; of dolls, of each mode.

    Raises:
        ToileError: when there are none, or the data cannot be read.
    """
    rules = protocol.pairs
    found = _opened(protocol, data, count)
    left_out = set(exclusions)
    unknown = left_out - {truth.identifier for truth in found}
    if unknown:
        raise ToileError(f"{sorted(unknown)[0]!r} is to be left out, but no pair is called so; mend the list")
    truths = tuple(sorted((t for t in found if t.identifier not in left_out), key=lambda t: t.identifier))
    if not truths:
        raise ToileError(f"there are no pairs to evaluate in {data}; give the data of {rules.dataset}")
    dolls = rules.dolls
    if dolls is not None:
        drawn = drawing_hash(dolls.first, dolls.modes, dolls.size) if _draws(data) else ""
        dolls = replace(dolls, drawing_sha256=drawn)
    used = replace(
        rules,
        count=len(truths),
        list_sha256=list_hash(truth.line for truth in truths),
        exclusions_sha256=list_hash(left_out) if left_out else "",
        dolls=dolls,
    )
    return OpenedPairs(truths=truths, rules=used, deviations=tuple(_deviations(rules, used)))


def _opened(protocol: Protocol, data: str | None, count: int | None) -> list[Truth]:
    rules, region, task = protocol.pairs, protocol.pictures.region, protocol.task
    if rules.dataset == "dressing":
        return list(islice(read_dressing_list(_folder(data, protocol)), count))
    if rules.dolls is not None and _draws(data):
        return _dolls(protocol, rules.dolls, data, count)
    if data is None:
        raise ToileError(f"{protocol.name} needs its data; give --data with the folder of {rules.dataset}")
    opened = open_pairs(data, split=rules.split or "test", paired=rules.paired)
    pairs = (opened[index] for index in range(len(opened)))
    wanted = islice((pair for pair in pairs if pair.category in rules.categories), count)
    return [PairTruth(pair=pair, task=task, region=region) for pair in wanted]


def _folder(data: str | None, protocol: Protocol) -> Path:
    if data is None:
        raise ToileError(
            f"{protocol.name} needs its data; give --data with a folder that has a dressing.jsonl"
        )
    return Path(data)


def _dolls(protocol: Protocol, rules: DollRules, data: str | None, count: int | None) -> list[Truth]:
    seeds, modes = range(rules.first, rules.first + (count or rules.count)), rules.modes
    if data is not None:
        opened = open_pairs(data)
        if not isinstance(opened, DollPairs):
            raise ToileError(f"{data!r} names no dolls; write dolls:FIRST:COUNT")
        seeds, modes = opened.seeds, (opened.mode,)
    if protocol.pairs.paired:
        return [
            DollTruth(seed=s, mode=m, size=rules.size, task=protocol.task, region=protocol.pictures.region)
            for named in modes
            for s, m in _modes(seeds, named)
        ]
    return [
        PairTruth(pair=pair, task=protocol.task, region=protocol.pictures.region)
        for named in modes
        for pair in exchanged_dolls(seeds, _doll_mode(named), rules.size, protocol.statistics.seed)
    ]


def _modes(seeds: range, named: str) -> list[tuple[int, Mode]]:
    mixed = _doll_mode(named) == "mixed"
    street: Mode = "street"
    return [(s, street if (s % 2 if mixed else named == "street") else "studio") for s in seeds]


def _doll_mode(name: str) -> DollsMode:
    modes: dict[str, DollsMode] = {"studio": "studio", "street": "street", "mixed": "mixed"}
    return modes[name]


def list_hash(lines: Iterable[str]) -> str:
    """sha256 of a list of pairs, whatever its order."""
    return hashlib.sha256("".join(f"{line}\n" for line in sorted(lines)).encode()).hexdigest()


def drawing_hash(first: int, modes: Sequence[str], size: tuple[int, int]) -> str:
    """sha256 of the pictures of the first dolls: another version of the generator has another one."""
    digest = hashlib.sha256()
    for named in modes:
        for seed, mode in _modes(range(first, first + PROBES), named):
            pair = doll_pair(seed, size, mode)
            for picture in (pair.person, pair.garment, pair.mask, pair.silhouette):
                digest.update(picture.tobytes())
    return digest.hexdigest()


def _draws(data: str | None) -> bool:
    """Whether the data is drawn instead of read."""
    return data is None or data.startswith("dolls:")


def _deviations(rules: PairRules, used: PairRules) -> Iterable[str]:
    if rules.count is not None and used.count != rules.count:
        yield f"{used.count} pairs instead of {rules.count}"
    if rules.list_sha256 and used.list_sha256 != rules.list_sha256:
        yield "another list of pairs than the protocol's"
    if rules.duplicates_removed and not used.exclusions_sha256:
        yield "test pairs that are in the training data too were not left out; give their list with --exclude"
    if rules.dolls and used.dolls and rules.dolls.drawing_sha256 not in ("", used.dolls.drawing_sha256):
        yield "the dolls are drawn otherwise here than where the protocol was frozen"
