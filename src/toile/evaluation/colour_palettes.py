"""The colours of a garment as a palette, and how far a region of another picture is from them.

A palette knows nothing of shapes, so that a flat garment and the same one worn can be compared.
Legend: N pixels, P colours of a palette, each row its share and L*, a*, b*; H W pixels of a picture.
"""

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float32, UInt8

from toile.evaluation.metrics.ciede2000 import lab_from_srgb

Colours = Float32[np.ndarray, "_ 3"]
Palette = Float32[np.ndarray, "_ 4"]

CELL = 10.0
"""Side of the cubes of CIELAB whose pixels count as one colour, their mean."""
SMALLEST_SHARE = 0.005
"""Colours of smaller shares are left out of a palette: borders, and single pixels."""
MAIN_SHARE = 0.05
"""A garment is taken for another one's by such colours only, not by those of small parts."""
MARGIN = 10.0
"""How much nearer, in ΔE, a pixel has to be to another garment's colours than to its own to count as its."""
NEAR = 10.0
"""Up to which ΔE a pixel of the background counts as having one of a garment's colours."""


def lab_picture(picture: UInt8[np.ndarray, "H W 3"]) -> Float32[np.ndarray, "H W 3"]:
    """L*, a*, b* of an RGB picture."""
    planes = torch.from_numpy(np.array(picture)).movedim(-1, 0)[None].double() / 255
    return lab_from_srgb(planes)[0].movedim(0, -1).float().numpy()


def make_palette(colours: Colours) -> Palette:
    """The colours of some pixels, at least one, with their shares."""
    cells = np.floor(colours / CELL).astype(np.int64)
    _, which, counts = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    which = which.reshape(-1)
    means = np.stack([np.bincount(which, colours[:, axis]) / counts for axis in range(3)], axis=1)
    shares = counts / counts.sum()
    kept = shares >= min(SMALLEST_SHARE, shares.max())
    rows = np.concatenate([shares[kept, None] / shares[kept].sum(), means[kept]], axis=1)
    return np.asarray(rows, np.float32)


def colour_distance(first: Palette, second: Palette) -> float:
    """How far the colours of one palette have to be moved to become the other's, a mean over pixels in ΔE.

    Source: Rubner, Tomasi and Guibas 2000, "The Earth Mover's Distance as a metric for image retrieval", on
    signatures in CIELAB. Ours: signatures of equal cubes instead of clusters, so that nothing is random.
    """
    return float(cv2.EMD(first, second, cv2.DIST_L2)[0])


def main_colours(palette: Palette) -> Palette:
    """The colours of large shares; the largest always."""
    return palette[palette[:, 0] >= min(MAIN_SHARE, float(palette[:, 0].max()))]


def nearest_colour(colours: Colours, palette: Palette) -> Float32[np.ndarray, " _"]:
    """How far each pixel is from the palette's nearest colour, in ΔE (CIE 1976)."""
    found = np.full(len(colours), np.inf, np.float32)
    for colour in palette[:, 1:]:
        found = np.minimum(found, np.linalg.norm(colours - colour, axis=1))
    return np.asarray(found, np.float32)


def mistaken_share(colours: Colours, own: Palette, others: list[Palette]) -> float:
    """The share of a garment's pixels that show another garment of the outfit instead, 0 to 1.

    Ours: pixels that are nearer to a main colour of another garment than to any colour of its own, by more
    than `MARGIN`. A colour that both have is nobody's mistake.
    """
    if not others:
        return 0.0
    theirs = np.min([nearest_colour(colours, main_colours(other)) for other in others], axis=0)
    return float(np.mean(theirs + MARGIN < nearest_colour(colours, own)))


def near_share(colours: Colours, palette: Palette) -> float:
    """The share of pixels that have one of a palette's main colours, 0 to 1; 0 of none."""
    if not len(colours):
        return 0.0
    return float(np.mean(nearest_colour(colours, main_colours(palette)) < NEAR))


def leaked_share(colours: Colours, palette: Palette, controls: list[Palette]) -> float:
    """How much more of a background has a garment's colours than has those of other garments, -1 to 1.

    Ours: the mean share of garments that have nothing to do with the picture is taken off, so that a method
    which does not look at garments scores 0 on average, whatever its backgrounds are like.
    """
    by_chance = np.mean([near_share(colours, control) for control in controls]) if controls else 0.0
    return near_share(colours, palette) - float(by_chance)


def inner_region(region: Bool[np.ndarray, "H W"], width: int = 5) -> Bool[np.ndarray, "H W"]:
    """A region without its border, where colours mix; a region that is all border stays as it is."""
    inner = np.asarray(cv2.erode(region.astype(np.uint8), np.ones((width, width), np.uint8)) > 0)
    return inner if inner.sum() >= region.sum() / 4 else region
