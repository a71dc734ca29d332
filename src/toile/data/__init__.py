"""Pairs of a person and a garment, from any dataset, as one record type; and encodings computed ahead."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toile.data.latent_cache import LatentCache, write_cache
    from toile.data.mixture import MixedPairs
    from toile.data.open import open_pairs
    from toile.data.pose import Pose
    from toile.data.record import GarmentPair

__all__ = ["GarmentPair", "LatentCache", "MixedPairs", "Pose", "open_pairs", "write_cache"]

_HOMES = {
    "GarmentPair": "record",
    "LatentCache": "latent_cache",
    "MixedPairs": "mixture",
    "Pose": "pose",
    "open_pairs": "open",
    "write_cache": "latent_cache",
}
"""Where each name lives: imported when it is asked for, as some homes bring heavy libraries with them."""


def __getattr__(name: str) -> Any:
    """Import a name from its home."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
