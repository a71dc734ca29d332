"""Agnostic masks and parse maps, as VITON-HD and DressCode define them."""

import cv2
import numpy as np

from toile.dolls.figure import limb_outline
from toile.dolls.frame import SUBPIXEL_BITS, Frame, fixed_point
from toile.dolls.outfit import GarmentSpec
from toile.dolls.painter import (
    ARMS,
    BAG,
    FACE,
    FIRST_GARMENT,
    HAIR,
    HANDS,
    LEGS,
    PANELS_PER_GARMENT,
    SHOES,
    TORSO,
)
from toile.dolls.skeleton import SIDES, Skeleton
from toile.dolls.wear import WornGarment

# LIP's labels, with VITON-HD's 10 for bare neck and chest. "left" is the person's left.
LIP = {
    "background": 0, "hat": 1, "hair": 2, "upper": 5, "dress": 6, "trousers": 9, "torso skin": 10,
    "skirt": 12,
    "face": 13, "left arm": 14, "right arm": 15, "left leg": 16, "right leg": 17, "left shoe": 18,
    "right shoe": 19,
}  # fmt: skip
BODY_LABELS = {
    HAIR: LIP["hair"],
    FACE: LIP["face"],
    TORSO: LIP["torso skin"],
    BAG: LIP["background"],
    **{ARMS[side]: LIP[f"{side} arm"] for side in SIDES},
    **{HANDS[side]: LIP[f"{side} arm"] for side in SIDES},
    **{LEGS[side]: LIP[f"{side} leg"] for side in SIDES},
    **{SHOES[side]: LIP[f"{side} shoe"] for side in SIDES},
}


def garment_label(spec: GarmentSpec) -> int:
    """LIP's label of a garment."""
    if spec.category == "lower":
        return LIP["skirt"] if spec.cut == "skirt" else LIP["trousers"]
    return LIP[spec.category]


def parse_map(owner: np.ndarray, clothes: dict[str, WornGarment]) -> np.ndarray:
    """LIP labels of a painted picture, uint8 (H, W)."""
    table = np.zeros(256, np.uint8)
    for number, label in BODY_LABELS.items():
        table[number] = label
    for garment in clothes.values():
        table[garment.first_owner : garment.first_owner + PANELS_PER_GARMENT] = garment_label(garment.spec)
    return np.asarray(table[owner])


def agnostic_mask(
    spec: GarmentSpec, worn: np.ndarray, owner: np.ndarray, skeleton: Skeleton, body: Frame
) -> np.ndarray:
    """What has to be repainted to change the garment: roomy, smooth, and never less than the garment itself.

    Upper garments take the torso and the arms, lower garments the hips and the legs, dresses both. Face,
    hair,
    hands and shoes are kept.
    """
    size = (worn.shape[0], worn.shape[1])
    region = np.zeros(size, np.uint8)
    for polygon in _region(spec, skeleton):
        cv2.fillConvexPoly(region, fixed_point(body(polygon)), 255, cv2.LINE_8, SUBPIXEL_BITS)
    region |= worn
    reach = max(1, round(body.d * (0.022 if spec.category != "hat" else 0.012)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    grown = np.asarray(cv2.dilate(region, kernel), np.uint8)
    grown[_kept(spec, owner)] = 0
    return np.asarray(grown | worn)


def _kept(spec: GarmentSpec, owner: np.ndarray) -> np.ndarray:
    """Pixels of the body that stay: face, hair, hands, shoes."""
    keep = np.zeros(256, bool)
    keep[[FACE, HANDS["right"], HANDS["left"], SHOES["right"], SHOES["left"]]] = True
    keep[HAIR] = spec.category != "hat"
    keep[FIRST_GARMENT:] = False
    return np.asarray(keep[owner])


def _region(spec: GarmentSpec, skeleton: Skeleton) -> list[np.ndarray]:
    shapes: list[np.ndarray] = []
    if spec.category in ("upper", "dress"):
        shapes += _torso_box(skeleton, 0.165, 0.53)
        for name in SIDES:
            distances = np.linspace(0.0, 0.285, 8)
            shapes += limb_outline(skeleton.arms[name], distances, np.full(8, 0.036))
    if spec.category in ("lower", "dress"):
        shapes += _torso_box(skeleton, 0.395, 0.56)
        points = [skeleton.legs[name].at(np.linspace(0.0, 0.41, 6)) for name in SIDES]
        for step in range(5):
            edge = [
                skeleton_points[step : step + 2] + normal[step : step + 2] * 0.06
                for skeleton_points, normal in points
            ]
            shapes.append(np.stack([edge[0][0], edge[0][1], edge[1][1], edge[1][0]]))
    return shapes


def _torso_box(skeleton: Skeleton, top: float, bottom: float) -> list[np.ndarray]:
    heights = np.linspace(top, bottom, 6)
    widths = np.interp(heights, (0.165, 0.20, 0.56), (0.05, 0.122, 0.122))
    left, right = skeleton.torso(-widths, heights), skeleton.torso(widths, heights)
    return [np.stack([left[i], left[i + 1], right[i + 1], right[i]]) for i in range(len(heights) - 1)]
