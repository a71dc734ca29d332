"""Hands and feet, which no label of human parsing tells from the arms and legs that they end."""

import cv2
import numpy as np
from jaxtyping import Bool, Float64

from toile.data.body_shapes import Body

HAND, FOOT = 0.45, 0.45
"""Usual lengths, as shares of the shoulders' width."""
GRID = 160
"""Distances within a limb are walked on a picture that is no higher than this."""

LIMBS = {"arm": ("elbow", "wrist"), "leg": ("knee", "ankle")}


def beyond_joint(
    limb: Bool[np.ndarray, "H W"], body: Body, side: str, name: str
) -> Bool[np.ndarray, "H W"] | None:
    """The end of a limb, beyond its last joint; None when the joints were not found.

    Args:
        limb: pixels of that arm or leg, bare.
        body: the joints.
        side: `right` or `left`, the person's own.
        name: `arm` or `leg`.
    """
    names = LIMBS[name]
    inner, outer = body.joints.get(f"{side} {names[0]}"), body.joints.get(f"{side} {names[1]}")
    if inner is None or outer is None:
        return None
    rows, columns = np.ogrid[: limb.shape[0], : limb.shape[1]]
    along = outer - inner
    ahead = (columns - outer[0]) * along[0] + (rows - outer[1]) * along[1] > 0
    near = (columns - outer[0]) ** 2 + (rows - outer[1]) ** 2 < (2.5 * HAND * body.width) ** 2
    return np.asarray(limb & ahead & near)


def far_end(
    limb: Bool[np.ndarray, "H W"], root: Float64[np.ndarray, "2"], length: float
) -> Bool[np.ndarray, "H W"]:
    """The end of a limb by its shape alone: what is farthest from its root, walking inside of the limb.

    Ours: parsing alone does not say where a wrist is. A limb that is hardly longer than a hand is all hand,
    as below a long sleeve; a longer one that leaves the photo shows no end.

    Args:
        limb: pixels of one arm or leg, bare.
        root: x, y of the place that the limb grows from, as the neck.
        length: of a hand or foot, in pixels.
    """
    if not limb.any():
        return limb.copy()
    scale = min(1.0, GRID / max(limb.shape))
    small = cv2.resize(limb.astype(np.float32), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    small = cv2.morphologyEx((small > 0).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    steps = _walked(small, np.asarray(root) * scale)
    extent, reach = int(steps.max()), length * scale
    if extent <= 1.5 * reach:
        return limb.copy()
    if _leaves(limb):
        return np.zeros_like(limb)
    end = (steps > extent - reach).astype(np.uint8)
    return np.asarray(limb & (cv2.resize(end, limb.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0))


def _leaves(limb: np.ndarray) -> bool:
    """Whether a good part of the photo's edge belongs to the limb."""
    edge = np.concatenate([limb[0], limb[-1], limb[:, 0], limb[:, -1]])
    return int(edge.sum()) > 0.01 * sum(limb.shape)


def _walked(limb: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Steps from the pixel of the limb that is nearest to the root; -1 where no way leads."""
    rows, columns = np.nonzero(limb)
    nearest = int(np.argmin((columns - root[0]) ** 2 + (rows - root[1]) ** 2))
    front = np.zeros_like(limb)
    front[rows[nearest], columns[nearest]] = 1
    steps = np.where(front > 0, 0, -1)
    cross, square = np.ones((3, 3), np.uint8), np.ones((3, 3), np.uint8)
    cross[::2, ::2] = 0  # by turns, so that a step is as long on a diagonal as it is straight on
    for step in range(1, sum(limb.shape)):
        front = cv2.dilate((steps >= 0).astype(np.uint8), square if step % 2 else cross) & limb
        reached = (front > 0) & (steps < 0)
        if not reached.any():
            break
        steps[reached] = step
    return np.asarray(steps)
