"""Open a dataset by one short text."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from toile.data.doll_pairs import SIZE, DollPairs, DollsMode
from toile.data.dresscode import FOLDERS, is_dresscode, open_dresscode
from toile.data.exclusions import ExcludedPairs, read_exclusions
from toile.data.folder import is_plain_folder, open_plain_folder
from toile.data.mixture import MixedPairs
from toile.data.pair_table import is_pair_table, open_pair_table
from toile.data.record import GarmentPair
from toile.data.resized import ResizedPairs
from toile.data.shards import ShardPairs, find_shards
from toile.data.street_tryon import is_street_tryon, open_street_tryon
from toile.data.viton_hd import is_viton_hd, open_viton_hd
from toile.errors import ToileError

SPLITS = ("train", "test")
DOLLS = "dolls:FIRST:COUNT, with :street or :mixed behind it if wanted"
SHARDS = "shards:"
WEIGHTED = re.compile(r"(.+?)\*(\d+(?:\.\d+)?)(?:\+|$)", re.DOTALL)
"""One part of a mixture: everything up to the first `*NUMBER` that a plus sign or the end follows."""


def open_pairs(
    spec: str,
    *,
    split: str = "train",
    size: tuple[int, int] | None = None,
    paired: bool = True,
    exclude: Path | None = None,
    seed: int = 0,
) -> Sequence[GarmentPair]:
    """Open a dataset. The same text gives the same pairs in the same order, in every process.

    A text that ends with `*NUMBER` is a mixture, `SOURCE*WEIGHT+SOURCE*WEIGHT+...`, cut behind each
    `*NUMBER+`. Every other text is one source:

    - `dolls:FIRST:COUNT`: Paper Dolls with the seeds from FIRST on, drawn on the fly; `:street` or `:mixed`
      behind it chooses the scene. They have no splits, their seeds tell them apart.
    - `shards:PATTERN`: WebDataset shards, by a folder, a pattern with * and ?, or one with {000..012}.
    - a path that ends with `.csv` or `.jsonl`: a list (see `pair_table`).
    - any other path: a folder in the layout of VITON-HD, DressCode or StreetTryOn, with `persons` and
      `garments`, or with shards; whichever is recognised first, in this order.

    Behind `shards:PATTERN` or a path, `:train` or `:test` names the split, whatever `split` says. A path that
    looks like something else here is written so that it does not: `./dolls:1/`, `./odd*2/`.

    Args:
        spec: the text.
        split: "train" or "test".
        size: height and width that pictures are drawn at, or fitted and padded to; None keeps their own.
        paired: True for people with the garments that they wear, False for those that they are to put on.
        exclude: a list of identifiers to leave out (see `exclusions`).
        seed: in which order a mixture takes its pairs.

    Raises:
        ToileError: when the text or the folder is nothing known, the dataset has no such pairs, a file of a
            pair is missing, or a name or a link leads out of the dataset's folder.
    """
    parts = _mixture(spec)
    if parts:
        sources = [_open_source(text, split, size, paired) for text, _ in parts]
        pairs: Sequence[GarmentPair] = MixedPairs(sources, [weight for _, weight in parts], seed)
    else:
        pairs = _open_source(spec, split, size, paired)
    return pairs if exclude is None else ExcludedPairs(pairs, read_exclusions(exclude))


def _mixture(spec: str) -> list[tuple[str, float]]:
    """The sources and weights of a mixture; nothing when the text is one source."""
    if not re.search(r"\*\d+(?:\.\d+)?$", spec):
        return []
    return [(match[1], float(match[2])) for match in WEIGHTED.finditer(spec)]


def _open_source(spec: str, split: str, size: tuple[int, int] | None, paired: bool) -> Sequence[GarmentPair]:
    if spec.startswith("dolls:"):
        first, count, mode = parse_dolls(spec)
        return DollPairs(first, count, mode=mode, size=size or SIZE, paired=paired)
    text, _, named = spec.rpartition(":")
    place, split = (text, named) if text and named in SPLITS and text != "shards" else (spec, split)
    if place.startswith(SHARDS):
        pairs = _open_shards(place.removeprefix(SHARDS), split, paired)
    else:
        pairs = _open_path(Path(place), split, paired)
    return pairs if size is None else ResizedPairs(pairs, size)


def _open_path(root: Path, split: str, paired: bool) -> Sequence[GarmentPair]:
    if is_pair_table(root):
        return open_pair_table(root, split, paired=paired)
    if not root.is_dir():
        raise ToileError(
            f"no dataset at {str(root)!r}; give a folder in VITON-HD or DressCode layout, "
            f"a .csv or .jsonl list, {SHARDS}PATTERN, or {DOLLS}"
        )
    if is_viton_hd(root):
        return open_viton_hd(root, split, paired=paired)
    if is_dresscode(root):
        return open_dresscode(root, split, paired=paired)
    if is_street_tryon(root):
        return open_street_tryon(root, split, paired=paired)
    if is_plain_folder(root):
        return open_plain_folder(root, paired=paired)
    if any(root.glob("*.tar")):
        return _open_shards(str(root), split, paired)
    raise ToileError(
        f"{root} is in no known layout: VITON-HD has {split}/image and {split}/cloth, DressCode has "
        f"{', '.join(f'{name}/images' for name in FOLDERS)}, StreetTryOn has annotations and "
        "validation/image, a plain folder has persons and garments; `toile data check` says which is nearest"
    )


def _open_shards(pattern: str, split: str, paired: bool) -> Sequence[GarmentPair]:
    pairs = ShardPairs(find_shards(pattern, split))
    if pairs[0].paired is not paired:
        kinds = ("paired", "unpaired") if pairs[0].paired else ("unpaired", "paired")
        raise ToileError(
            f"the shards {pattern!r} hold {kinds[0]} pairs, and {kinds[1]} ones are wanted; write others"
        )
    return pairs


def parse_dolls(spec: str) -> tuple[int, int, DollsMode]:
    """The first seed, the number of dolls and the mode that a text names.

    Raises:
        ToileError: when it names no dolls.
    """
    _, *numbers = spec.split(":")
    mode: DollsMode = "studio"
    if len(numbers) == 3:
        mode = next((known for known in get_args(DollsMode) if known == numbers[2]), mode)
        numbers = numbers[:2] if mode == numbers[2] else numbers
    if len(numbers) != 2 or not all(number.isdecimal() for number in numbers) or int(numbers[1]) < 1:
        raise ToileError(f"{spec!r} names no dolls; write {DOLLS}, with COUNT at least 1")
    return int(numbers[0]), int(numbers[1]), mode
