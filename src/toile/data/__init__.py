"""Pairs of a person and a garment, from any dataset, as one record type; and encodings computed ahead."""

from toile.data.latent_cache import LatentCache, write_cache
from toile.data.mixture import MixedPairs
from toile.data.open import open_pairs
from toile.data.pose import Pose
from toile.data.record import GarmentPair

__all__ = ["GarmentPair", "LatentCache", "MixedPairs", "Pose", "open_pairs", "write_cache"]
