"""Looks at a folder of predictions before anything is measured, and finds what is wrong with it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from toile.evaluation.protocols.prediction_files import (
    SUFFIX_FORMATS,
    PictureFacts,
    look_at_all,
    picture_files,
    read_settings,
)
from toile.evaluation.protocols.protocol import PictureRules
from toile.evaluation.protocols.reasons import Finding, some
from toile.evaluation.protocols.truths import Truth

SAME_SETTINGS = (
    "toile",
    "model",
    "weights",
    "system",
    "task",
    "protocol",
    "steps",
    "guidance",
    "size",
    "dtype",
)
"""What all pictures of a folder, and its settings file, must agree on, as far as they say it."""
CLOCK = 2.0
"""Seconds by which clocks of file systems may differ."""


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What a folder of predictions holds."""

    folder: Path
    """The folder."""
    matched: Mapping[str, PictureFacts]
    """By the pair's identifier: its prediction, as far as it can be read."""
    findings: tuple[Finding, ...]
    """What is wrong."""
    settings: Mapping[str, Any]
    """How the pictures were made, from the settings file or else from the first picture; may be empty."""


def inspect_predictions(
    folder: Path, truths: Sequence[Truth], rules: PictureRules, *, left_out: Sequence[str] = ()
) -> Inspection:
    """Match pictures with pairs by their names, and look into each.

    Args:
        folder: of the predictions, `IDENTIFIER.png` each; those of several categories may lie in subfolders
            named after them.
        truths: the pairs.
        rules: what pictures must be.
        left_out: identifiers of pairs whose pictures may be there, and are not looked at.

    Raises:
        ToileError: when there is no such folder, or its settings file is damaged.
    """
    paths, unfinished = picture_files(folder)
    settings, written = read_settings(folder)
    deep = any("/" in truth.identifier for truth in truths)
    others = {*left_out, *(name.rpartition("/")[2] for name in left_out)}
    paths = [path for path in paths if path.stem not in others]
    flat = [path for path in paths if deep or path.parent == folder]
    by_truth, collisions, extra = _match(folder, flat, truths)
    looked = dict(zip(by_truth, look_at_all(list(by_truth.values())), strict=True))
    facts = {name: fact for name, fact in looked.items() if fact.error is None}
    findings = chain(
        _files(folder, paths, flat, unfinished, collisions),
        _matches(folder, flat, by_truth, extra, truths),
        _unreadable(looked),
        _formats(facts, rules),
        _sizes(facts, rules),
        _contents(facts),
        _settings(facts, settings, written),
    )
    first = next((fact.settings for fact in facts.values() if fact.settings), None)
    return Inspection(
        folder=folder, matched=facts, findings=tuple(findings), settings=settings or first or {}
    )


def _match(
    folder: Path, paths: Sequence[Path], truths: Sequence[Truth]
) -> tuple[dict[str, Path], list[str], list[Path]]:
    """Each pair's picture, names that two pictures share, and pictures of no pair."""
    known = _names(truths)
    found: dict[str, Path] = {}
    collisions, extra = [], []
    seen: dict[str, Path] = {}
    for path in paths:
        stem = path.relative_to(folder).with_suffix("").as_posix()
        if stem.lower() in seen:
            collisions.append(f"{seen[stem.lower()].name} and {path.name}")
            continue
        seen[stem.lower()] = path
        identifier = known.get(stem)
        if identifier is None:
            extra.append(path)
        elif identifier in found:
            collisions.append(f"{found[identifier].name} and {path.name}")
        else:
            found[identifier] = path
    return dict(sorted(found.items())), collisions, extra


def _names(truths: Sequence[Truth]) -> dict[str, str]:
    """Which identifier a file's name means; names that could mean two mean none."""
    owners: dict[str, set[str]] = defaultdict(set)
    for truth in truths:
        for name in truth.names:
            owners[name].add(truth.identifier)
    own = {truth.identifier: truth.identifier for truth in truths}
    return {name: next(iter(of)) for name, of in owners.items() if len(of) == 1} | own


def _files(
    folder: Path,
    paths: Sequence[Path],
    flat: Sequence[Path],
    unfinished: Sequence[Path],
    collisions: Sequence[str],
) -> Iterator[Finding]:
    if not paths:
        yield Finding(
            reason="no-predictions", message="there is no picture in it; write IDENTIFIER.png files"
        )
    nested = sorted(set(paths) - set(flat))
    if nested:
        yield _found("nested", nested, folder, "pictures lie in subfolders")
    if unfinished:
        yield _found("unfinished", unfinished, folder, "files are unfinished; the run has not ended")
    if collisions:
        yield Finding(
            reason="collision", message=f"{some(collisions)} pictures share a name; keep one of each"
        )
    root = folder.resolve()
    outside = [path for path in paths if not path.resolve().is_relative_to(root)]
    if outside:
        yield _found("linked", outside, folder, "pictures are links to other folders; copy them")


def _matches(
    folder: Path,
    paths: Sequence[Path],
    matched: Mapping[str, Path],
    extra: Sequence[Path],
    truths: Sequence[Truth],
) -> Iterator[Finding]:
    if not paths:
        return
    if not matched:
        yield Finding(
            reason="unmatched",
            message=f"no picture is named after a pair: {paths[0].name} against {truths[0].identifier}.png",
        )
        return
    missing = [truth.identifier for truth in truths if truth.identifier not in matched]
    if missing:
        yield Finding(reason="missing", message=f"{some(missing)} of {len(truths)} pairs have no prediction")
    if extra:
        yield _found("extra", extra, folder, "pictures belong to no pair")


def _unreadable(looked: Mapping[str, PictureFacts]) -> Iterator[Finding]:
    bad = [f"{fact.path.name}: {fact.error}" for fact in looked.values() if fact.error is not None]
    if bad:
        yield Finding(reason="unreadable", message=f"{some(bad)} files cannot be read; make them again")


def _formats(facts: Mapping[str, PictureFacts], rules: PictureRules) -> Iterator[Finding]:
    checks: list[tuple[str, Callable[[PictureFacts], bool], str]] = [
        ("mislabelled", _mislabelled, "files hold another format than their names say"),
        ("colour-mode", lambda fact: fact.mode not in ("RGB", "RGBA", "RGBX"), "pictures are not 8-bit RGB"),
        ("transparent", lambda fact: fact.transparent, "pictures have transparent pixels"),
        ("turned", lambda fact: fact.turned, "pictures are turned by their EXIF"),
        ("animated", lambda fact: fact.frames > 1, "files hold several frames"),
        ("colour-profile", lambda fact: fact.profile, "pictures have a colour profile other than sRGB"),
    ]
    if rules.lossless:
        checks.append(("lossy", lambda fact: fact.lossy, "pictures are compressed with loss; write PNG"))
    for reason, wrong, what in checks:
        names = [f"{fact.path.name}{_detail(reason, fact)}" for fact in facts.values() if wrong(fact)]
        if names:
            yield Finding(reason=reason, message=f"{some(names)} {what}")


def _mislabelled(fact: PictureFacts) -> bool:
    return SUFFIX_FORMATS.get(fact.path.suffix.lower()) != fact.format.replace("MPO", "JPEG")


def _detail(reason: str, fact: PictureFacts) -> str:
    details = {"mislabelled": fact.format, "colour-mode": fact.mode, "animated": f"{fact.frames} frames"}
    return f" is {details[reason]}" if reason in details else ""


def _sizes(facts: Mapping[str, PictureFacts], rules: PictureRules) -> Iterator[Finding]:
    if not facts:
        return
    common = Counter(fact.size for fact in facts.values()).most_common(1)[0][0]
    wanted = rules.prediction_size or rules.size or common
    wrong = [fact for fact in facts.values() if fact.size != wanted]
    if not wrong:
        return
    sizes = Counter(fact.size for fact in wrong)
    said = f"{_size(wrong[0].size)} instead of {_size(wanted)}"
    if all(height == wanted[0] and width % wanted[1] == 0 for height, width in sizes):
        columns = wrong[0].size[1] // wanted[1]
        yield _named("sheet", wrong, f"pictures are {columns} pictures side by side ({said}); cut them apart")
        return
    mixed = f", of {len(sizes)} different sizes" if len(sizes) > 1 else ""
    yield _named("size", wrong, f"pictures have {said} pixels{mixed}")


def _contents(facts: Mapping[str, PictureFacts]) -> Iterator[Finding]:
    blank = [fact for fact in facts.values() if fact.blank]
    if blank:
        yield _named("blank", blank, "pictures show one colour only")
    same = defaultdict(list)
    for fact in facts.values():
        if not fact.blank:
            same[fact.pixels_sha256].append(fact)
    double = [fact for of_one in same.values() if len(of_one) > 1 for fact in of_one]
    if double:
        kinds = sum(len(of_one) > 1 for of_one in same.values())
        everything = len(double) == len(facts) and kinds == 1
        what = (
            "all predictions are one and the same picture" if everything else "predictions repeat each other"
        )
        yield _named("duplicates", double, what)


def _settings(
    facts: Mapping[str, PictureFacts], settings: Mapping[str, Any] | None, written: float
) -> Iterator[Finding]:
    old = [fact for fact in facts.values() if fact.modified < written - CLOCK]
    if old:
        yield _named("stale", old, "pictures are older than the settings file; they are of an earlier run")
    silent = [fact for fact in facts.values() if fact.settings is None]
    if silent and len(silent) < len(facts):
        yield _named("no-settings", silent, "pictures do not say how they were made, and the others do")
    said = [(fact, fact.settings) for fact in facts.values() if fact.settings is not None]
    expected = settings or (said[0][1] if said else {})
    for name in SAME_SETTINGS:
        other = [
            (fact, own[name])
            for fact, own in said
            if name in own and own[name] != expected.get(name, own[name])
        ]
        if other:
            yield Finding(
                reason="other-settings",
                message=f"{some([fact.path.name for fact, _ in other])} pictures were made with {name} "
                f"{other[0][1]!r} instead of {expected[name]!r}",
            )


def _named(reason: str, facts: Sequence[PictureFacts], what: str) -> Finding:
    return Finding(reason=reason, message=f"{some([fact.path.name for fact in facts])} {what}")


def _found(reason: str, paths: Sequence[Path], folder: Path, what: str) -> Finding:
    return Finding(reason=reason, message=f"{some([str(path.relative_to(folder)) for path in paths])} {what}")


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"
