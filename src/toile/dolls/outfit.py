"""What garments are, before anything is drawn: their cuts, textures and details, sampled from a seed.

Lengths are in *body units*: 1 is the height of the body, y runs down from the crown, x = 0 is the middle.
"""

from dataclasses import dataclass, replace

from toile.dolls.dice import Dice
from toile.dolls.palette import LOWER_FAVOURITES, contrasting, three_colours

WORDS = (
    "SUN", "SKY", "ZEN", "RIO", "POP", "JOY", "ACE", "WOW", "MOON", "WILD", "LOVE", "STAR", "NOVA", "JAZZ",
    "OSLO", "ROCK", "CAMP", "SURF", "HELLO", "PARIS", "TOKYO", "DREAM", "PEACE", "MAGIC", "OCEAN", "TIGER",
    "HAPPY", "LUCKY", "QUIET", "SUMMER", "FOREST", "BERLIN",
)  # fmt: skip
LOGOS = ("star", "heart", "bolt", "ring", "mountain", "moon", "flower", "diamond", "sun", "leaf")
PATTERNS = {
    "plain": 0.24, "horizontal stripes": 0.17, "vertical stripes": 0.10, "diagonal stripes": 0.08,
    "checks": 0.09,
    "plaid": 0.07, "dots": 0.09, "zigzags": 0.05, "gradient": 0.05, "colour blocks": 0.08, "camouflage": 0.04,
}  # fmt: skip
UPPER_CUTS = {
    "t-shirt": 0.34, "long-sleeve t-shirt": 0.16, "tank top": 0.10, "shirt": 0.12, "hoodie": 0.12,
    "jacket": 0.08,
    "sweater": 0.08,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Texture:
    """The surface of a garment."""

    pattern: str
    """One of `PATTERNS`, or `accent waistband`."""
    colours: tuple[str, str, str]
    """Names of the main, the second and the accent colour."""
    period: float
    """Distance after which the pattern repeats, in body units."""
    duty: float
    """Share of a period that has the second colour, 0 to 1."""
    phase: float
    """Where the pattern starts, as a share of the period."""
    slant: float
    """Direction of diagonal stripes: -1 or 1."""

    @property
    def one_coloured(self) -> bool:
        """Whether the cloth itself has one colour."""
        return self.pattern in ("plain", "accent waistband")

    @property
    def block_kind(self) -> str:
        """For colour blocks: `yoke` (upper part in the second colour), `halves`, or `bands` (two)."""
        return ("yoke", "halves", "bands")[int(self.phase * 3)]


@dataclass(frozen=True, kw_only=True)
class Detail:
    """Something small on the garment that is hard to copy."""

    kind: str
    """`word` or `logo`."""
    content: str
    """The letters, or the logo's name."""
    centre: tuple[float, float]
    """Where it sits, in body units."""
    height: float
    """Its height, in body units."""
    backed: bool
    """Whether it sits on a plate of the accent colour's contrast (needed on busy patterns)."""
    colour: str
    """Name of its colour."""
    plate: str
    """Name of the plate's colour."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """How the flat garment is laid into its picture."""

    width_factor: float
    """Horizontal foreshortening, 1 = none."""
    height_factor: float
    """Vertical squeeze, 1 = none."""
    shear: float
    """Vertical shift per horizontal distance; not 0 in side view."""
    margin: float
    """Share of the picture left free."""


@dataclass(frozen=True, kw_only=True)
class GarmentSpec:
    """Everything that defines one garment."""

    category: str
    """`upper`, `lower`, `dress` or `hat`."""
    cut: str
    """Its name, such as `hoodie`."""
    fit: str
    """`slim`, `regular` or `loose`."""
    ease: float
    """Extra half width, in body units."""
    sleeve: str
    """`sleeveless`, `short`, `elbow` or `long`."""
    sleeve_length: float
    """From the armhole to the cuff, in body units."""
    sleeve_angle: float
    """How far the flat sleeve is spread from straight down, in degrees."""
    neckline: str
    """`crew`, `v`, `scoop`, `collar`, `turtle`, `hood` or `strap`."""
    length: str
    """Word for the length."""
    hem: float
    """Height of the hem, y in body units."""
    flare: float
    """Extra half width of the hem (skirts and dresses), or of each leg."""
    texture: Texture
    """Its surface."""
    details: tuple[Detail, ...]
    """Words and logos."""
    trims: tuple[str, ...]
    """Pockets, buttons and the like, by name."""
    placement: Placement
    """How it lies in the flat picture."""
    folds: int
    """Seed of its folds."""
    tucked: bool
    """Whether an upper garment goes into the lower one."""


def sample_placement(dice: Dice) -> Placement:
    """Draws how the garment lies in its picture: one in twenty in side view, one in extreme proportion."""
    draw = dice.uniform()
    margin = dice.uniform(0.035, 0.075)
    if draw < 0.05:
        return Placement(
            width_factor=dice.uniform(0.42, 0.62),
            height_factor=1.0,
            shear=dice.sign() * dice.uniform(0.10, 0.24),
            margin=margin,
        )
    if draw < 0.10:
        narrow, small = dice.chance(0.5), dice.uniform(0.42, 0.58)
        return Placement(width_factor=small, height_factor=1.0 if narrow else small, shear=0.0, margin=margin)
    return Placement(width_factor=1.0, height_factor=1.0, shear=0.0, margin=margin)


def sample_texture(dice: Dice, category: str) -> Texture:
    """Draws a pattern, its colours and its scale."""
    weights = dict(PATTERNS)
    if category == "lower":
        weights["plain"] = 0.62
    favourites = LOWER_FAVOURITES if category == "lower" else ()
    scale = {"upper": 1.0, "lower": 1.25, "dress": 1.35, "hat": 0.55}[category]
    return Texture(
        pattern=dice.weighted(weights),
        colours=three_colours(dice, favourites),
        period=dice.uniform(0.040, 0.085) * scale,
        duty=dice.pick((0.5, 0.5, 0.35, 0.65, 0.25)),
        phase=dice.uniform(),
        slant=dice.sign(),
    )


def _as_seen(texture: Texture, category: str) -> Texture:
    """Names a texture for what is seen of it: part of some patterns lies outside lower garments and hats."""
    main, second, accent = texture.colours
    if category == "hat" and texture.pattern == "gradient":
        return replace(texture, pattern="plain")
    if category == "lower" and texture.pattern == "colour blocks" and texture.block_kind == "bands":
        return replace(texture, pattern="accent waistband")
    if texture.pattern == "colour blocks" and texture.block_kind != "halves":
        whole_in_second = category == "hat" and texture.block_kind == "yoke"
        colours = (second, second, accent) if whole_in_second else (main, second, accent)
        return replace(texture, pattern="plain", colours=colours)
    return texture


def sample_details(dice: Dice, category: str, cut: str, texture: Texture) -> tuple[Detail, ...]:
    """Draws the words and logos of a garment, if any."""
    busy = texture.pattern not in ("plain", "gradient", "colour blocks")
    if category == "hat":
        return (_detail(dice, "logo", (0.0, 0.020), 0.030, texture, busy),) if dice.chance(0.5) else ()
    if category == "lower":
        return (_detail(dice, "logo", (0.045, 0.60), 0.026, texture, busy),) if dice.chance(0.12) else ()
    split = cut in ("shirt", "jacket")
    if split:
        at = (0.055, 0.245)
        return (
            (_detail(dice, "logo", at, dice.uniform(0.026, 0.034), texture, busy),)
            if dice.chance(0.45)
            else ()
        )
    draw, middle = dice.uniform(), dice.uniform(0.275, 0.315)
    if draw < (0.26 if busy else 0.42):
        return (_detail(dice, "word", (0.0, middle), 0.060, texture, busy),)
    if draw < (0.44 if busy else 0.78):
        return (_detail(dice, "logo", (0.0, middle), dice.uniform(0.06, 0.10), texture, busy),)
    if draw < 0.56:
        return (_detail(dice, "logo", (0.050, 0.245), dice.uniform(0.026, 0.034), texture, busy),)
    return ()


def _detail(
    dice: Dice, kind: str, centre: tuple[float, float], height: float, texture: Texture, busy: bool
) -> Detail:
    content = dice.pick(WORDS) if kind == "word" else dice.pick(LOGOS)
    plate = texture.colours[0]
    colour = texture.colours[2] if dice.chance(0.6) else contrasting(dice, plate)
    if kind == "word":
        height = min(height, 0.166 / (0.80 * len(content)))
    return Detail(
        kind=kind, content=content, centre=centre, height=height, backed=busy, colour=colour, plate=plate
    )


def sample_upper(dice: Dice, placement: Placement) -> GarmentSpec:
    """Draws a garment for the upper body."""
    cut = dice.weighted(UPPER_CUTS)
    fit = {"hoodie": "loose", "tank top": "slim"}.get(cut) or dice.pick(
        ("slim", "regular", "regular", "loose")
    )
    sleeve = {"tank top": "sleeveless", "t-shirt": "short"}.get(cut, "long")
    if cut == "shirt" and dice.chance(0.35):
        sleeve = "short"
    if cut in ("t-shirt", "sweater") and dice.chance(0.15):
        sleeve = "elbow"
    neckline = {
        "t-shirt": dice.pick(("crew", "crew", "v", "scoop")),
        "long-sleeve t-shirt": dice.pick(("crew", "v", "scoop")),
        "tank top": "strap",
        "shirt": "collar",
        "hoodie": "hood",
        "jacket": "collar",
        "sweater": dice.pick(("crew", "turtle", "v")),
    }[cut]
    length = dice.weighted({"cropped": 0.12, "regular": 0.68, "long": 0.20})
    if cut in ("hoodie", "jacket") and length == "long":
        length = "regular"
    hem = {"cropped": 0.425, "regular": 0.515, "long": 0.575}[length] + dice.uniform(-0.012, 0.015)
    texture = sample_texture(dice, "upper")
    trims = {
        "shirt": ("buttons", "pocket" if dice.chance(0.4) else ""),
        "hoodie": ("pouch", "cords"),
        "jacket": ("zip", "side pockets"),
        "t-shirt": ("pocket" if dice.chance(0.18) else "",),
        "sweater": ("ribs",),
    }.get(cut, ())
    details = () if "pocket" in trims else sample_details(dice, "upper", cut, texture)
    return GarmentSpec(
        category="upper",
        cut=cut,
        fit=fit,
        ease={"slim": 0.004, "regular": 0.014, "loose": 0.028}[fit] + dice.uniform(-0.003, 0.003),
        sleeve=sleeve,
        sleeve_length={"sleeveless": 0.0, "short": 0.115, "elbow": 0.175, "long": 0.335}[sleeve]
        + (dice.uniform(-0.015, 0.02) if sleeve != "sleeveless" else 0.0),
        sleeve_angle=dice.uniform(15, 25) if sleeve == "long" else dice.uniform(30, 56),
        neckline=neckline,
        length=length,
        hem=hem,
        flare=dice.uniform(-0.004, 0.008),
        texture=texture,
        details=details,
        trims=tuple(trim for trim in trims if trim),
        placement=placement,
        folds=dice.integer(0, 2**31),
        tucked=dice.chance(0.25) and cut not in ("hoodie", "jacket", "sweater") and length != "cropped",
    )


def sample_lower(dice: Dice, placement: Placement) -> GarmentSpec:
    """Draws a garment for the legs."""
    cut = dice.weighted({"trousers": 0.50, "shorts": 0.22, "skirt": 0.28})
    fit = dice.pick(("slim", "regular", "loose"))
    if cut == "trousers":
        length = dice.weighted({"cropped": 0.2, "long": 0.8})
        hem = {"cropped": 0.85, "long": 0.945}[length] + dice.uniform(-0.01, 0.008)
        flare = dice.weighted({0.0: 0.7, 0.022: 0.3})
    elif cut == "shorts":
        length = dice.pick(("short", "knee-length"))
        hem, flare = {"short": 0.635, "knee-length": 0.715}[length] + dice.uniform(-0.012, 0.012), 0.006
    else:
        length = dice.pick(("short", "knee-length", "long"))
        hem = {"short": 0.645, "knee-length": 0.745, "long": 0.885}[length] + dice.uniform(-0.015, 0.015)
        flare = dice.pick((0.0, 0.05, 0.09))
    texture = sample_texture(dice, "lower")
    return GarmentSpec(
        category="lower",
        cut=cut,
        fit=fit,
        ease={"slim": 0.0, "regular": 0.010, "loose": 0.024}[fit] + dice.uniform(-0.002, 0.002),
        sleeve="sleeveless",
        sleeve_length=0.0,
        sleeve_angle=0.0,
        neckline="",
        length=length,
        hem=hem,
        flare=flare,
        texture=_as_seen(texture, "lower"),
        details=sample_details(dice, "lower", cut, texture),
        trims=("waistband", "fly", "hip pockets")
        if cut != "skirt"
        else ("waistband", "pleats" if dice.chance(0.4) else "seam"),
        placement=placement,
        folds=dice.integer(0, 2**31),
        tucked=False,
    )


def sample_dress(dice: Dice, placement: Placement) -> GarmentSpec:
    """Draws a dress."""
    cut = dice.pick(("a-line dress", "shift dress", "skater dress", "sundress"))
    sleeve = (
        "sleeveless"
        if cut == "sundress"
        else dice.weighted({"sleeveless": 0.25, "short": 0.45, "long": 0.30})
    )
    length = dice.pick(("short", "knee-length", "long"))
    hem = {"short": 0.66, "knee-length": 0.755, "long": 0.89}[length] + dice.uniform(-0.015, 0.015)
    texture = sample_texture(dice, "dress")
    return GarmentSpec(
        category="dress",
        cut=cut,
        fit="regular",
        ease=dice.uniform(0.002, 0.012),
        sleeve=sleeve,
        sleeve_length={"sleeveless": 0.0, "short": 0.105, "long": 0.325}[sleeve],
        sleeve_angle=dice.uniform(15, 24) if sleeve == "long" else dice.uniform(30, 50),
        neckline="strap" if sleeve == "sleeveless" else dice.pick(("crew", "v", "scoop", "collar")),
        length=length,
        hem=hem,
        flare={"a-line dress": 0.075, "shift dress": 0.022, "skater dress": 0.12, "sundress": 0.085}[cut],
        texture=texture,
        details=sample_details(dice, "dress", cut, texture) if dice.chance(0.55) else (),
        trims=("belt",) if dice.chance(0.45) else ("waist seam",),
        placement=placement,
        folds=dice.integer(0, 2**31),
        tucked=False,
    )


def sample_hat(dice: Dice) -> GarmentSpec:
    """Draws a hat."""
    texture = sample_texture(dice, "hat")
    cut = dice.pick(("beanie", "cap", "sun hat"))
    return GarmentSpec(
        category="hat",
        cut=cut,
        fit="regular",
        ease=0.0,
        sleeve="sleeveless",
        sleeve_length=0.0,
        sleeve_angle=0.0,
        neckline="",
        length="",
        hem=0.0,
        flare=0.0,
        texture=_as_seen(texture, "hat"),
        details=() if cut == "sun hat" else sample_details(dice, "hat", cut, texture),
        trims=(),
        placement=Placement(width_factor=1.0, height_factor=1.0, shear=0.0, margin=0.12),
        folds=dice.integer(0, 2**31),
        tucked=False,
    )
