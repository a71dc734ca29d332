"""Captions in a small closed vocabulary."""

from toile.dolls.doll import Telling
from toile.dolls.outfit import GarmentSpec
from toile.dolls.scene import Scene

_PATTERN_WORDS = {
    "horizontal stripes": "horizontally striped",
    "vertical stripes": "vertically striped",
    "diagonal stripes": "diagonally striped",
    "checks": "checked",
    "plaid": "plaid",
    "dots": "dotted",
    "zigzags": "zigzag",
    "gradient": "gradient",
    "colour blocks": "colour-block",
    "camouflage": "camouflage",
}
_NECK_WORDS = {"crew": "crew-neck", "v": "v-neck", "scoop": "scoop-neck", "turtle": "turtleneck"}
_ARM_WORDS = {
    "akimbo": "a hand on the hip",
    "crossed": "an arm across the body",
    "raised": "a raised arm",
    "wave": "a waving hand",
    "pocket": "a hand in the pocket",
    "chin": "a hand at the chin",
}


def colour_phrase(spec: GarmentSpec) -> str:
    """Colours and pattern, such as `red and white horizontally striped`."""
    main, second, accent = spec.texture.colours
    if spec.texture.one_coloured:
        return main
    three = spec.texture.pattern == "camouflage"
    colours = f"{main}, {second} and {accent}" if three else f"{main} and {second}"
    return f"{colours} {_PATTERN_WORDS[spec.texture.pattern]}"


def cut_phrase(spec: GarmentSpec) -> str:
    """The garment's own name with its cut, such as `crew-neck short-sleeve t-shirt`."""
    words: list[str] = []
    if spec.category == "lower":
        if spec.length not in ("long",) or spec.cut == "skirt":
            words.append(spec.length)
        if spec.cut == "trousers" and spec.flare > 0:
            words.append("flared")
        elif spec.cut != "skirt" and spec.fit != "regular":
            words.append({"slim": "slim", "loose": "wide"}[spec.fit])
        return " ".join([*words, spec.cut])
    if spec.category == "hat":
        return spec.cut
    if spec.fit == "loose" and spec.cut != "hoodie":
        words.append("loose")
    if spec.length in ("cropped", "short", "knee-length") or (
        spec.length == "long" and spec.category == "dress"
    ):
        words.append(spec.length)
    if spec.neckline in _NECK_WORDS:
        words.append(_NECK_WORDS[spec.neckline])
    if spec.cut not in ("tank top", "long-sleeve t-shirt", "hoodie", "jacket", "sundress"):
        words.append(
            {
                "sleeveless": "sleeveless",
                "short": "short-sleeve",
                "elbow": "elbow-sleeve",
                "long": "long-sleeve",
            }[spec.sleeve]
        )
    return " ".join([*words, spec.cut])


def detail_phrase(spec: GarmentSpec) -> str:
    """What is printed or sewn on, with a leading space, or nothing."""
    parts = []
    for detail in spec.details:
        if detail.kind == "word":
            parts.append(f"with the word {detail.content} in {detail.colour}")
        else:
            size = "small " if detail.height < 0.04 else ""
            parts.append(f"with {_with_article(f'{size}{detail.colour} {detail.content}')}")
    if spec.texture.pattern == "accent waistband":
        parts.append(f"with {_with_article(spec.texture.colours[2])} waistband")
    if "pocket" in spec.trims:
        parts.append(f"with {_with_article(spec.texture.colours[2])} chest pocket")
    if "belt" in spec.trims:
        parts.append(f"with {_with_article(spec.texture.colours[2])} belt")
    return "".join(f" {part}" if index == 0 else f" and {part}" for index, part in enumerate(parts))


def describe_garment(spec: GarmentSpec) -> str:
    """A sentence about the garment alone."""
    return _one(spec, f"{colour_phrase(spec)} {cut_phrase(spec)}{detail_phrase(spec)}")


def name_garment(spec: GarmentSpec) -> str:
    """What it is, and nothing of how it looks."""
    return _one(spec, spec.cut)


def describe_person(scene: Scene, clothes: Telling = "described") -> str:
    """A sentence about the whole picture, which says more or less of the clothes."""
    worn = sorted(scene.garments, key=lambda spec: ("upper", "dress", "lower", "hat").index(spec.category))
    look = scene.look
    hair = "a bald" if look.hair == "bald" else "a"
    head = "" if look.hair == "bald" else f" with {_hair(look.hair, look.hair_colour)}"
    arms = list(
        dict.fromkeys(
            _ARM_WORDS[arm.name] for arm in (scene.pose.right, scene.pose.left) if arm.name in _ARM_WORDS
        )
    )
    pose = f", {' and '.join(arms)}" if arms else ""
    bag = "" if scene.bag is None else ", with a bag"
    tell = {"described": describe_garment, "named": name_garment}.get(clothes)
    dressed = "" if tell is None else f" in {', '.join(tell(spec) for spec in worn)}"
    place = "in a studio" if scene.mode == "studio" else "in the street"
    return f"{hair} {look.noun}{head}{dressed}{pose}{bag}, {place}"


def garment_attributes(spec: GarmentSpec) -> dict[str, str]:
    """The garment's attributes by name; those that it does not have are left out."""
    main, second, accent = spec.texture.colours
    attributes = {
        "cut": spec.cut,
        "fit": spec.fit,
        "sleeve": spec.sleeve if spec.category in ("upper", "dress") else "",
        "neckline": spec.neckline,
        "length": spec.length,
        "pattern": spec.texture.pattern,
        "colour": main,
        "second_colour": "" if spec.texture.one_coloured else second,
        "accent_colour": accent,
        "trims": ", ".join(spec.trims),
    }
    for detail in spec.details:
        attributes[detail.kind] = detail.content
        attributes[f"{detail.kind}_colour"] = detail.colour
    return {name: value for name, value in attributes.items() if value}


def _one(spec: GarmentSpec, phrase: str) -> str:
    return phrase if spec.cut in ("trousers", "shorts") else _with_article(phrase)


def _hair(style: str, colour: str) -> str:
    return {
        "bun": f"a {colour} bun",
        "ponytail": f"a {colour} ponytail",
        "bob": f"a {colour} bob",
    }.get(style, f"{style} {colour} hair")


def _with_article(phrase: str) -> str:
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"
