"""Puts a flat garment on the person, and says where each of its pixels went."""

from dataclasses import dataclass

import cv2
import numpy as np

from toile.dolls.cuts import Cut
from toile.dolls.flat import FlatCloth, to_picture
from toile.dolls.frame import Frame
from toile.dolls.mesh import PanelMap, rasterise
from toile.dolls.outfit import GarmentSpec
from toile.dolls.painter import FIRST_GARMENT, PANELS_PER_GARMENT, Painter
from toile.dolls.panels import Panel, build_panels
from toile.dolls.skeleton import Skeleton


@dataclass(frozen=True, kw_only=True)
class WornPanel:
    """One panel on the person."""

    name: str
    """The panel's name."""
    owner: int
    """Number in the painter's record."""
    to_flat: PanelMap | None
    """For person pixels: where they lie in the flat picture."""
    to_person: PanelMap | None
    """For flat pixels: where they lie on the person."""


class WornGarment:
    """A garment ready to be painted on a person."""

    def __init__(
        self, spec: GarmentSpec, cut: Cut, cloth: FlatCloth, skeleton: Skeleton, body: Frame, number: int
    ) -> None:
        """Computes both maps of every panel."""
        self.spec, self.cloth = spec, cloth
        size = cloth.coverage.shape
        self.size = (size[0], size[1])
        self.first_owner = FIRST_GARMENT + PANELS_PER_GARMENT * number
        grids = build_panels(spec, cut, skeleton)
        self.panels = {grid.name: self._panel(grid, index, body) for index, grid in enumerate(grids)}
        self.minification = cloth.frame.a / body.d
        self._cloth: np.ndarray | None = None

    def _panel(self, grid: Panel, index: int, body: Frame) -> WornPanel:
        flat, person = self.cloth.frame(grid.flat), body(grid.body)
        return WornPanel(
            name=grid.name,
            owner=self.first_owner + index,
            to_flat=rasterise(person, flat, self.size),
            to_person=rasterise(flat, person, self.size),
        )

    def paint(
        self,
        painter: Painter,
        names: tuple[str, ...],
        *,
        behind_neck: bool = False,
        round_: float = 0.02,
        shadow: float = 0.3,
    ) -> None:
        """Paints some panels; `behind_neck` paints the inner back too, which the neck then covers."""
        for name in names:
            panel = self.panels.get(name)
            if panel is None or panel.to_flat is None:
                continue
            colours, mask = self._sample(painter, panel.to_flat, behind_neck, "sleeve" in name)
            painter.layer(
                mask, panel.to_flat.box, colours, panel.owner, round_=round_, depth=1.0, shadow=shadow
            )

    def _sample(
        self, painter: Painter, where: PanelMap, behind_neck: bool, soft_edge: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Colours and coverage of the person's pixels."""
        cloth = self._worn_cloth(painter)
        sampled = cv2.remap(cloth, where.x, where.y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        if behind_neck:
            alpha = cv2.remap(
                self.cloth.coverage, where.x, where.y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
            )
        else:
            alpha = sampled[..., 3]
        covered = where.covered.astype(np.uint8) * np.uint8(255)
        if soft_edge:
            covered = np.asarray(cv2.blur(covered, (3, 3)), np.uint8)
        return sampled[..., :3].transpose(2, 0, 1).astype(np.float32, order="C"), np.minimum(covered, alpha)

    def _worn_cloth(self, painter: Painter) -> np.ndarray:
        """The cloth with folds, as RGBA, softened as far as the person shows it smaller than it lies flat."""
        if self._cloth is None:
            albedo = self.cloth.albedo
            if painter.lit:
                folds = 1 + (self.cloth.folds - 1) * np.float32(painter.light.folds)
                albedo = albedo * folds
            image = np.empty((*self.size, 4), np.uint8)
            image[..., :3] = to_picture(albedo)
            image[..., 3] = cv2.subtract(self.cloth.coverage, self.cloth.inside)
            if self.minification > 1.15:
                sigma = 0.42 * min(self.minification, 4.0)
                side = 3 if sigma < 0.75 else 5
                soft = cv2.GaussianBlur(image, (side, side), sigma, borderType=cv2.BORDER_REPLICATE)
                image = np.asarray(soft, np.uint8)
            self._cloth = image
        return self._cloth

    def warp(self, owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The exact warp of every flat pixel, and whether the point is visible.

        Returns:
            float32 (H, W, 2), NaN outside the silhouette, and bool (H, W).
        """
        x, y = np.full(self.size, np.nan, np.float32), np.full(self.size, np.nan, np.float32)
        panel_of = np.zeros(self.size, np.uint8)
        for panel in self.panels.values():
            where = panel.to_person
            if where is not None:
                np.copyto(x[where.box], where.x, where=where.covered)
                np.copyto(y[where.box], where.y, where=where.covered)
                np.copyto(panel_of[where.box], panel.owner, where=where.covered)
        silhouette = self.cloth.coverage > 0
        self._fill_gaps(x, y, silhouette & (panel_of == 0))
        x[~silhouette] = np.nan
        y[~silhouette] = np.nan
        return np.asarray(cv2.merge([x, y])), self._visible(x, y, panel_of, owner)

    def _fill_gaps(self, x: np.ndarray, y: np.ndarray, missing: np.ndarray) -> None:
        """Continues the warp into the few pixels of the silhouette's rim that no panel covers."""
        rows, columns = np.nonzero(missing)
        while len(rows):
            for dy, dx in ((0, -1), (0, 1), (-1, 0), (1, 0)):
                r, c = np.clip(rows + dy, 0, self.size[0] - 1), np.clip(columns + dx, 0, self.size[1] - 1)
                known = ~np.isnan(x[r, c]) & np.isnan(x[rows, columns])
                x[rows[known], columns[known]] = x[r[known], c[known]]
                y[rows[known], columns[known]] = y[r[known], c[known]]
            left = np.isnan(x[rows, columns])
            rows, columns = rows[left], columns[left]

    def _visible(self, x: np.ndarray, y: np.ndarray, panel_of: np.ndarray, owner: np.ndarray) -> np.ndarray:
        """A flat pixel is visible if the person pixel that it goes to belongs to its panel."""
        front = (self.cloth.coverage > 0) & (panel_of > 0) & (self.cloth.inside < 128)
        index = np.flatnonzero(front)
        column, row = np.rint(x.ravel()[index]).astype(np.int32), np.rint(y.ravel()[index]).astype(np.int32)
        framed = (column >= 0) & (column < self.size[1]) & (row >= 0) & (row < self.size[0])
        at = np.where(framed, row * self.size[1] + column, 0)
        own = framed & (owner.ravel()[at] == panel_of.ravel()[index])
        visible = np.zeros(self.size, bool)
        visible.ravel()[index] = own
        return visible

    def worn(self, owner: np.ndarray) -> np.ndarray:
        """Visible pixels on the person, uint8 (H, W) 0 or 255."""
        mine = (owner >= self.first_owner) & (owner < self.first_owner + PANELS_PER_GARMENT)
        return mine.astype(np.uint8) * np.uint8(255)
