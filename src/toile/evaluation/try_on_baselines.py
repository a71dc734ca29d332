"""What a try-on has to beat, and an oracle that it cannot be expected to reach."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image

from toile.data.curation import bounding_box
from toile.data.doll_pairs import DollPictures
from toile.dolls import Doll
from toile.errors import ToileError
from toile.evaluation.try_on import Fitting, TryOn
from toile.images import fit, fit_mask

FILL_RADIUS = 3
"""How far around a pixel the fill looks, in pixels."""
SUBSTEPS = 3
"""Points between one flat pixel and the next, each way: cloth that is worn larger has no gaps then."""
TORN = 4.0
"""Flat neighbours that lie farther apart than this on the person, in pixels, are not joined."""


def paste_flat(size: tuple[int, int]) -> TryOn:
    """The flat garment, scaled into the mask's bounding box and laid on the photo, inside the mask alone.

    The garment keeps its aspect, stands in the middle of the box and is cut out by its silhouette. The rest
    of the mask is filled from the photo around it (Telea's inpainting), as any picture editor does.

    Source: Telea 2004, "An image inpainting technique based on the fast marching method", for the fill.
    """

    def dress(fittings: Sequence[Fitting]) -> list[Image.Image]:
        return [_pasted(fitting, size) for fitting in fittings]

    return dress


def _pasted(fitting: Fitting, size: tuple[int, int]) -> Image.Image:
    photo = np.asarray(fit(fitting.wearer.person, size)[0])
    mask = fit_mask(fitting.wearer.mask, size)
    silhouette = fitting.garment.silhouette
    box, cut = bounding_box(np.asarray(mask)), bounding_box(np.asarray(silhouette))
    filled = Image.fromarray(_filled(photo, np.asarray(mask) > 0))
    if box is None or cut is None:
        return filled
    inner = box[3] - box[1], box[2] - box[0]
    shape = Image.new("L", mask.size, 0)
    shape.paste(fit_mask(silhouette.crop(cut), inner), box[:2])
    cloth = Image.new("RGB", mask.size)
    cloth.paste(fit(fitting.garment.garment.crop(cut), inner)[0], box[:2])
    inside = np.minimum(np.asarray(shape), np.asarray(mask))
    return Image.composite(cloth, filled, Image.fromarray(inside))


def exact_warp(size: tuple[int, int]) -> TryOn:
    """An oracle: the photo, with the flat garment's own pixels put where the doll says that each is seen.

    It knows the exact warp, what hides the garment, and everything around it; what it lacks is folds and
    light. An upper bound of every method that warps the flat garment.

    Raises:
        ToileError: when a fitting is of no doll, or of another's garment, whose warp nobody knows.
    """

    def dress(fittings: Sequence[Fitting]) -> list[Image.Image]:
        return [fit(Image.fromarray(_warped(_doll(fitting))), size)[0] for fitting in fittings]

    return dress


def _doll(fitting: Fitting) -> Doll:
    pictures = fitting.wearer.pictures
    if not isinstance(pictures, DollPictures) or not fitting.paired:
        raise ToileError(
            f"{fitting.source}: no exact warp is known for {fitting.identifier!r}; "
            "give dolls in their own garments, as dolls:FIRST:COUNT"
        )
    return pictures.doll


def _warped(doll: Doll) -> UInt8[np.ndarray, "H W 3"]:
    garment = doll.garments[doll.category]
    where, known = flat_positions(garment.warp, garment.warp_visible)
    cloth = cv2.remap(
        garment.image, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    worn = garment.worn > 0
    picture = np.where((worn & known)[..., None], cloth, doll.person).astype(np.uint8)
    return _filled(picture, worn & ~known)  # the rim, where seams meet


def flat_positions(
    warp: Float[np.ndarray, "H W 2"], visible: Bool[np.ndarray, "H W"]
) -> tuple[Float[np.ndarray, "H W 2"], Bool[np.ndarray, "H W"]]:
    """Turn a doll's warp around: for each pixel of the person, where (x, y) it lies on the flat garment.

    Every square of four visible flat pixels is strewn over the person, and each pixel there takes the mean of
    what fell near it.

    Returns:
        The positions, 0 where nothing fell, and where something did.
    """
    height, width = visible.shape
    rows, columns, corners = _squares(warp, visible)
    sums = np.zeros((3, height * width))
    for v in (np.arange(SUBSTEPS) + 0.5) / SUBSTEPS:
        for u in (np.arange(SUBSTEPS) + 0.5) / SUBSTEPS:
            weights = np.array([(1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v])
            points = np.tensordot(weights, corners, axes=1)  # (P 2)
            for pixel, share, kept in _neighbours(points, (height, width)):
                for total, values in zip(sums, (columns + u, rows + v, np.ones(len(rows))), strict=True):
                    total += np.bincount(pixel, share * values[kept], height * width)
    known = sums[2] > 1e-3
    positions = np.where(known, sums[:2] / np.maximum(sums[2], 1e-3), 0).astype(np.float32)
    return np.ascontiguousarray(positions.reshape(2, height, width).transpose(1, 2, 0)), known.reshape(
        height, width
    )


def _squares(warp: np.ndarray, visible: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows and columns of whole squares of visible cloth, and their corners on the person, (4 P 2)."""
    views = [np.s_[:-1, :-1], np.s_[:-1, 1:], np.s_[1:, :-1], np.s_[1:, 1:]]
    rows, columns = np.nonzero(np.logical_and.reduce([visible[view] for view in views]))
    corners = np.stack([warp[view][rows, columns] for view in views])
    whole = np.ptp(corners, axis=0).max(axis=1) < TORN
    return rows[whole], columns[whole], corners[:, whole]


def _neighbours(points: np.ndarray, size: tuple[int, int]) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The four pixels around each point: their numbers, shares, and which points have them in the picture."""
    first = np.floor(points).astype(np.int64)  # (P 2)
    found = []
    for step in ((0, 0), (1, 0), (0, 1), (1, 1)):
        pixel = first + step
        share = (1 - np.abs(points - pixel)).prod(axis=1)
        kept = ((pixel >= 0) & (pixel < (size[1], size[0]))).all(axis=1)
        found.append((pixel[kept, 1] * size[1] + pixel[kept, 0], share[kept], kept))
    return found


def _filled(
    picture: UInt8[np.ndarray, "H W 3"], holes: Bool[np.ndarray, "H W"]
) -> UInt8[np.ndarray, "H W 3"]:
    if not holes.any():
        return picture
    filled = cv2.inpaint(picture, holes.astype(np.uint8), FILL_RADIUS, cv2.INPAINT_TELEA)
    return np.asarray(filled, dtype=np.uint8)
