"""Agnostic masks: what of a photo has to be repainted to change one garment, from parse map and pose.

Published: VITON-HD's masks (HR-VITON's script) hold torso, neck and arms, and leave the face, lower garments
and what is below the wrists. The scripts for DressCode do the same; for lower garments they hold the legs and
leave upper garments, arms and shoes; for dresses they hold all of it. CatVTON and IDM-VTON add the worn
garment itself, dilated, and count a dress as the garment when an upper or a lower one is asked for.

Ours: hair and whole hands are left (HR-VITON's script paints over hair, and over half of a hand); every
length is a share of the shoulders' width; the worn garment is always covered; the parse map alone suffices.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, UInt8

from toile.data.body_shapes import HEM, LEG, SIDES, Body, body_of, draw_arms, draw_legs, draw_torso
from toile.data.extremities import FOOT, HAND, beyond_joint, far_end
from toile.data.parse_labels import GARMENT_LABELS, LIP
from toile.data.pose import Pose
from toile.data.region_shapes import box, closed, grown, hull, lowered
from toile.errors import ToileError

MaskVariant = Literal["fitted", "rectangle", "shape-hiding"]
VARIANTS: tuple[MaskVariant, ...] = get_args(MaskVariant)
MASK_CATEGORIES = ("upper", "lower", "dress", "hat")

DILATION = 0.12
"""How far a mask reaches beyond garment and body, as a share of the shoulders' width."""
MOST_DILATION = 2.0
LOW_HEM = 0.45
"""How far below the hips a shape-hiding mask of an upper garment reaches at least."""
HAT_ROOM = 0.2
"""How much farther a shape-hiding mask of a hat reaches, as a share of the shoulders' width."""
LEG_GAP = 0.6
"""So wide a gap between the legs belongs to the region of a lower garment: a skirt would fill it."""
WIDE_LEG = 0.5
"""Half the width of a leg in a shape-hiding mask: most skirts fall into it."""
LEAST_GARMENT = 0.0005
"""A garment that covers a smaller share of the photo than this counts as a parser's mistake."""


def labels(*names: str) -> frozenset[int]:
    """LIP's numbers of these labels."""
    return frozenset(LIP[name] for name in names)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What the mask of a category takes, and what it leaves."""

    clothes: frozenset[int]
    """Labels that are the garment."""
    instead: frozenset[int] = frozenset()
    """Labels that count as the garment where there is more of them than of `clothes`."""
    skin: frozenset[int] = frozenset()
    """Bare skin that such a garment may cover."""
    neighbours: frozenset[int] = frozenset()
    """What a fitted mask leaves: other garments, and skin that such a garment never covers."""
    torso: bool = False
    """Whether the torso is part of the region."""
    arms: bool = False
    """Whether the arms are."""
    legs: bool = False
    """Whether the legs are."""


LEGS = labels("left leg", "right leg", "socks")
ARMS = labels("left arm", "right arm")
RULES: Mapping[str, Rule] = {
    "upper": Rule(
        clothes=GARMENT_LABELS["upper"],
        instead=GARMENT_LABELS["dress"],
        skin=ARMS | labels("torso skin"),
        neighbours=GARMENT_LABELS["lower"] | LEGS,
        torso=True,
        arms=True,
    ),
    "lower": Rule(
        clothes=GARMENT_LABELS["lower"],
        instead=GARMENT_LABELS["dress"],
        skin=LEGS,
        neighbours=GARMENT_LABELS["upper"] | ARMS,
        legs=True,
    ),
    "dress": Rule(
        clothes=GARMENT_LABELS["dress"] | GARMENT_LABELS["upper"] | GARMENT_LABELS["lower"],
        skin=ARMS | LEGS | labels("torso skin"),
        torso=True,
        arms=True,
        legs=True,
    ),
    "hat": Rule(clothes=GARMENT_LABELS["hat"]),
}
"""By category; a dress takes the place of an upper and a lower garment."""
KEPT = labels("face", "sunglasses", "glove", "scarf", "left shoe", "right shoe")
"""Labels that every mask leaves."""
HEAD = labels("hair", "hat")
"""Labels that every mask leaves but a hat's."""


def agnostic_mask(
    parse: UInt8[np.ndarray, "H W"],
    pose: Pose | None,
    category: str,
    *,
    variant: MaskVariant = "fitted",
    dilation: float = DILATION,
) -> UInt8[np.ndarray, "H W"]:
    """Mark what has to be repainted to change a garment; face, hair, hands and shoes stay.

    Args:
        parse: LIP labels of the photo.
        pose: joints in the photo's pixels; without them the parse map alone has to do.
        category: `upper`, `lower`, `dress` or `hat`.
        variant: `fitted` follows garment and body, and leaves other garments; `rectangle` is the box around
            it; `shape-hiding` is rounded, has sleeves to the wrists and legs to the ankles, and does not give
            away what the worn garment looks like.
        dilation: how far to reach beyond garment and body, as a share of the shoulders' width.

    Returns:
        255 where to repaint, 0 elsewhere. Never less than the garment itself.

    Raises:
        ToileError: when an argument is none of the above, or neither parse map nor pose shows a place.
    """
    check_mask(category, variant, dilation)
    wearer = _wearer(parse, pose, category)
    reach = dilation * wearer.width * (0.5 if category == "hat" else 1.0)
    region = _rounded(wearer, reach) if variant == "shape-hiding" else _followed(wearer, reach)
    kept = _labelled(parse, KEPT | (frozenset() if category == "hat" else HEAD)) | wearer.ends
    if variant == "rectangle":
        region = box(region & ~kept)
    if variant == "fitted":
        kept |= _labelled(parse, wearer.rule.neighbours)
    return np.where((region & ~kept) | wearer.garment, np.uint8(255), np.uint8(0))


def check_mask(category: str, variant: str, dilation: float) -> MaskVariant:
    """Refuse what no mask can be made with, and return the variant.

    Raises:
        ToileError: naming the setting, its value, and what it may be.
    """
    if category not in MASK_CATEGORIES:
        raise ToileError(f"category {category!r} is unknown; write one of {', '.join(MASK_CATEGORIES)}")
    if not 0 <= dilation <= MOST_DILATION:
        raise ToileError(f"dilation is {dilation}; it must lie between 0 and {MOST_DILATION:g}")
    for known in VARIANTS:
        if known == variant:
            return known
    raise ToileError(f"variant {variant!r} is unknown; write one of {', '.join(VARIANTS)}")


def worn_garment(parse: UInt8[np.ndarray, "H W"], category: str) -> Bool[np.ndarray, "H W"]:
    """The pixels of the garment that a mask of this category is about; none where nothing like it is worn."""
    rule = RULES[category]
    own, instead = _labelled(parse, rule.clothes), _labelled(parse, rule.instead)
    found = instead if instead.sum() > own.sum() else own
    return found if found.mean() >= LEAST_GARMENT else np.zeros_like(found)


def body_width(parse: UInt8[np.ndarray, "H W"]) -> float:
    """The shoulders' width in pixels, guessed without a pose: from the face, or else from the whole person.

    Ours: the ratios are means over Paper Dolls and over the real samples.
    """
    face = float(_labelled(parse, labels("face")).sum())
    person = float((parse > 0).sum())
    by_person = 0.50 * math.sqrt(person)
    by_face = 2.1 * math.sqrt(face)
    return max(by_face if 0.5 < by_face / max(by_person, 1.0) < 2.0 else by_person, 1.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Wearer:
    """What is known about the person in a photo."""

    rule: Rule
    parse: np.ndarray
    garment: np.ndarray
    """Where the garment is."""
    ends: np.ndarray
    """Where hands and bare feet are."""
    body: Body | None
    width: float
    """The shoulders' width in pixels."""

    @property
    def skin(self) -> np.ndarray:
        """Bare skin that such a garment may cover."""
        return np.asarray(_labelled(self.parse, self.rule.skin) & ~self.ends)


def _wearer(parse: np.ndarray, pose: Pose | None, category: str) -> _Wearer:
    body, garment = body_of(pose), worn_garment(parse, category)
    if not garment.any() and (body is None or category == "hat"):
        raise ToileError(
            f"nothing is labelled as a garment of the category {category}; give a mask, or another category"
        )
    width = body_width(parse) if body is None else body.width
    ends = _ends(parse, body, width)
    return _Wearer(rule=RULES[category], parse=parse, garment=garment, ends=ends, body=body, width=width)


def _labelled(parse: np.ndarray, numbers: frozenset[int]) -> np.ndarray:
    table = np.zeros(256, bool)
    table[list(numbers)] = True
    return np.asarray(table[parse])


def _ends(parse: np.ndarray, body: Body | None, width: float) -> np.ndarray:
    """Hands and bare feet: beyond wrists and ankles, or the far ends of the limbs where those are unknown."""
    found = np.zeros(parse.shape, bool)
    for name, length in (("arm", HAND), ("leg", FOOT)):
        for side in SIDES:
            limb = parse == LIP[f"{side} {name}"]
            if name == "leg" and (parse == LIP[f"{side} shoe"]).any():
                continue
            end = None if body is None else beyond_joint(limb, body, side, name)
            if end is None and limb.any():
                end = far_end(limb, _root(parse, name), length * width)
            found |= False if end is None else end
    return found


def _root(parse: np.ndarray, name: str) -> np.ndarray:
    """About where a limb grows from: below the face, or at the hips."""
    head = _labelled(parse, labels("face", "hair", "torso skin"))
    rows, columns = np.nonzero(head if name == "arm" and head.any() else parse > 0)
    row = rows.max() if name == "arm" and head.any() else np.median(rows)
    return np.array([columns.mean(), row], np.float64)


def _followed(wearer: _Wearer, reach: float) -> np.ndarray:
    """A region that follows garment, skin and body."""
    rule, region = wearer.rule, wearer.garment | wearer.skin
    if rule.legs and not rule.torso:
        region = closed(region, LEG_GAP * wearer.width)
    canvas = np.zeros(region.shape, np.uint8)
    if wearer.body is not None:
        _draw_trunk(canvas, rule, wearer.body, HEM, LEG)
        if rule.arms:
            draw_arms(canvas, wearer.body)
    return grown(region | (canvas > 0), reach)


def _rounded(wearer: _Wearer, reach: float) -> np.ndarray:
    """A region of convex parts: the trunk with all that hangs on it, and the arms to the wrists."""
    rule, garment, width = wearer.rule, wearer.garment, wearer.width
    if not (rule.torso or rule.legs):
        return grown(hull(garment | _above_face(wearer.parse)), reach + HAT_ROOM * width)
    if wearer.body is None:
        low = garment if rule.legs else lowered(garment, LOW_HEM * width)
        return grown(hull(garment | low | wearer.skin), 2 * reach)
    arms, trunk = np.zeros(garment.shape, np.uint8), np.zeros(garment.shape, np.uint8)
    _draw_trunk(trunk, rule, wearer.body, LOW_HEM, WIDE_LEG)
    if rule.arms:
        draw_arms(arms, wearer.body)
    sleeves = grown(arms > 0, 2 * reach)
    hulled = hull((garment & ~sleeves) | (trunk > 0))
    return grown(hulled | (arms > 0) | garment | wearer.skin, 1.5 * reach)


def _draw_trunk(canvas: np.ndarray, rule: Rule, body: Body, hem: float, leg: float) -> None:
    if rule.torso:
        draw_torso(canvas, body, hem)
    if rule.legs:
        draw_legs(canvas, body, leg)


def _above_face(parse: np.ndarray) -> np.ndarray:
    """Hair that a hat may cover: what lies above the middle of the face."""
    hair, face = _labelled(parse, labels("hair")), _labelled(parse, labels("face"))
    rows = np.nonzero(face.any(axis=1))[0]
    if len(rows):
        hair[(rows[0] + rows[-1]) // 2 :] = False
    return hair
