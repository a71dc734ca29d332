"""What one Paper Doll is made of: the records that `draw_doll` returns."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, UInt8

Category = Literal["upper", "lower", "dress"]
Mode = Literal["studio", "street"]
Telling = Literal["described", "named", "unnamed"]
"""What a caption of a person says of the clothes: all of it, only what they are, or nothing."""

CATEGORIES: tuple[Category, ...] = ("upper", "lower", "dress")
MODES: tuple[Mode, ...] = ("studio", "street")
TELLINGS: tuple[Telling, ...] = ("described", "named", "unnamed")


@dataclass(frozen=True, kw_only=True)
class Hardness:
    """What makes a pair hard: the three kinds of IGR's Fig. 2, with numbers in [0, 1].

    Source: IGR (arXiv 2412.11513), Fig. 2. The thresholds are ours.
    """

    occlusion: float
    """Share of the flat garment that is in the frame and hidden by something on the person."""
    truncation: float
    """Share of the flat garment that lies outside the frame of the person picture."""
    side_view: float
    """How far the flat picture is turned away from a front view: 0 front, towards 1 edge-on."""
    extreme_proportion: float
    """How far the flat picture's aspect or size leaves the usual: 0 usual."""

    OCCLUSION_LIMIT = 0.38
    TRUNCATION_LIMIT = 0.15
    SIDE_VIEW_LIMIT = 0.25
    EXTREME_PROPORTION_LIMIT = 0.25

    @property
    def labels(self) -> tuple[str, ...]:
        """The kinds of hardness that apply, by name."""
        found = {
            "occlusion": self.occlusion > self.OCCLUSION_LIMIT,
            "truncation": self.truncation > self.TRUNCATION_LIMIT,
            "side_view": self.side_view > self.SIDE_VIEW_LIMIT,
            "extreme_proportion": self.extreme_proportion > self.EXTREME_PROPORTION_LIMIT,
        }
        return tuple(name for name, applies in found.items() if applies)

    @property
    def is_hard(self) -> bool:
        """Whether any kind of hardness applies."""
        return bool(self.labels)


@dataclass(frozen=True, kw_only=True)
class FlatGarment:
    """One garment: laid flat, and where each of its pixels is on the person."""

    category: str
    """`upper`, `lower`, `dress` or `hat`."""
    image: UInt8[np.ndarray, "H W 3"]
    """The garment laid flat, RGB, exactly 255 outside the silhouette."""
    silhouette: UInt8[np.ndarray, "H W"]
    """255 where the flat garment is, else 0."""
    worn: UInt8[np.ndarray, "H W"]
    """255 where the garment is visible on the person, else 0."""
    agnostic_mask: UInt8[np.ndarray, "H W"]
    """255 where the person has to be repainted to change this garment, else 0; roomy, covers `worn`."""
    warp: Float32[np.ndarray, "H W 2"]
    """For each flat pixel (x, y) of the same point on the person, in pixels, NaN outside the silhouette."""
    warp_visible: Bool[np.ndarray, "H W"]
    """Whether that point is in the frame and not hidden."""
    caption: str
    """A short sentence about the garment alone."""
    attributes: dict[str, str]
    """Cut, sleeve, neckline, length, fit, pattern, colours, detail: only those that the garment has."""


@dataclass(frozen=True, kw_only=True)
class Doll:
    """A person in clothes, with everything that is known about the picture."""

    seed: int
    """The seed that the whole scene follows from, with the mode and the category."""
    size: tuple[int, int]
    """(height, width) of every picture, in pixels."""
    mode: Mode
    """`studio` or `street`."""
    category: Category
    """The category of the pair's garment."""
    person: UInt8[np.ndarray, "H W 3"]
    """The photo, RGB."""
    parse: UInt8[np.ndarray, "H W"]
    """Human parsing in LIP's 20 labels, with VITON-HD's 10 for neck and chest."""
    joints: Float32[np.ndarray, "18 3"]
    """COCO-18 joints: x, y in pixels, and 1 where the joint is in the frame, else 0."""
    garments: dict[str, FlatGarment]
    """Everything worn, by `upper`, `lower`, `dress`, `hat`."""
    captions: dict[Telling, str]
    """A sentence about the whole picture, by what it says of the clothes."""
    hardness: Hardness
    """How hard the pair's own garment is to restore."""

    @property
    def caption(self) -> str:
        """A sentence about the whole picture, the clothes described."""
        return self.captions["described"]

    @property
    def garment(self) -> UInt8[np.ndarray, "H W 3"]:
        """The pair's garment laid flat, RGB."""
        return self.garments[self.category].image

    @property
    def silhouette(self) -> UInt8[np.ndarray, "H W"]:
        """The pair's flat silhouette, 0 or 255."""
        return self.garments[self.category].silhouette

    @property
    def agnostic_mask(self) -> UInt8[np.ndarray, "H W"]:
        """The agnostic mask of the pair's garment, 0 or 255."""
        return self.garments[self.category].agnostic_mask

    @property
    def garment_caption(self) -> str:
        """A short sentence about the pair's garment."""
        return self.garments[self.category].caption
