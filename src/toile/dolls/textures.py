"""Patterns as functions on the cloth: how much of the second (and the accent) colour each point has.

Coordinates are body units on the flat garment; `soft` is the width of one pixel there, to smooth edges.
"""

from collections.abc import Callable

import numpy as np

from toile.dolls.dice import Dice
from toile.dolls.noise import smooth_field
from toile.dolls.outfit import Texture
from toile.dolls.palette import COLOURS

Field = np.ndarray
# x, y, texture, soft -> (share of the second colour, share of the accent or None)
Pattern = Callable[[Field, Field, Texture, float], tuple[Field, Field | None]]


def band(position: Field, period: float, duty: float, soft: float) -> Field:
    """1 in the bands of a striped field, 0 between them, smooth over `soft`."""
    share = position * np.float32(1 / period)
    share = share - np.floor(share)
    edge = (np.float32(duty / 2) - np.abs(share - np.float32(0.5))) * np.float32(period / soft)
    return np.asarray(np.clip(edge + np.float32(0.5), 0.0, 1.0))


def _horizontal(x: Field, y: Field, texture: Texture, soft: float) -> tuple[Field, Field | None]:
    bands = band(y + texture.phase * texture.period, texture.period, texture.duty, soft)
    return np.broadcast_to(bands, np.broadcast_shapes(x.shape, y.shape)), None


def _vertical(x: Field, y: Field, texture: Texture, soft: float) -> tuple[Field, Field | None]:
    bands = band(x + 0.5 * texture.period, texture.period, texture.duty, soft)
    return np.broadcast_to(bands, np.broadcast_shapes(x.shape, y.shape)), None


def _diagonal(x: Field, y: Field, texture: Texture, soft: float) -> tuple[Field, Field | None]:
    along = (y + texture.slant * x) * np.float32(0.70710678)
    return band(along + texture.phase * texture.period, texture.period, texture.duty, soft), None


def _checks(x: Field, y: Field, texture: Texture, soft: float) -> tuple[Field, Field | None]:
    half = texture.period / 2
    first = band(x + half / 2, 2 * half, 0.5, soft)
    second = band(y + texture.phase * half, 2 * half, 0.5, soft)
    if texture.duty == 0.5:  # Chessboard.
        return first + second - 2 * first * second, None
    return (first + second) * np.float32(0.5), None  # Gingham: three tones.


def _plaid(x: Field, y: Field, texture: Texture, soft: float) -> tuple[Field, Field | None]:
    period = texture.period * 1.5
    wide = band(x + period / 2, period, 0.42, soft) + band(y + texture.phase * period, period, 0.42, soft)
    thin = np.maximum(
        band(x, period, 0.09, soft), band(y + (texture.phase + 0.5) * period, period, 0.09, soft)
    )
    return wide * np.float32(0.45), thin * np.float32(0.9)


def _dots(x: Field, y: Field, texture: Texture, soft: float) -> tuple[Field, Field | None]:
    period = texture.period * 0.85
    v = y * np.float32(1 / period) + np.float32(texture.phase)
    row = np.floor(v)
    u = (
        x * np.float32(1 / period)
        + np.float32(0.5)
        + (row - 2 * np.floor(row * np.float32(0.5))) * np.float32(0.5)
    )
    du, dv = u - np.floor(u) - np.float32(0.5), v - row - np.float32(0.5)
    radius = 0.20 + 0.14 * texture.duty
    edge = (np.float32(radius) - np.sqrt(du * du + dv * dv)) * np.float32(period / soft)
    return np.clip(edge + np.float32(0.5), 0.0, 1.0), None


def _zigzags(x: Field, y: Field, texture: Texture, soft: float) -> tuple[Field, Field | None]:
    share = x * np.float32(0.7 / texture.period)
    wave = np.abs(share - np.floor(share) - np.float32(0.5)) * np.float32(texture.period * 0.9)
    return band(y + wave + texture.phase * texture.period, texture.period, 0.5, soft * 1.3), None


def _gradient(x: Field, y: Field, texture: Texture, soft: float) -> tuple[Field, Field | None]:
    share = np.clip((y - np.float32(0.18)) * np.float32(2.6), 0.0, 1.0)
    share = share * share * (3 - 2 * share)
    return np.broadcast_to(share, np.broadcast_shapes(x.shape, y.shape)), None


def _blocks(x: Field, y: Field, texture: Texture, soft: float) -> tuple[Field, Field | None]:
    shape = np.broadcast_shapes(x.shape, y.shape)
    if texture.block_kind == "yoke":
        return np.broadcast_to(
            np.clip((np.float32(0.285) - y) / np.float32(soft) + 0.5, 0.0, 1.0), shape
        ), None
    if texture.block_kind == "halves":
        return np.broadcast_to(np.clip(x / np.float32(soft) + 0.5, 0.0, 1.0), shape), None
    chest = band(y - np.float32(0.29) + np.float32(0.5), 1.0, 0.07, soft)
    low = band(y - np.float32(0.385) + np.float32(0.5), 1.0, 0.05, soft)
    return np.broadcast_to(chest, shape), np.broadcast_to(low, shape)


def _plain(x: Field, y: Field, texture: Texture, soft: float) -> tuple[Field, Field | None]:
    return np.zeros((1, 1), dtype=np.float32), None


PATTERN_FUNCTIONS: dict[str, Pattern] = {
    "plain": _plain,
    "horizontal stripes": _horizontal,
    "vertical stripes": _vertical,
    "diagonal stripes": _diagonal,
    "checks": _checks,
    "plaid": _plaid,
    "dots": _dots,
    "zigzags": _zigzags,
    "gradient": _gradient,
    "colour blocks": _blocks,
    "accent waistband": _blocks,
}


def paint_pattern(x: Field, y: Field, texture: Texture, soft: float) -> Field:
    """Colours of a texture at points of the cloth, float32 (3, H, W) in [0, 255]."""
    second, accent = PATTERN_FUNCTIONS[texture.pattern](x, y, texture, soft)
    return blend(texture, second, accent)


def blend(texture: Texture, second: Field, accent: Field | None) -> Field:
    """Mixes the main colour with shares of the second colour and of the accent."""
    base, other, third = (
        np.array(COLOURS[name], dtype=np.float32)[:, None, None] for name in texture.colours
    )
    image: Field = base + second * (other - base)
    if accent is not None:
        image = image + accent * (third - image)
    return image


def camouflage(texture: Texture, folds: int, size: tuple[int, int]) -> Field:
    """Soft-edged blobs of three colours over a whole picture."""
    dice = Dice(folds, "camouflage")
    sharp = size[0] / 256 * 2.4
    first = smooth_field(dice.array(15, 12), size)
    second = smooth_field(dice.array(15, 12), size)
    scale = np.float32(6.0 * sharp)
    return blend(
        texture, np.clip(first * scale + 0.5, 0, 1), np.clip((second - np.float32(0.22)) * scale + 0.5, 0, 1)
    )
