"""IGR's high-quality subset, by label or by file: what the fine stage leaves out and mends (Sec. 3.4)."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from toile.data.curation_file import read_curation
from toile.data.fingerprint import digest, fingerprint
from toile.data.pose import Pose
from toile.data.record import GarmentPair, Pictures
from toile.data.review_decisions import kept_rows
from toile.errors import ToileError
from toile.images import Box, fit, fit_mask

MARGIN = 0.06
"""White left on each side of a re-padded garment, as a share of the canvas."""


def curated(pairs: Sequence[GarmentPair]) -> list[int]:
    """The indices of the pairs that are not hard by their labels, in order.

    Ours: the paper removes pairs by hand; here the source's labels serve. A pair that is hard because of its
    extreme proportions alone stays, to be mended by `with_fair_proportion`.

    Raises:
        ToileError: when the source has no labels, so that nothing can be told.
    """
    kept = []
    for index in range(len(pairs)):
        pair = pairs[index]
        if pair.hard is None:
            raise ToileError(
                f"{pair.source}: {pair.identifier!r} has no label that says whether it is hard; "
                "measure it with `toile data curate` and give the file that it writes"
            )
        if not pair.hard:
            kept.append(index)
    return kept


def curated_by_file(pairs: Sequence[GarmentPair], curation: Path) -> dict[int, frozenset[str]]:
    """The indices of the pairs that a curation keeps, in order, and what it found about each.

    Args:
        pairs: the dataset, or a part of it, in any order.
        curation: what `toile data curate` wrote; decisions made by hand (`toile data review`) lie beside it.

    Raises:
        ToileError: when there is no such file, or it keeps none of these pairs, or one is not in it.
    """
    listed = {row.key for row in read_curation(curation).rows}
    kept = kept_rows(curation)
    found = {}
    for index in range(len(pairs)):
        key = pairs[index].category, pairs[index].identifier
        if key not in listed:
            raise ToileError(
                f"{curation} says nothing of {key[1]!r} ({key[0]}) in {pairs[index].source}; "
                "curate this dataset"
            )
        if key in kept:
            found[index] = kept[key].reasons
    if not found:
        raise ToileError(f"{curation} keeps none of these pairs; raise its share or its thresholds")
    return found


class CuratedPairs(Sequence[GarmentPair]):
    """The pairs that are not hard, extreme proportions resized and padded where that is wanted.

    Which ones they are, and what is extreme, a curation's file says, or without one the pairs' own labels.
    """

    def __init__(
        self,
        pairs: Sequence[GarmentPair],
        size: tuple[int, int],
        *,
        pad_extremes: bool,
        curation: Path | None = None,
    ) -> None:
        """Read every label now; pictures stay unread. `size` is (height, width) of padded garments."""
        self.pairs, self.size, self.pad_extremes = pairs, size, pad_extremes
        self.reasons = None if curation is None else curated_by_file(pairs, curation)
        self.rows = curated(pairs) if self.reasons is None else list(self.reasons)

    def __len__(self) -> int:
        """How many are left."""
        return len(self.rows)

    def __getitem__(self, index: int) -> GarmentPair:  # type: ignore[override]  # slices are never asked for
        """One of them."""
        row = self.rows[index]
        pair = self.pairs[row]
        reasons = pair.reasons or () if self.reasons is None else self.reasons[row]
        if not (self.pad_extremes and "extreme_proportion" in reasons):
            return pair
        return replace(pair, pictures=FairPictures(pair.pictures, self.size))

    def fingerprint(self) -> str:
        """What tells these pairs from others: all of them, which are left, and how they are mended."""
        found = None if self.reasons is None else [sorted(reasons) for reasons in self.reasons.values()]
        return digest([fingerprint(self.pairs), self.rows, found, self.size, self.pad_extremes])


class FairPictures:
    """Pictures whose garment is shown in a suitable proportion (`with_fair_proportion`)."""

    def __init__(self, pictures: Pictures, size: tuple[int, int]) -> None:
        """Wrap `pictures`; `size` is (height, width)."""
        self.pictures, self.size = pictures, size

    def person(self) -> Image.Image:
        """The photo, as it was."""
        return self.pictures.person()

    def garment(self) -> Image.Image:
        """The flat garment, resized and padded."""
        return self._mended()[0]

    def mask(self) -> Image.Image:
        """The agnostic mask, as it was."""
        return self.pictures.mask()

    def silhouette(self) -> Image.Image:
        """The silhouette, resized and padded."""
        return self._mended()[1]

    def parse(self) -> Image.Image | None:
        """The photo's parse map, as it was."""
        return self.pictures.parse()

    def pose(self) -> Pose | None:
        """The joints, as they were."""
        return self.pictures.pose()

    def _mended(self) -> tuple[Image.Image, Image.Image]:
        return with_fair_proportion(self.pictures.garment(), self.pictures.silhouette(), self.size)


def bounding_box(mask: UInt8[np.ndarray, "height width"]) -> Box | None:
    """Left, top, right and bottom (exclusive) of what is at least 128 in a mask; None when nothing is."""
    rows, columns = np.flatnonzero((mask >= 128).any(axis=1)), np.flatnonzero((mask >= 128).any(axis=0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def with_fair_proportion(
    garment: Image.Image, silhouette: Image.Image, size: tuple[int, int], margin: float = MARGIN
) -> tuple[Image.Image, Image.Image]:
    """Resize and pad a garment picture whose proportion is extreme, so that the garment fills the canvas.

    The garment is cut out at its silhouette's bounding box, scaled with its own aspect until it reaches the
    margin on two sides, and centred on white.

    Args:
        garment: the flat garment, RGB.
        silhouette: its silhouette, "L", of the same size.
        size: height and width of the result in pixels.
        margin: white on each side, as a share of the canvas.

    Returns:
        The garment on white, and its silhouette (0 or 255), both of `size`.

    Raises:
        ToileError: when the silhouette is empty or of another size.
    """
    box = bounding_box(np.asarray(silhouette))
    if box is None or silhouette.size != garment.size:
        problem = "is empty" if box is None else f"measures {silhouette.size}, the garment {garment.size}"
        raise ToileError(f"the garment's silhouette {problem}; the garment cannot be cut out")
    height, width = size
    inner = round(height * (1 - 2 * margin)), round(width * (1 - 2 * margin))
    corner = (width - inner[1]) // 2, (height - inner[0]) // 2
    picture, shape = Image.new("RGB", (width, height), "white"), Image.new("L", (width, height), 0)
    picture.paste(fit(garment.crop(box), inner)[0], corner)
    shape.paste(fit_mask(silhouette.crop(box), inner), corner)
    return picture, shape
