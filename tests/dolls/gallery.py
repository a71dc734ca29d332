"""Dolls that several tests look at, drawn once."""

from functools import lru_cache

from toile.dolls import Doll, Mode, draw_doll

SEEDS = range(40, 48)


@lru_cache(maxsize=64)
def doll(seed: int, mode: Mode = "studio") -> Doll:
    return draw_doll(seed, mode=mode)


def dolls() -> list[Doll]:
    """Eight studio dolls and eight street dolls."""
    return [doll(seed, mode) for mode in ("studio", "street") for seed in SEEDS]
