"""Garments on the body: each panel's grid of vertices, flat and on the posed person, in body units."""

from dataclasses import dataclass

import numpy as np

from toile.dolls.cuts import Cut
from toile.dolls.dice import Dice
from toile.dolls.noise import sine
from toile.dolls.outfit import GarmentSpec
from toile.dolls.shapes import Sleeve
from toile.dolls.skeleton import SIDES, Skeleton, arm_radius, leg_radius

Points = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A piece of cloth: a grid with flat and body positions."""

    name: str
    """`main`, `right sleeve`, `left sleeve`, `right leg` or `left leg`."""
    flat: Points
    """Flat positions (R, C, 2)."""
    body: Points
    """Positions on the person (R, C, 2)."""


def build_panels(spec: GarmentSpec, cut: Cut, skeleton: Skeleton) -> list[Panel]:
    """All panels of a garment; neighbours share their common edge on both sides."""
    if spec.category == "hat":
        panels = [_hat_panel(cut, skeleton)]
    elif cut.inseam is not None:
        panels = [_leg_panel(name, cut, skeleton) for name in SIDES]
    else:
        drape = Drape(spec, cut, skeleton)
        panels = [drape.main_panel()]
        if cut.sleeve is not None:
            panels += [drape.sleeve_panel(name, cut.sleeve) for name in SIDES]
    return [_ruffled(panel, spec) for panel in panels]


class Drape:
    """How a top, a dress or a skirt hangs on a body."""

    def __init__(self, spec: GarmentSpec, cut: Cut, skeleton: Skeleton) -> None:
        """Keeps what is needed to place points."""
        self.spec, self.cut, self.skeleton = spec, cut, skeleton

    def half_width(self, y: np.ndarray) -> np.ndarray:
        """Flat half width of the main panel."""
        return np.asarray(np.interp(y, *self.cut.sides))

    def place(self, u: np.ndarray, y: np.ndarray) -> Points:
        """Body position of a point: share u of the panel's half width (-1 right, 1 left edge), height y."""
        bulge = 0.20 * np.clip((y - 0.19) / 0.08, 0.0, 1.0)
        around = u * (1 + bulge) - bulge * u**3
        factor = np.interp(y, (0.18, 0.27, 0.50, 0.60), (1.0, 0.97, 0.97, 0.98))
        body = self.skeleton.torso(around * self.half_width(y) * factor, y)
        return self._over_legs(around, y, body)

    def _over_legs(self, around: np.ndarray, y: np.ndarray, body: Points) -> Points:
        """Below the hips, widens the panel so that it covers the legs."""
        wide = np.clip((y - 0.52) / 0.10, 0.0, 1.0)
        if not wide.any():
            return body
        body = body.copy()
        stout = self.skeleton.look.stout
        for name, side in SIDES.items():
            distance = np.clip(y - 0.51, 0.0, 0.44)
            point, normal = self.skeleton.legs[name].at(distance)
            reach = (point + normal * (leg_radius(distance, stout) + 0.012)[..., None])[..., 0]
            centre = self.skeleton.hips[0]
            edge = centre + side * self.half_width(y) * 0.98
            beyond = np.maximum(side * (reach - edge), 0.0) * wide
            share = np.clip(side * around, 0.0, 1.0)
            body[..., 0] += side * beyond * share
        return body

    def main_panel(self) -> Panel:
        """The body of the garment (or the whole skirt)."""
        heights = self.cut.sides[0]
        top = float(self.cut.outline[:, 1].min()) - 0.008
        hem = float(self.cut.outline[:, 1].max()) + 0.008
        count = max(8, round((hem - top) / 0.036))
        knots = [y for y in heights[1:-1] if top < y < hem]
        rows = np.unique(np.concatenate([np.linspace(top, hem, count), knots]))
        y = np.repeat(rows[:, None], 11, axis=1)
        u = np.repeat(np.linspace(-1.0, 1.0, 11)[None], len(rows), axis=0)
        outer = np.where(np.abs(u) > 0.99, 0.006, 0.0)
        u_wide = u * (1 + outer / self.half_width(y))
        return Panel(
            name="main", flat=np.stack([u_wide * self.half_width(y), y], axis=-1), body=self.place(u_wide, y)
        )

    def sleeve_panel(self, name: str, sleeve: Sleeve) -> Panel:
        """A sleeve: its first row lies on the armhole, the rest follows the arm."""
        side = SIDES[name]
        along = np.concatenate([np.linspace(0.0, 1.0, 5 + round(sleeve.length / 0.04)), [1.03]])
        flip = np.array([side, 1.0])
        tip, pit = np.array(sleeve.shoulder) * flip, np.array(sleeve.armpit) * flip
        flat_outer = tip + along[:, None] * (np.array(sleeve.cuff_outer) * flip - tip)
        flat_inner = pit + along[:, None] * (np.array(sleeve.cuff_inner) * flip - pit)
        half = np.hypot(*(flat_outer - flat_inner).T) / 2
        body_outer, body_inner = self._sleeve_edges(name, sleeve, along * sleeve.length * 0.93, half)
        share = np.array([-0.07, 0.0, 0.25, 0.5, 0.75, 1.0, 1.07])
        bulge = np.where(np.abs(share - 0.5) > 0.5, share, share + 0.9 * (share - 0.5) * share * (1 - share))
        settle = np.clip(along / 0.3, 0.0, 1.0)[:, None]
        across = share * (1 - settle) + bulge * settle
        flat = flat_outer[:, None] + share[None, :, None] * (flat_inner - flat_outer)[:, None]
        body = body_outer[:, None] + across[:, :, None] * (body_inner - body_outer)[:, None]
        return Panel(name=f"{name} sleeve", flat=flat, body=body)

    def _sleeve_edges(
        self, name: str, sleeve: Sleeve, distance: np.ndarray, half: np.ndarray
    ) -> tuple[Points, Points]:
        """Outer and inner edge of a sleeve on the arm, at these distances from the shoulder joint."""
        side, arm, settled = SIDES[name], self.skeleton.arms[name], 0.098
        heights = np.array([sleeve.shoulder[1], sleeve.armpit[1]])
        tip, pit = self.place(np.full(2, side), heights)

        def edges(at: np.ndarray, flat_half: np.ndarray) -> tuple[Points, Points]:
            point, normal = arm.at(at)
            bare = arm_radius(at, self.skeleton.look.stout) * 1.04 + 0.003
            offset = normal * np.maximum(flat_half * 0.82, bare)[:, None]
            return point + offset, point - offset

        outer, inner = edges(np.maximum(distance, settled), half)
        bend, _ = edges(np.array([0.022]), np.array([half[0] * 0.85]))
        share = np.clip(distance / settled, 0.0, 1.0)[:, None]
        start = share < 1.0
        first, first_inner = edges(np.array([settled]), np.array([np.interp(settled, distance, half)]))
        curve = (1 - share) ** 2 * tip + 2 * share * (1 - share) * bend + share**2 * first
        line = pit + (first_inner - pit) * share
        return np.where(start, curve, outer), np.where(start, line, inner)


def _leg_panel(name: str, cut: Cut, skeleton: Skeleton) -> Panel:
    """Half a pair of trousers, from the middle line to the outer seam."""
    side = SIDES[name]
    assert cut.inseam is not None
    hem = float(cut.outline[:, 1].max()) + 0.006
    rows = np.unique(
        np.concatenate([np.linspace(0.390, hem, max(8, round((hem - 0.39) / 0.04))), [0.50, 0.56]])
    )
    outer, inner = np.interp(rows, *cut.sides), np.interp(rows, *cut.inseam)
    margin = np.where(rows > 0.56, -0.05, 0.0)[:, None]
    share = np.linspace(0.0, 1.0, 6)[None] * np.ones((len(rows), 1))
    share[:, 0] += margin[:, 0]
    share[:, -1] += 0.05
    flat_x = inner[:, None] + share * (outer - inner)[:, None]
    y = np.repeat(rows[:, None], share.shape[1], axis=1)
    upper = skeleton.torso(side * flat_x * 0.97, y)
    distance = np.maximum(rows - 0.51, 0.0)
    point, normal = skeleton.legs[name].at(distance)
    half = np.maximum((outer - inner) / 2 * 0.90, leg_radius(distance, skeleton.look.stout) + 0.003)
    around = (share - 0.5) * 2
    around = around * 1.16 - 0.16 * around**3
    lower = point[:, None] + normal[:, None] * (around * half[:, None])[..., None]
    blend = np.clip((rows - 0.50) / 0.11, 0.0, 1.0)
    blend = (blend * blend * (3 - 2 * blend))[:, None, None]
    flat = np.stack([side * flat_x, y], axis=-1)
    return Panel(name=f"{name} leg", flat=flat, body=upper * (1 - blend) + lower * blend)


def _hat_panel(cut: Cut, skeleton: Skeleton) -> Panel:
    heights, widths = cut.sides
    x, y = np.meshgrid(np.linspace(-widths[0], widths[0], 7), np.linspace(heights[0], heights[1], 7))
    head = skeleton.head
    gaze = 0.05 * skeleton.pose.gaze
    # The rim (y = 0.012) sits above the brows; hats are cut a little wider than the head.
    curve = 0.25 * (x / 0.06) ** 2 * np.clip(y + 0.02, 0.0, 0.1)
    local = np.stack([x / head.unit * 1.10 + gaze, (y - curve) / head.unit * 1.10 - 0.62], axis=-1)
    return Panel(name="main", flat=np.stack([x, y], axis=-1), body=head.place(local))


def _ruffled(panel: Panel, spec: GarmentSpec) -> Panel:
    """Adds a smooth random field to the body positions: cloth never lies exactly as planned."""
    waves = Dice(spec.folds, "ruffle").array(2, 3, 3)
    x, y = panel.flat[..., 0], panel.flat[..., 1]
    strength = np.interp(y, (0.17, 0.30, 0.60), (0.0, 0.0022, 0.0040)) if spec.category != "hat" else 0.0008
    moved = panel.body.copy()
    for axis in (0, 1):
        for fx, fy, phase in waves[axis]:
            angle = 24.0 * (fx * x + fy * y) * 2.0 + 3.14159 * phase
            moved[..., axis] += strength * sine(angle) * (1.0 if axis == 0 else 0.7)
    return Panel(name=panel.name, flat=panel.flat, body=moved)
