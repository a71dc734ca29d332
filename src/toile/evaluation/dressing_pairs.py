"""The Dressing-Pair of dolls: unseen garments to be worn together, and prompts that say nothing of clothes.

The list is frozen: its seeds, from 10,000,000 on, are held out from every training. The true picture of an
item, which no method gets to see, is a doll in these very garments that is as the prompt says.

Source: AnyDressing (arXiv 2412.04146), Sec. 5.1: 25 lower garments with 10 upper ones each.
Ours: dolls, and prompts in their vocabulary.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from toile.dolls import CATEGORIES, Mode
from toile.dolls.dice import Dice
from toile.dolls.draw import render
from toile.dolls.outfit import GarmentSpec, sample_hat
from toile.dolls.scene import Scene, sample_scene
from toile.errors import ToileError
from toile.evaluation.scene_scorer import PRESENT

LOWERS, UPPERS = 25, 10
FIRST_SEEDS: Mapping[str, int] = {"lower": 12_000_000, "upper": 12_100_000, "hat": 12_900_000}
"""The first seed of each kind of garment."""
SPACING = 1000
"""Seeds between the first upper garments, and the hats, of two lower ones."""
CONTROLS, FIRST_CONTROL = 16, 50_000
"""How many garments of each kind belong to no pair, and where their seeds begin after those of the kind."""
SIZE = (256, 192)
"""Height and width of every picture, in pixels."""


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A sentence about a person and a place, and what it says as values of the scene scorer's attributes."""

    who: str
    """The person."""
    rest: str
    """Pose, bag and place; garments may be described before it."""
    attributes: Mapping[str, str]
    """What the sentence says, and nothing else."""

    @property
    def text(self) -> str:
        """The sentence, which says nothing of the clothes."""
        return f"{self.who}, {self.rest}"

    def described(self, garments: Sequence[str]) -> str:
        """The sentence with the garments in words, as a doll's own caption puts them."""
        return f"{self.who} in {', '.join(garments)}, {self.rest}"


def _prompt(who: str, rest: str, noun: str, hair: str, colour: str, place: Mode, *seen: str) -> Prompt:
    found = {"place": place, "noun": noun, "hair": hair, "hair colour": colour}
    return Prompt(who=who, rest=rest, attributes=found | dict.fromkeys(seen, PRESENT))


PROMPTS = (
    _prompt(
        "a woman with long black hair", "a raised arm, in the street",
        "woman", "long", "black", "street", "raised",
    ),
    _prompt(
        "a man with short brown hair", "a hand on the hip, in a studio",
        "man", "short", "brown", "studio", "akimbo",
    ),
    _prompt(
        "a woman with long blond hair", "with a bag, in the street",
        "woman", "long", "blond", "street", "bag",
    ),
    _prompt(
        "a man with curly black hair", "a hand on the hip, in the street",
        "man", "curly", "black", "street", "akimbo",
    ),
    _prompt(
        "a woman with a red bob", "a hand on the hip, in a studio",
        "woman", "bob", "red", "studio", "akimbo",
    ),
    _prompt(
        "a woman with long chestnut hair", "a raised arm, in a studio",
        "woman", "long", "chestnut", "studio", "raised",
    ),
    _prompt(
        "a man with short blond hair", "a hand on the hip, with a bag, in the street",
        "man", "short", "blond", "street", "akimbo", "bag",
    ),
)  # fmt: skip
"""The prompts, each of which says a person, a hair, a place, and a pose or a bag.

Ours: hair and poses that the scene scorer tells on true dolls; a hand in a pocket it hardly sees.
"""


@dataclass(frozen=True, kw_only=True)
class FlatPicture:
    """A garment as methods get it, and as they are measured against."""

    kind: str
    """`upper`, `lower` or `hat`."""
    picture: Image.Image
    """Laid flat on white, RGB."""
    silhouette: UInt8[np.ndarray, "H W"]
    """255 where the garment is, else 0."""
    caption: str
    """A sentence about it."""


@dataclass(frozen=True, kw_only=True)
class DressingPair:
    """Garments to be worn together."""

    identifier: str
    """Names the pair, by the numbers of its garments."""
    seeds: Mapping[str, int]
    """By kind, the doll that wears the garment."""

    @property
    def garments(self) -> dict[str, FlatPicture]:
        """The flat garments by kind; drawn when first asked for."""
        return {kind: flat_picture(kind, seed) for kind, seed in self.seeds.items()}


@dataclass(frozen=True, kw_only=True)
class DressingItem:
    """One picture to be made: a pair, and what the person in it is like."""

    pair: DressingPair
    """The garments."""
    number: int
    """Which of `PROMPTS`."""

    source = "dressing-pairs"

    @property
    def prompt(self) -> Prompt:
        """Who, how and where."""
        return PROMPTS[self.number]

    @property
    def identifier(self) -> str:
        """The pair's, with the prompt's number."""
        return f"{self.pair.identifier}-prompt-{self.number}"

    @property
    def seed(self) -> int:
        """What its noise is drawn from, the same for every method; no two items share it."""
        return self.pair.seeds["upper"] * len(PROMPTS) + self.number


def dressing_pairs(
    lowers: int = LOWERS, uppers: int = UPPERS, hats: bool = False
) -> tuple[DressingPair, ...]:
    """The pairs, so ordered that the first `lowers` of them have different garments throughout.

    Args:
        lowers: how many lower garments.
        uppers: how many upper garments each of them is paired with; no upper one comes twice.
        hats: whether a hat belongs to each pair.

    Raises:
        ToileError: when one of the numbers is not positive, or `uppers` is larger than the list goes on.
    """
    if lowers < 1 or not 1 <= uppers <= SPACING // 2:
        raise ToileError(
            f"{lowers} lower garments with {uppers} upper ones each are no list; give at least 1 of each, "
            f"and at most {SPACING // 2} upper ones"
        )
    return tuple(_pair(lower, number, hats) for number in range(uppers) for lower in range(lowers))


def dressing_items(pairs: Sequence[DressingPair], prompts: int = len(PROMPTS)) -> list[DressingItem]:
    """Every pair with the first so many prompts, pair by pair.

    Raises:
        ToileError: when there are not so many prompts.
    """
    if not 1 <= prompts <= len(PROMPTS):
        raise ToileError(f"{prompts} prompts were asked for; there are 1 to {len(PROMPTS)}")
    return [DressingItem(pair=pair, number=number) for pair in pairs for number in range(prompts)]


def _pair(lower: int, number: int, hats: bool) -> DressingPair:
    own = SPACING * lower + number
    seeds = {"upper": FIRST_SEEDS["upper"] + own, "lower": FIRST_SEEDS["lower"] + lower}
    if hats:
        seeds["hat"] = FIRST_SEEDS["hat"] + own
    return DressingPair(identifier=f"lower-{lower:02d}-upper-{number:02d}", seeds=seeds)


def control_seeds(kind: str) -> range:
    """Seeds of garments that nobody is to wear: what a picture has of them, it has by chance."""
    first = FIRST_SEEDS[kind] + FIRST_CONTROL
    return range(first, first + CONTROLS)


def wearer(kind: str, seed: int) -> Scene:
    """The doll that a garment of the list is taken from; one of a hat's seed is given the hat."""
    if kind in CATEGORIES:
        return sample_scene(seed, "studio", kind)
    scene = sample_scene(seed, "studio", "upper")
    others = tuple(spec for spec in scene.garments if spec.category != kind)
    return replace(scene, garments=(*others, sample_hat(Dice(seed, "studio", kind))))


def garment_spec(kind: str, seed: int) -> GarmentSpec:
    """Everything that defines a garment of the list."""
    return next(spec for spec in wearer(kind, seed).garments if spec.category == kind)


@lru_cache(maxsize=1024)
def flat_picture(kind: str, seed: int) -> FlatPicture:
    """A garment of the list, laid flat."""
    garment = render(wearer(kind, seed), SIZE).garments[kind]
    return FlatPicture(
        kind=kind,
        picture=Image.fromarray(garment.image),
        silhouette=garment.silhouette,
        caption=garment.caption,
    )
