"""How a garment is worn in the photo, from the parse map and the joints: what hides it, what is cut off.

H W: pixels of the photo. A body is described by the four corners of its torso: the right and the left
shoulder, the left and the right hip; "right" is the person's right.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from toile.data.parse_labels import GARMENT_LABELS, LIP
from toile.data.pose import Pose
from toile.data.record import Category

TORSO_LENGTH = 1.6
"""Ours: from shoulders to hips, in shoulder widths, where one of both lies outside the frame."""
HIP_WIDTH = 0.6
"""Ours: between the hip joints, in shoulder widths."""
FACING_SHOULDERS = 0.64
"""Ours: shoulder width of somebody who faces the camera, in torso lengths."""
WAIST = 0.3
"""Ours: how far lower garments begin above the hip joints, in torso lengths."""
LEAST_SHARE = 0.002
"""Ours: a garment that shows on less of the photo is not seen at all."""
NEXT_LABELS: dict[Category, frozenset[int]] = {
    "upper": GARMENT_LABELS["dress"],
    "lower": frozenset(),
    "dress": GARMENT_LABELS["upper"] | GARMENT_LABELS["lower"],
}
"""What parsers call a garment of this kind when they do not use its own label."""
BARE = frozenset({LIP["left arm"], LIP["right arm"]})
TOPS = GARMENT_LABELS["upper"] | GARMENT_LABELS["dress"]
OVER: dict[Category, frozenset[int]] = {
    "upper": BARE | GARMENT_LABELS["lower"] | {LIP["hair"], LIP["background"], LIP["scarf"]},
    "lower": BARE | TOPS | {LIP["hair"], LIP["background"]},
    "dress": BARE | {LIP["hair"], LIP["background"], LIP["scarf"]},
}
"""What hides the garment where it should be seen. LIP has no bag: within the body it is the background."""


def worn_region(parse: UInt8[np.ndarray, "H W"], category: Category) -> Bool[np.ndarray, "H W"]:
    """Where the garment is seen in the photo; nothing when it is not."""
    for labels in (GARMENT_LABELS[category], NEXT_LABELS[category]):
        region = np.isin(parse, sorted(labels))
        if np.count_nonzero(region) >= LEAST_SHARE * parse.size:
            return region
    return np.zeros(parse.shape, bool)


def torso_corners(pose: Pose) -> Float32[np.ndarray, "4 2"] | None:
    """Right and left shoulder, left and right hip; what is missing follows from the rest, upright.

    Returns:
        x, y in pixels, or None where neither both shoulders nor both hips were found.
    """
    shoulders = [pose.point(f"{side} shoulder") for side in ("right", "left")]
    hips = [pose.point(f"{side} hip") for side in ("left", "right")]
    if not pose.found("right shoulder", "left shoulder"):
        if not pose.found("right hip", "left hip"):
            return None
        shoulders = _beyond(hips[::-1], 1 / HIP_WIDTH, -TORSO_LENGTH / HIP_WIDTH)
    elif not pose.found("right hip", "left hip"):
        hips = _beyond(shoulders[::-1], HIP_WIDTH, TORSO_LENGTH)
    return np.stack([*shoulders, *hips]).astype(np.float32)


def _beyond(pair: list[np.ndarray], widened: float, below: float) -> list[np.ndarray]:
    """Two points `below` a pair, `widened` times as far apart; lengths in the pair's distance."""
    middle, half = (pair[0] + pair[1]) / 2, (pair[1] - pair[0]) / 2
    centre = middle + np.array([0, below * 2 * np.linalg.norm(half)])
    return [centre - widened * half, centre + widened * half]


def garment_corners(
    corners: Float32[np.ndarray, "4 2"], category: Category, bottom: float
) -> Float32[np.ndarray, "4 2"]:
    """The quadrilateral in which a garment of this kind should be seen, from the torso's corners.

    Args:
        corners: see `torso_corners`.
        category: of the garment.
        bottom: the lowest row in which the garment is seen; lower garments and dresses end there.

    Returns:
        Right and left top, left and right bottom; x, y in pixels.
    """
    right, left, left_hip, right_hip = corners.astype(np.float64)
    across, down = left_hip - right_hip, (left_hip + right_hip - left - right) / 2
    if category == "upper":
        below = [left_hip + 0.1 * across, right_hip - 0.1 * across]
        return np.stack([right, left, *below]).astype(np.float32)
    reach = max(0.2, (bottom - (left_hip + right_hip)[1] / 2) / max(abs(down[1]), 1.0)) * down
    if category == "dress":
        below = [left_hip + 0.1 * across + reach, right_hip - 0.1 * across + reach]
        return np.stack([right, left, *below]).astype(np.float32)
    top = [right_hip - 0.3 * across - WAIST * down, left_hip + 0.3 * across - WAIST * down]
    below = [left_hip + 0.3 * across + reach, right_hip - 0.3 * across + reach]
    return np.stack([*top, *below]).astype(np.float32)


def hidden_region(
    parse: UInt8[np.ndarray, "H W"], corners: Float32[np.ndarray, "4 2"], category: Category
) -> Bool[np.ndarray, "H W"]:
    """Where something else is seen in the place of the garment.

    Args:
        parse: LIP's labels.
        corners: see `garment_corners`.
        category: of the garment.
    """
    inside = np.zeros(parse.shape, np.uint8)
    cv2.fillPoly(inside, [np.rint(corners).astype(np.int32)], 1)
    over = np.isin(parse, sorted(OVER[category])) & (inside > 0)
    if category == "upper":
        return over
    # Between the legs and beside them the background belongs where it is: only above the thighs is it a bag.
    length, width = np.ptp(corners[:, 1]), np.ptp(corners[:2, 0])
    thighs = corners[:2, 1].max() + (0.75 * width if category == "lower" else 0.55 * length)
    above = np.arange(len(parse))[:, None] < thighs
    return np.asarray(over & ((parse != LIP["background"]) | above))


def occlusion(worn: Bool[np.ndarray, "H W"], hidden: Bool[np.ndarray, "H W"]) -> float:
    """The share of the garment that something hides, in [0, 1]; 1 when nothing of it is seen.

    Ours: IGR's Sec. 3.4 removes "inappropriate occlusions" by hand.
    """
    seen, over = np.count_nonzero(worn), np.count_nonzero(hidden)
    return over / (over + seen) if seen else 1.0


def truncation(worn: Bool[np.ndarray, "H W"]) -> float:
    """How much of the garment's outline is the frame's edge, in [0, 1].

    The length along which the garment touches the frame, over its width plus its height. Ours: as above.
    """
    rows, columns = np.flatnonzero(worn.any(axis=1)), np.flatnonzero(worn.any(axis=0))
    if not len(rows):
        return 0.0
    touching = sum(int(np.count_nonzero(edge)) for edge in (worn[0], worn[-1], worn[:, 0], worn[:, -1]))
    return min(1.0, touching / float(np.ptp(rows) + np.ptp(columns) + 2))


def turned_away(pose: Pose) -> float | None:
    """How far the person is turned from the camera: 0 facing it, 1 in profile; None without the joints.

    1 minus the shoulders' width over what it is in somebody who faces the camera.
    """
    if not pose.found("right shoulder", "left shoulder", "right hip", "left hip"):
        return None
    right, left, left_hip, right_hip = torso_corners(pose)  # type: ignore[misc]  # all four were found
    length = float(np.linalg.norm((left_hip + right_hip - left - right) / 2))
    width = float(np.linalg.norm(left - right))
    return max(0.0, 1 - width / (FACING_SHOULDERS * length)) if length else None


def hidden_detail(
    hidden: Bool[np.ndarray, "H W"],
    corners: Float32[np.ndarray, "4 2"],
    garment: UInt8[np.ndarray, "h w 3"],
    silhouette: Bool[np.ndarray, "h w"],
    box: tuple[int, int, int, int],
) -> float:
    """The share of the flat garment's detail (letters, logos, seams, edges of its pattern) that is hidden.

    What hides the garment is laid on the flat picture by the quadrilateral's corners, and weighs as much as
    the colours change there. Ours: the paper keeps occlusions that "do not obscure key garment features".

    Args:
        hidden: see `hidden_region`.
        corners: see `garment_corners`.
        garment: the flat garment, RGB.
        silhouette: its silhouette.
        box: left, top, right and bottom of the part of it that the corners stand for (`torso_box`).
    """
    left, top, right, bottom = box
    flat = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, flat)
    height, width = silhouette.shape
    over = cv2.warpPerspective(hidden.astype(np.float32), matrix, (width, height))
    detail = _detail(garment, silhouette)
    total = float(detail.sum())
    return float((detail * over).sum()) / total if total else float(over[silhouette].mean())


def _detail(
    garment: UInt8[np.ndarray, "h w 3"], silhouette: Bool[np.ndarray, "h w"]
) -> Float32[np.ndarray, "h w"]:
    """How much the colours change at each pixel inside the garment, its rim left out."""
    grey = cv2.GaussianBlur(cv2.cvtColor(garment, cv2.COLOR_RGB2GRAY), (5, 5), 0).astype(np.float32)
    strength = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    inner = cv2.erode(silhouette.astype(np.uint8), np.ones((9, 9), np.uint8), borderValue=0)
    return np.asarray(strength * inner, np.float32)
