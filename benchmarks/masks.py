"""Agnostic masks against exact and published ones, in IoU, and what masks give away of the worn garment.

    python benchmarks/masks.py --samples PATH [--parser tiny|PATH|NAME]

On unseen dolls: each category and variant, from the doll's parse map and joints, from its parse map alone,
and from the photo by a parser; "two garments" is the IoU of the masks of one body in two garments, 1 where a
mask gives nothing away. On real samples: VITON-HD's published agnostic masks, and masks that were derived for
the older VITON set (a sanity check, no ground truth).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tyro
from PIL import Image
from rich.console import Console
from rich.table import Table

from toile.data.agnostic import MASK_CATEGORIES, VARIANTS, MaskVariant, agnostic_mask, worn_garment
from toile.data.automatic_mask import AutomaticMask
from toile.data.open import open_pairs
from toile.data.parsing import Parser
from toile.data.pose import Pose
from toile.data.record import GarmentPair
from toile.dolls.doll import Category, Doll, Mode
from toile.dolls.draw import draw_doll, render
from toile.dolls.scene import sample_scene
from toile.errors import ToileError

FIRST_UNSEEN = 10_000_000
PUBLISHED = ("00055_00", "00064_00", "00069_00", "13987_00", "01163_00", "01827_00", "00008_00")
"""Stems of real agnostic masks that come without a parse map and a pose."""
DERIVED = "viton-256-mini"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is measured."""

    samples: Path | None = None
    """Folder of the real samples; None measures dolls alone."""
    count: int = 100
    """Dolls of each category."""
    size: tuple[int, int] = (256, 192)
    """(height, width) that dolls are drawn at."""
    parser: str | None = None
    """What parses bare photos: `tiny`, a folder, or a hub name; None leaves it out."""


Row = tuple[str, ...]


def iou(mask: np.ndarray | Image.Image, truth: np.ndarray | Image.Image) -> float:
    """Intersection over union of two masks."""
    first, second = (np.asarray(picture) > 127 for picture in (mask, truth))
    return float((first & second).sum() / max((first | second).sum(), 1))


def mean(values: Sequence[float]) -> str:
    """The mean and the least value, or a dash where there is none."""
    return f"{np.mean(values):.3f} ({min(values):.2f})" if values else "–"


def dolls(category: str, settings: Settings) -> Iterator[tuple[Doll, Doll]]:
    """Unseen dolls that show the garment, each with itself in another garment of the category."""
    seed, drawn = FIRST_UNSEEN, 0
    own: Category | None = next((name for name in ("upper", "lower", "dress") if name == category), None)
    while drawn < settings.count:
        mode: Mode = "street" if seed % 2 else "studio"
        doll = draw_doll(seed, settings.size, mode, own)
        if category in doll.garments and worn_garment(doll.parse, category).any():
            yield doll, redressed(seed, mode, own, category, settings.size)
            drawn += 1
        seed += 1


def redressed(seed: int, mode: Mode, own: Category | None, category: str, size: tuple[int, int]) -> Doll:
    """The same doll with a garment of the next one that has such a thing."""
    scene = sample_scene(seed, mode, own)
    other = seed + 1
    while True:
        specs = {spec.category: spec for spec in sample_scene(other, mode, own).garments}
        if category in specs:
            break
        other += 1
    worn = tuple(specs[category] if spec.category == category else spec for spec in scene.garments)
    return render(replace(scene, garments=worn), size)


def doll_rows(settings: Settings, parser: Parser | None) -> Iterator[Row]:
    """IoU with the dolls' exact masks."""
    for category in MASK_CATEGORIES:
        pairs = list(dolls(category, settings))
        for variant in VARIANTS:
            yield (category, variant, *doll_columns(pairs, category, variant, parser))


def doll_columns(
    pairs: Sequence[tuple[Doll, Doll]], category: str, variant: MaskVariant, parser: Parser | None
) -> Row:
    """The figures of one category and variant."""
    values: dict[str, list[float]] = {"pose": [], "parse": [], "photo": [], "two": []}
    missed = 0
    for doll, other in pairs:
        truth = doll.garments[category].agnostic_mask
        mask, second = (
            agnostic_mask(one.parse, Pose(keypoints=one.joints), category, variant=variant)
            for one in (doll, other)
        )
        values["pose"].append(iou(mask, truth))
        values["parse"].append(iou(agnostic_mask(doll.parse, None, category, variant=variant), truth))
        values["two"].append(iou(mask, second))
        if parser is not None:
            found = automatic(parser, variant, Image.fromarray(doll.person), category)
            missed += found is None
            values["photo"] += [] if found is None else [iou(found, truth)]
    photo = mean(values["photo"]) + (f", {missed} missed" if missed else "")
    return mean(values["pose"]), mean(values["parse"]), photo, mean(values["two"])


def automatic(parser: Parser, variant: MaskVariant, photo: Image.Image, category: str) -> Image.Image | None:
    """The mask of a bare photo; None where the parser finds no such garment."""
    try:
        return AutomaticMask(parser, variant=variant).mask_for(photo, category)
    except ToileError:
        return None


def real_rows(samples: Path, parser: Parser | None) -> Iterator[Row]:
    """IoU with the masks of real samples."""
    folder = samples / "viton-hd-mini"
    complete = {pair.identifier: pair for pair in open_pairs(f"{folder}:test")}["00006_00"]
    derived = open_pairs(f"{samples / DERIVED}:test")
    for variant in VARIANTS:
        yield ("VITON-HD 00006_00, real", variant, *pair_columns([complete], variant, parser))
        yield (f"{DERIVED}, {len(derived)} derived", variant, *pair_columns(derived, variant, parser))
        if parser is not None:
            found = {stem: bare_iou(folder, stem, variant, parser) for stem in PUBLISHED}
            listed = ", ".join(f"{stem} {value:.3f}" for stem, value in found.items())
            yield ("VITON-HD, 7 real", variant, "–", "–", f"{mean(list(found.values()))}: {listed}")


def pair_columns(pairs: Sequence[GarmentPair], variant: MaskVariant, parser: Parser | None) -> Row:
    """The figures of pairs with a parse map and a pose."""
    values: dict[str, list[float]] = {"pose": [], "parse": [], "photo": []}
    for pair in pairs:
        parse, truth = np.asarray(pair.parse), pair.mask
        values["pose"].append(iou(agnostic_mask(parse, pair.pose, pair.category, variant=variant), truth))
        values["parse"].append(iou(agnostic_mask(parse, None, pair.category, variant=variant), truth))
        found = None if parser is None else automatic(parser, variant, pair.person, pair.category)
        values["photo"] += [] if found is None else [iou(found, truth)]
    return tuple(mean(figures) for figures in values.values())


def bare_iou(folder: Path, stem: str, variant: MaskVariant, parser: Parser) -> float:
    """IoU of a bare photo's mask; 0 where the parser finds no garment."""
    photo = Image.open(folder / "test" / "image" / f"{stem}.jpg").convert("RGB")
    truth = Image.open(folder / "test" / "agnostic-mask" / f"{stem}_mask.png").convert("L")
    found = automatic(parser, variant, photo, "upper")
    return 0.0 if found is None else iou(found, truth)


def show(title: str, first: str, rows: Iterator[Row], *more: str) -> None:
    """Print a table."""
    table = Table(title=title)
    for column in (first, "variant", "parse and pose", "parse alone", "photo", *more):
        table.add_column(column)
    for row in rows:
        table.add_row(*row)
    Console(width=200).print(table)


def main(settings: Settings) -> None:
    parser = None if settings.parser is None else Parser.from_pretrained(settings.parser)
    show(
        f"{settings.count} dolls a category, mean IoU (least)",
        "category",
        doll_rows(settings, parser),
        "two garments",
    )
    if settings.samples is not None:
        show("real photos, mean IoU (least)", "masks", real_rows(settings.samples, parser))


if __name__ == "__main__":
    main(tyro.cli(Settings))
