"""Draws the predictions of a system for every pair of a protocol, and keeps them: a stopped run goes on."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from tqdm import tqdm

from toile import __version__
from toile.data.record import GarmentPair
from toile.errors import ToileError
from toile.evaluation.protocols.pairs import list_hash
from toile.evaluation.protocols.prediction_files import SETTINGS_FILE
from toile.evaluation.protocols.protocol import Protocol, canonical_json
from toile.evaluation.protocols.systems import Draw, Drawing, SystemName, open_system
from toile.evaluation.protocols.truths import DollTruth, PairTruth, Truth
from toile.files import write_text
from toile.images import METADATA_KEY, save_png


@dataclass(frozen=True, kw_only=True)
class Generated:
    """One system's pictures under one seed and one guidance scale."""

    folder: Path
    """Where they are."""
    label: str
    """What they are called in tables."""


def item_seed(identifier: str, seed: int) -> int:
    """The seed of an item's noise: the same whatever else is drawn, another one for each item and seed.

    Ours: the first 48 bits of sha256 of `SEED:IDENTIFIER`.
    """
    return int.from_bytes(hashlib.sha256(f"{seed}:{identifier}".encode()).digest()[:6], "big")


def generate(
    system: SystemName,
    protocol: Protocol,
    truths: Sequence[Truth],
    folder: Path,
    *,
    drawing: Drawing,
    seed: int = 0,
    batch_size: int = 8,
) -> Generated:
    """Draw what is not there yet.

    Pictures lie in a folder below `folder` that is named after the system and everything that decides its
    pictures, the list of pairs too, beside a settings file that says so.

    Args:
        system: what draws.
        protocol: says for which task.
        truths: the pairs.
        folder: holds the pictures of all systems.
        drawing: how they are drawn.
        seed: of the noise; baselines have none.
        batch_size: pairs drawn at a time.

    Raises:
        ToileError: when the system does not do the task, a picture cannot be drawn, or written.
    """
    system.check(protocol.task)
    settings = {"toile": __version__, "task": protocol.task, **drawing.resolved(system)}
    if system.learnt:
        settings |= {"seed": seed}
    settings |= {"pairs_sha256": list_hash(truth.line for truth in truths)}  # who wears whose garment
    label = _label(system, drawing, seed)
    place = folder / f"{_slug(label)}-{hashlib.sha256(canonical_json(settings).encode()).hexdigest()[:8]}"
    if not (place / SETTINGS_FILE).is_file():
        write_text(json.dumps(settings, indent=1) + "\n", place / SETTINGS_FILE)
    left = [truth for truth in truths if not _is_drawn(place / f"{truth.identifier}.png", settings)]
    if left:
        draw = open_system(system, protocol.task, drawing)
        bar = tqdm(
            total=len(truths), initial=len(truths) - len(left), desc=label, unit="picture", disable=None
        )
        with bar:
            for batch in _batches(left, batch_size):
                for truth, picture in zip(batch, _drawn(draw, batch, seed, drawing, label), strict=True):
                    save_png(picture, place / f"{truth.identifier}.png", settings)
                bar.update(len(batch))
    return Generated(folder=place, label=label)


def _batches(truths: Sequence[Truth], size: int) -> Iterator[Sequence[Truth]]:
    for start in range(0, len(truths), size):
        yield truths[start : start + size]


def _drawn(draw: Draw, truths: Sequence[Truth], seed: int, drawing: Drawing, label: str) -> list[Image.Image]:
    pictures = draw([_pair(truth) for truth in truths], [item_seed(t.identifier, seed) for t in truths])
    width_height = (drawing.size[1], drawing.size[0])
    wrong = next((picture.size for picture in pictures if picture.size != width_height), None)
    if len(pictures) != len(truths) or wrong is not None:
        problem = f"a picture of {wrong}" if wrong else f"{len(pictures)} pictures for {len(truths)} pairs"
        raise ToileError(f"{label} gave {problem}; each pair needs one picture of {width_height}")
    return [picture.convert("RGB") for picture in pictures]


def _pair(truth: Truth) -> GarmentPair:
    if not isinstance(truth, (PairTruth, DollTruth)):
        raise ToileError(
            f"{truth.identifier} is no pair; systems that dress are evaluated from their folders"
        )
    return truth.pair


def _is_drawn(path: Path, settings: dict[str, Any]) -> bool:
    """Whether a picture is there, whole, and drawn with these settings."""
    if not path.is_file():
        return False
    try:
        with Image.open(path) as picture:
            said = picture.info.get(METADATA_KEY)
            picture.load()
        return isinstance(said, str) and json.loads(said) == settings
    except (OSError, ValueError, SyntaxError):
        return False


def _label(system: SystemName, drawing: Drawing, seed: int) -> str:
    if not system.learnt:
        return system.label
    guidance = drawing.resolved(system)["guidance"]
    return f"{system.label}, s={guidance:g}, seed {seed}"


def _slug(label: str) -> str:
    kept = "".join(letter if letter.isalnum() or letter in ".-" else "-" for letter in label)
    return "-".join(part for part in kept.split("-") if part)
