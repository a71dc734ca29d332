"""A picture painted layer by layer, with round shading, soft shadows and a record of who owns each pixel."""

import cv2
import numpy as np

from toile.dolls.fill import bounding_box, fill_polygons
from toile.dolls.frame import Frame
from toile.dolls.palette import RGB
from toile.dolls.scene import Light

Points = np.ndarray

BACKGROUND, HAIR, FACE, TORSO = 0, 1, 2, 3
ARMS, HANDS = {"right": 4, "left": 5}, {"right": 6, "left": 7}
LEGS, SHOES = {"right": 8, "left": 9}, {"right": 10, "left": 11}
BAG = 12
FIRST_GARMENT, PANELS_PER_GARMENT = 32, 8


class Painter:
    """The person picture while it is painted."""

    def __init__(self, image: np.ndarray, frame: Frame, light: Light, lit: bool) -> None:
        """Starts on a background.

        Args:
            image: The background, float32 (3, H, W) in [0, 255]; painted on in place.
            frame: From body units to pixels.
            light: Where the light comes from.
            lit: Without light, colours are laid down unchanged (to check the warp).
        """
        self.image, self.frame, self.light, self.lit = image, frame, light, lit
        self.size = (image.shape[1], image.shape[2])
        self.owner = np.zeros(self.size, np.uint8)

    def polygons(
        self,
        shapes: list[Points],
        colour: RGB,
        owner: int | None,
        *,
        round_: float = 0.012,
        depth: float = 1.0,
        shadow: float = 0.0,
    ) -> None:
        """Paints the union of polygons (body units) in one colour.

        Args:
            shapes: The polygons.
            colour: Their colour.
            owner: Whose pixels they are from now on; None keeps the owner (make-up, straps).
            round_: How far the shading reaches inwards from the edge, in body units.
            depth: Strength of that shading; 0 for a flat colour.
            shadow: Strength of the shadow on what lies below.
        """
        points = [self.frame(shape) for shape in shapes]
        reach = 3.2 * round_ * self.frame.d if depth or shadow else 0.0
        box = bounding_box(np.concatenate(points), self.size, reach + 2)
        if box is None:
            return
        corner = np.array([box[1].start, box[0].start])
        size = (box[0].stop - box[0].start, box[1].stop - box[1].start)
        mask = fill_polygons([polygon - corner for polygon in points], size)
        self.layer(
            mask,
            box,
            np.array(colour, np.float32)[:, None, None],
            owner,
            round_=round_,
            depth=depth,
            shadow=shadow,
        )

    def layer(
        self,
        mask: np.ndarray,
        box: tuple[slice, slice],
        colour: np.ndarray,
        owner: int | None,
        *,
        round_: float,
        depth: float = 1.0,
        shadow: float = 0.0,
    ) -> None:
        """Paints a mask (h, w) over a box of the picture, in one colour (3, 1, 1) or a picture (3, h, w)."""
        image = self.image[:, box[0], box[1]]
        if self.lit and (depth or shadow):
            soft, towards, away = self._relief(mask, round_ * self.frame.d)
            if shadow:
                below = self.owner[box] > 0
                fall = towards * np.float32(-shadow * self.light.strength / 255) * below + np.float32(1)
                image *= fall
            shade = self._shade(soft, towards, away, depth)
            colour = colour * shade
        share = mask.astype(np.float32) * np.float32(1 / 255)
        image += share * (colour - image)
        if owner is not None:
            self.owner[box][mask > 127] = owner

    def _relief(self, mask: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The blurred mask, and the same seen from towards the light and from away from it."""
        radius = max(1, round(2.45 * sigma) - 1)
        blurred = cv2.stackBlur(mask, (2 * radius + 1, 2 * radius + 1))
        dx, dy = (round(sigma * 0.9 * part) for part in self.light.direction)
        return blurred.astype(np.float32), shifted(blurred, dx, dy), shifted(blurred, -dx, -dy)

    def _shade(self, soft: np.ndarray, towards: np.ndarray, away: np.ndarray, depth: float) -> np.ndarray:
        """Brightness (3, h, w) of a rounded surface: lighter to the light, darker and warmer away from it."""
        strength = np.float32(depth * self.light.strength / 255)
        edge = np.minimum(soft - np.float32(235), 0.0) * (strength * np.float32(0.16))
        slope = (away - towards) * (strength * np.float32(0.13))
        fall = edge + slope
        warm = np.array((0.85, 1.05, 1.10), np.float32)
        return np.asarray(1 + fall * warm[:, None, None])


def shifted(image: np.ndarray, dx: int, dy: int) -> np.ndarray:
    """The picture's value at (x + dx, y + dy), edges repeated; float32."""
    height, width = image.shape
    up, left = max(-dy, 0), max(-dx, 0)
    wide = cv2.copyMakeBorder(image, up, max(dy, 0), left, max(dx, 0), cv2.BORDER_REPLICATE)
    return wide[up + dy : up + dy + height, left + dx : left + dx + width].astype(np.float32)
