"""What the Dressing-Pair of dolls asks for, drawn: somebody as the prompt says, in the very garments.

No method gets to see these pictures. They say what a perfect method would score, and with the garments of
another pair what one would score that does not look at the garments.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count

from PIL import Image

from toile.dolls import Doll, Mode
from toile.dolls.dice import Dice
from toile.dolls.draw import render
from toile.dolls.outfit import GarmentSpec
from toile.dolls.scene import (
    CANVAS_WIDTH,
    Bag,
    Camera,
    Look,
    Pose,
    Scene,
    sample_arm,
    sample_bag,
    sample_light,
    sample_look,
    sample_pose,
)
from toile.evaluation.dressing_pairs import SIZE, DressingItem, DressingPair, garment_spec
from toile.evaluation.scene_scorer import ARMS, PRESENT

ABOVE, BELOW = 0.09, 1.0
"""What is in the frame: from above the crown to the ankles, in body units."""


def true_doll(item: DressingItem, worn: DressingPair | None = None) -> Doll:
    """The doll that an item asks for, or the same one in the garments of another pair."""
    return render(true_scene(item, item.pair if worn is None else worn), SIZE)


def true_scene(item: DressingItem, worn: DressingPair) -> Scene:
    """The scene that an item asks for; what the prompt does not say is drawn from the item's seed."""
    mode: Mode = "street" if item.prompt.attributes["place"] == "street" else "studio"
    pose = _pose(item)
    zoom = 1 / (BELOW + ABOVE)
    return Scene(
        seed=item.seed,
        mode=mode,
        category="upper",
        look=_look(item),
        pose=pose,
        camera=Camera(zoom=zoom, shift=(CANVAS_WIDTH / 2, ABOVE * zoom)),
        garments=worn_together(worn),
        bag=_bag(item, pose) if item.prompt.attributes.get("bag") == PRESENT else None,
        light=sample_light(Dice(item.seed, mode, "light"), mode),
    )


def worn_together(pair: DressingPair) -> tuple[GarmentSpec, ...]:
    """A pair's garments in the order in which they are put on."""
    specs = {kind: garment_spec(kind, seed) for kind, seed in pair.seeds.items()}
    order = ("upper", "lower", "hat") if specs["upper"].tucked else ("lower", "upper", "hat")
    return tuple(specs[kind] for kind in order if kind in specs)


def true_pictures(items: Sequence[DressingItem]) -> list[Image.Image]:
    """The true picture of each item: what a perfect method would make."""
    return [Image.fromarray(true_doll(item).person) for item in items]


def in_others_clothes(pairs: Sequence[DressingPair]) -> Callable[[Sequence[DressingItem]], list[Image.Image]]:
    """A method that follows the prompt perfectly, and dresses each item as the next of `pairs`."""
    following = {pair.identifier: pairs[(place + 1) % len(pairs)] for place, pair in enumerate(pairs)}

    def draw(items: Sequence[DressingItem]) -> list[Image.Image]:
        return [Image.fromarray(true_doll(item, following[item.pair.identifier]).person) for item in items]

    return draw


def _look(item: DressingItem) -> Look:
    """Somebody of the prompt's noun and hair: the first among the item's dice, the hair dyed."""
    asked = item.prompt.attributes
    for attempt in count():
        look = sample_look(Dice(item.seed, "look", str(attempt)), woman_only=False)
        if (look.noun, look.hair) == (asked["noun"], asked["hair"]):
            return replace(look, hair_colour=asked["hair colour"])
    raise AssertionError("unreachable")


def _pose(item: DressingItem) -> Pose:
    dice = Dice(item.seed, "pose")
    named = [arm for arm in ARMS if item.prompt.attributes.get(arm) == PRESENT]
    right, left = [*named, "hanging", "hanging"][:2]
    return replace(sample_pose(dice, "studio"), right=sample_arm(dice, right), left=sample_arm(dice, left))


def _bag(item: DressingItem, pose: Pose) -> Bag:
    for attempt in count():
        bag = sample_bag(Dice(item.seed, "bag", str(attempt)), "street", pose)
        if bag is not None:
            return bag
    raise AssertionError("unreachable")
