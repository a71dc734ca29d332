"""What is done to a doll before a parser learns from it, so that it knows photos it has never seen.

A doll's colours, light, cloth, ground and place in the frame are changed; what its pixels are is not. All of
it is ours. Pictures are RGB uint8 (H, W, 3), parse maps LIP's labels (H, W), `random` decides everything.
"""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from toile.data.parse_labels import LIP

Picture = UInt8[np.ndarray, "H W 3"]
ParseMap = UInt8[np.ndarray, "H W"]
SIDES = ("arm", "leg", "shoe")
"""What a person has a left and a right one of."""
REGIONS = (
    (LIP["face"], LIP["torso skin"], LIP["left arm"], LIP["right arm"], LIP["left leg"], LIP["right leg"]),
    (LIP["hair"],),
    (LIP["hat"],),
    (LIP["upper"],),
    (LIP["dress"],),
    (LIP["trousers"], LIP["skirt"]),
    (LIP["left shoe"], LIP["right shoe"]),
)
"""Labels that share their material: all skin has one colour."""


def augment(picture: Picture, parse: ParseMap, random: np.random.Generator) -> tuple[Picture, ParseMap]:
    """Change everything about a doll but what its pixels are.

    Args:
        picture: the person.
        parse: its labels.
        random: decides what is done; the same state gives the same views.
    """
    if random.random() < 0.5:
        picture, parse = flip(picture, parse)
    picture, parse = move(picture, parse, random)
    if random.random() < 0.5:
        picture = change_ground(picture, parse, random)
    if random.random() < 0.7:
        picture = change_cloth(picture, parse, random)
    picture = change_colours(picture, random)
    return spoil(picture, random), parse


def flip(picture: Picture, parse: ParseMap) -> tuple[Picture, ParseMap]:
    """Mirror a person: what was the left arm is the right one."""
    table = np.arange(256, dtype=np.uint8)
    for part in SIDES:
        left, right = LIP[f"left {part}"], LIP[f"right {part}"]
        table[left], table[right] = right, left
    return np.ascontiguousarray(picture[:, ::-1]), np.ascontiguousarray(table[parse[:, ::-1]])


def move(picture: Picture, parse: ParseMap, random: np.random.Generator) -> tuple[Picture, ParseMap]:
    """Scale, stretch, turn and shift: people small in the frame, and people that the frame cuts."""
    height, width = parse.shape
    scale = float(np.exp(random.uniform(np.log(0.55), np.log(1.9))))
    stretch = float(np.exp(random.uniform(-0.12, 0.12)))
    angle = np.deg2rad(random.normal(0, 5))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = scale * turn @ np.diag([stretch, 1 / stretch])
    middle = np.array([width, height]) / 2
    # a picture that is scaled up still covers most of the frame, one that is scaled down stays within it
    room = (0.08 + 0.5 * abs(scale - 1)) * np.array([width, height])
    shift = middle - linear @ middle + random.uniform(-room, room)
    matrix = np.concatenate([linear, shift[:, None]], axis=1)
    ground = _ground_colour(random)
    moved = cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=ground)
    labels = cv2.warpAffine(parse, matrix, (width, height), flags=cv2.INTER_NEAREST, borderValue=0)
    return np.asarray(moved, np.uint8), np.asarray(labels, np.uint8)


def change_ground(picture: Picture, parse: ParseMap, random: np.random.Generator) -> Picture:
    """Put the person before another ground: plain or cloudy, its edge soft; bags go with the old one."""
    height, width = parse.shape
    ground = np.full((height, width, 3), _ground_colour(random), np.float32)
    if random.random() < 0.7:
        strength = random.uniform(5, 60)
        ground += strength * np.stack([smooth_noise((height, width), random)] * 3, axis=-1)
    if random.random() < 0.3:
        ground += random.uniform(10, 50) * np.stack(
            [smooth_noise((height, width), random) for _ in range(3)], -1
        )
    sharp = (parse > 0).astype(np.float32)
    person = np.asarray(cv2.GaussianBlur(sharp, (0, 0), random.uniform(0.3, 1.0)), np.float32)[..., None]
    return _to_bytes(person * picture + (1 - person) * ground)


def change_cloth(picture: Picture, parse: ParseMap, random: np.random.Generator) -> Picture:
    """Give each material its own shift of colour, folds and grain."""
    changed = picture.astype(np.float32)
    for labels in REGIONS:
        inside = np.isin(parse, labels)
        if random.random() < 0.6 and inside.any():
            changed[inside] = _another_material(changed, parse, labels, random)[inside]
    return _to_bytes(changed)


def change_colours(picture: Picture, random: np.random.Generator) -> Picture:
    """Another camera and another light: gain, gamma, saturation and a shade over the whole picture."""
    values = picture.astype(np.float32) / 255
    values = values ** float(np.exp(random.normal(0, 0.25)))
    values = (values - 0.5) * random.uniform(0.6, 1.3) + 0.5 + random.uniform(-0.12, 0.12)
    values *= 1 + random.normal(0, 0.06, 3).astype(np.float32)
    grey = values.mean(axis=-1, keepdims=True)
    values = grey + (values - grey) * (0.0 if random.random() < 0.05 else random.uniform(0.5, 1.4))
    if random.random() < 0.4:
        values *= 1 + random.uniform(0.05, 0.25) * smooth_noise(values.shape[:2], random)[..., None]
    return _to_bytes(values * 255)


def spoil(picture: Picture, random: np.random.Generator) -> Picture:
    """What cameras and files do: blur, coarse pixels, noise, JPEG."""
    height, width = picture.shape[:2]
    if random.random() < 0.3:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), random.uniform(0.3, 1.6)))
    if random.random() < 0.15:
        share = random.uniform(0.4, 0.9)
        small = cv2.resize(
            picture, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA
        )
        picture = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))
    if random.random() < 0.5:
        noise = random.standard_normal(picture.shape, np.float32) * np.float32(random.uniform(1, 12))
        picture = _to_bytes(picture + noise)
    if random.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(30, 95))]
        picture = np.asarray(cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_COLOR))
    return picture


def smooth_noise(size: tuple[int, ...], random: np.random.Generator) -> Float32[np.ndarray, "H W"]:
    """A random field over (height, width), within about -1 to 1, of a random coarseness."""
    cells = random.integers(2, 12, 2)
    coarse = random.uniform(-1, 1, cells).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (size[1], size[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def _another_material(
    picture: Float32[np.ndarray, "H W 3"],
    parse: ParseMap,
    labels: tuple[int, ...],
    random: np.random.Generator,
) -> Float32[np.ndarray, "H W 3"]:
    """The picture as it would be if all of it were made of one changed material."""
    skin = LIP["face"] in labels
    shift = random.normal(0, 10 if skin else 35, 3) + random.normal(0, 20)
    folds = random.uniform(0, 0.15 if skin else 0.35) * smooth_noise(parse.shape, random)
    fine = random.uniform(0, 0.12) * random.standard_normal(parse.shape, np.float32)
    grain = np.asarray(cv2.GaussianBlur(fine, (0, 0), random.uniform(0.4, 1.5)), np.float32)
    return np.asarray((picture + shift) * (1 + folds + grain)[..., None], np.float32)


def _ground_colour(random: np.random.Generator) -> tuple[float, float, float]:
    """White as often as not, as in shops and as photos are padded; else any grey or colour."""
    kind = random.random()
    if kind < 0.4:
        return (255.0, 255.0, 255.0)
    grey = random.uniform(200, 255) if kind < 0.7 else random.uniform(0, 255)
    red, green, blue = (grey + random.normal(0, 4 if kind < 0.85 else 40, 3)).clip(0, 255)
    return (float(red), float(green), float(blue))


def _to_bytes(values: Float32[np.ndarray, "H W 3"]) -> Picture:
    return np.asarray(values.round().clip(0, 255), np.uint8)
