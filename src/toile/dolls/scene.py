"""A scene as plain values, in coordinates that do not depend on the picture's size.

Two units are used. *Canvas units*: the picture is 1 high and 0.75 wide. *Body units*: 1 is the body's height.
Angles are in degrees; "right" is the person's right, on the left of the picture.
"""

from dataclasses import dataclass

from toile.dolls.dice import Dice
from toile.dolls.doll import Category, Mode
from toile.dolls.outfit import (
    GarmentSpec,
    Placement,
    sample_dress,
    sample_hat,
    sample_lower,
    sample_placement,
    sample_upper,
)
from toile.dolls.palette import COLOURS, RGB, SKINS

CANVAS_WIDTH = 0.75


@dataclass(frozen=True, kw_only=True)
class Look:
    """Who the person is."""

    noun: str
    """`woman` or `man`."""
    skin: RGB
    """Skin colour."""
    hair_colour: str
    """Name of the hair colour."""
    hair: str
    """`short`, `bob`, `long`, `bun`, `curly`, `ponytail` or `bald`."""
    hair_side: float
    """Which side the parting (or the ponytail) is on: -1 or 1."""
    hair_forward: tuple[bool, bool]
    """For long hair: whether the strand on the right and on the left hangs in front of the chest."""
    hair_length: float
    """How far long hair reaches down, y in body units."""
    eyes: RGB
    """Colour of the iris."""
    smile: float
    """Mouth: 0 calm, 1 broad smile."""
    brow: float
    """Tilt of the brows, -1 to 1."""
    blush: float
    """Strength of the cheeks' colour."""
    lips: RGB
    """Colour of the lips."""
    shoulders: float
    """Width of the shoulders relative to the standard body."""
    waist: float
    """Width of the waist relative to the standard body."""
    hips: float
    """Width of the hips relative to the standard body."""
    stout: float
    """Thickness of the limbs relative to the standard body."""
    shoes: RGB
    """Colour of the shoes."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """Pose of one arm. Angles run from straight down, positive outwards."""

    name: str
    """Word for the pose."""
    upper: float
    """Direction of the upper arm."""
    fore: float
    """Direction of the forearm."""
    layer: str
    """`side` (normal), `front` (over everything) or `behind` (behind the torso)."""
    hand: bool
    """Whether the hand is drawn (not in a pocket)."""


@dataclass(frozen=True, kw_only=True)
class Pose:
    """Pose of the whole body."""

    right: Arm
    """The right arm."""
    left: Arm
    """The left arm."""
    lean: float
    """Tilt of the torso."""
    shoulder_tilt: float
    """Tilt of the shoulder line."""
    hip_tilt: float
    """Tilt of the hip line."""
    hip_shift: float
    """Sideways shift of the hips, in body units."""
    head_tilt: float
    """Tilt of the head."""
    gaze: float
    """Sideways turn of the face, -1 to 1."""
    thighs: tuple[float, float]
    """Directions of the right and the left thigh."""
    shins: tuple[float, float]
    """Directions of the right and the left shin."""


@dataclass(frozen=True, kw_only=True)
class Camera:
    """Where the body is in the picture: canvas = body * zoom + shift."""

    zoom: float
    """Canvas units per body unit."""
    shift: tuple[float, float]
    """Where the body's origin (crown, middle) lies, in canvas units."""


@dataclass(frozen=True, kw_only=True)
class Bag:
    """A bag in front of the clothes."""

    kind: str
    """`crossbody`, `handbag` or `tote`."""
    side: float
    """-1 for the person's right, 1 for the left."""
    colour: RGB
    """Its colour."""
    size: float
    """Half its width, in body units."""


@dataclass(frozen=True, kw_only=True)
class Light:
    """The light of the scene."""

    direction: tuple[float, float]
    """Where the light comes from, on the picture (x, y)."""
    strength: float
    """How strong shading and shadows are, 1 = soft studio."""
    tint: tuple[float, float, float]
    """Factor on red, green and blue."""
    folds: float
    """Strength of the folds on the person, 1 = usual."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything that one doll follows from."""

    seed: int
    """The seed."""
    mode: Mode
    """`studio` or `street`."""
    category: Category
    """Category of the pair's garment."""
    look: Look
    """Who."""
    pose: Pose
    """How the person stands."""
    camera: Camera
    """How much of the person is seen."""
    garments: tuple[GarmentSpec, ...]
    """Everything worn, in the order of drawing."""
    bag: Bag | None
    """A bag in front, if any."""
    light: Light
    """The light."""


def sample_scene(seed: int, mode: Mode, category: Category | None) -> Scene:
    """Draws the whole scene of a seed."""
    drawn: Category = Dice(seed, mode, "category").weighted({"upper": 0.5, "lower": 0.25, "dress": 0.25})
    chosen = drawn if category is None else category
    look = sample_look(Dice(seed, mode, "look"), woman_only=chosen == "dress")
    pose = sample_pose(Dice(seed, mode, "pose"), mode)
    return Scene(
        seed=seed,
        mode=mode,
        category=chosen,
        look=look,
        pose=pose,
        camera=sample_camera(Dice(seed, mode, "camera"), mode, chosen),
        garments=sample_garments(seed, mode, chosen, look.noun),
        bag=sample_bag(Dice(seed, mode, "bag"), mode, pose),
        light=sample_light(Dice(seed, mode, "light"), mode),
    )


def sample_look(dice: Dice, woman_only: bool) -> Look:
    """Draws who the person is."""
    woman = woman_only or dice.chance(0.62)
    styles = (
        {"long": 0.42, "bob": 0.16, "bun": 0.14, "ponytail": 0.12, "curly": 0.10, "short": 0.06}
        if woman
        else {"short": 0.66, "curly": 0.16, "bald": 0.10, "bun": 0.08}
    )
    forward = dice.chance(0.42)
    return Look(
        noun="woman" if woman else "man",
        skin=dice.pick(SKINS),
        hair_colour=dice.weighted(
            {
                "black": 0.3,
                "brown": 0.24,
                "chestnut": 0.14,
                "blond": 0.16,
                "red": 0.08,
                "grey": 0.05,
                "pink": 0.03,
            }
        ),
        hair=dice.weighted(styles),
        hair_side=dice.sign(),
        hair_forward=(forward and dice.chance(0.75), forward and dice.chance(0.75)),
        hair_length=dice.uniform(0.25, 0.36),
        eyes=dice.pick(((74, 48, 34), (58, 98, 150), (74, 118, 78), (110, 84, 50), (40, 34, 36))),
        smile=dice.uniform(0.1, 1.0),
        brow=dice.uniform(-0.9, 0.2),
        blush=dice.uniform(0.06, 0.26),
        lips=dice.pick(((206, 92, 92), (190, 70, 84), (216, 110, 110)) if woman else ((184, 104, 92),)),
        shoulders=dice.uniform(0.93, 1.0) if woman else dice.uniform(1.03, 1.12),
        waist=dice.uniform(0.86, 1.06) if woman else dice.uniform(1.04, 1.2),
        hips=dice.uniform(0.96, 1.08) if woman else dice.uniform(0.94, 1.02),
        stout=dice.uniform(0.90, 1.04) if woman else dice.uniform(1.04, 1.18),
        shoes=COLOURS[dice.pick(("white", "black", "brown", "red", "navy", "beige", "pink", "charcoal"))],
    )


ARMS: dict[str, tuple[tuple[float, float], tuple[float, float], str, bool]] = {
    "hanging": ((7, 17), (0, 12), "side", True),
    "akimbo": ((36, 48), (-52, -38), "side", True),
    "pocket": ((17, 25), (-16, -6), "side", False),
    "back": ((10, 16), (-34, -20), "behind", False),
    "crossed": ((9, 17), (-104, -80), "front", True),
    "chin": ((10, 18), (-152, -138), "front", True),
    "raised": ((118, 148), (176, 214), "side", True),
    "wave": ((52, 78), (148, 170), "side", True),
}


def sample_arm(dice: Dice, name: str) -> Arm:
    """Draws the angles of an arm in the pose `name`."""
    upper, fore, layer, hand = ARMS[name]
    return Arm(name=name, upper=dice.uniform(*upper), fore=dice.uniform(*fore), layer=layer, hand=hand)


def sample_pose(dice: Dice, mode: Mode) -> Pose:
    """Draws a pose; street poses are livelier and hide more."""
    studio = {"hanging": 0.50, "akimbo": 0.16, "pocket": 0.10, "back": 0.08, "crossed": 0.06, "chin": 0.03,
    "raised": 0.04, "wave": 0.03}  # fmt: skip
    street = {"hanging": 0.30, "akimbo": 0.15, "pocket": 0.14, "back": 0.05, "crossed": 0.13, "chin": 0.07,
    "raised": 0.08, "wave": 0.08}  # fmt: skip
    weights = studio if mode == "studio" else street
    first = dice.weighted(weights)
    second = (
        first if dice.chance(0.62) and first not in ("raised", "wave", "chin") else dice.weighted(weights)
    )
    swing = 1.0 if mode == "studio" else 1.6
    walking = dice.chance(0.35 if mode == "studio" else 0.6)
    step = dice.sign() * dice.uniform(4, 9) * (1.0 if walking else 0.0)
    bend = dice.uniform(0.0, 3.0)
    tilt = dice.uniform(-3.0, 3.0) * swing
    return Pose(
        right=sample_arm(dice, first),
        left=sample_arm(dice, second),
        lean=dice.uniform(-2.0, 2.0) * swing,
        shoulder_tilt=-tilt * 0.8,
        hip_tilt=tilt,
        hip_shift=dice.uniform(-0.010, 0.010) * swing,
        head_tilt=dice.uniform(-6, 6) * swing,
        gaze=dice.uniform(-0.6, 0.6),
        thighs=(dice.uniform(1, 4) + max(step, 0.0), dice.uniform(1, 4) + max(-step, 0.0)),
        shins=(
            dice.uniform(-2, 2) - bend + max(step, 0.0) * 0.4,
            dice.uniform(-2, 2) - bend + max(-step, 0) * 0.4,
        ),
    )


def sample_camera(dice: Dice, mode: Mode, category: Category) -> Camera:
    """Draws how much of the person is seen: head to thigh for upper garments, most of the body otherwise."""
    top, bottom = dice.uniform(0.03, 0.09), dice.uniform(0.60, 0.74)
    if category == "upper" and dice.chance(0.28 if mode == "studio" else 0.4):
        bottom = dice.uniform(0.78, 1.03)
    if category == "lower":
        top = dice.pick((dice.uniform(0.03, 0.08), dice.uniform(-0.20, -0.10)))
        bottom = dice.uniform(1.0, 1.04)
    if category == "dress":
        top, bottom = dice.uniform(0.03, 0.08), dice.uniform(0.98, 1.04)
    close = dice.chance(0.07 if mode == "studio" else 0.10)
    if close:  # Part of the garment leaves the frame.
        top, bottom = (
            (dice.uniform(-0.12, 0.0), 0.44) if category == "upper" else (top, dice.uniform(0.66, 0.8))
        )
        if category == "lower":
            top = dice.uniform(-0.36, -0.2)
    zoom = 1.0 / (bottom + top)
    side = dice.uniform(-0.03, 0.03) + (dice.sign() * dice.uniform(0.08, 0.16) if close else 0.0)
    return Camera(zoom=zoom, shift=(CANVAS_WIDTH / 2 + side, top * zoom))


def sample_garments(seed: int, mode: Mode, category: Category, noun: str) -> tuple[GarmentSpec, ...]:
    """Draws everything worn: upper and lower, or a dress, and sometimes a hat."""
    usual = Placement(width_factor=1.0, height_factor=1.0, shear=0.0, margin=0.05)
    special = sample_placement(Dice(seed, mode, "placement"))
    if category == "dress":
        worn = [sample_dress(Dice(seed, mode, "dress"), special)]
    else:
        lower = sample_lower(Dice(seed, mode, "lower"), special if category == "lower" else usual)
        if lower.cut == "skirt" and noun == "man":
            lower = sample_lower_of(seed, mode, lower.placement)
        upper = sample_upper(Dice(seed, mode, "upper"), special if category == "upper" else usual)
        worn = [upper, lower] if upper.tucked else [lower, upper]
    hat = Dice(seed, mode, "hat")
    if hat.chance(0.15):
        worn.append(sample_hat(hat))
    return tuple(worn)


def sample_lower_of(seed: int, mode: Mode, placement: Placement) -> GarmentSpec:
    """Draws trousers or shorts: the first lower garment of the seed's further streams that is no skirt."""
    for attempt in range(1000):
        lower = sample_lower(Dice(seed, mode, "lower", str(attempt)), placement)
        if lower.cut != "skirt":
            return lower
    raise AssertionError("a thousand skirts in a row")


def sample_bag(dice: Dice, mode: Mode, pose: Pose) -> Bag | None:
    """Draws a bag, or none; a handbag needs an arm that hangs."""
    if not dice.chance(0.07 if mode == "studio" else 0.38):
        return None
    kind, side = dice.pick(("crossbody", "crossbody", "handbag", "tote")), dice.sign()
    arm = pose.right if side < 0 else pose.left
    return Bag(
        kind="crossbody" if kind == "handbag" and arm.name != "hanging" else kind,
        side=side,
        colour=COLOURS[dice.pick(("brown", "black", "beige", "red", "mustard", "teal", "burgundy"))],
        size=dice.uniform(0.048, 0.066),
    )


def sample_light(dice: Dice, mode: Mode) -> Light:
    """Draws the light: soft in the studio, strong and coloured in the street."""
    side = dice.sign()
    if mode == "studio":
        return Light(
            direction=(side * 0.7, -0.7),
            strength=dice.uniform(0.85, 1.1),
            tint=(1.0, 1.0, 1.0),
            folds=dice.uniform(0.7, 1.1),
        )
    warm = dice.uniform(-0.05, 0.07)
    return Light(
        direction=(side * 0.85, -0.52),
        strength=dice.uniform(1.25, 1.7),
        tint=(1.0 + warm, 1.0, 1.0 - warm),
        folds=dice.uniform(0.9, 1.35),
    )
