"""Finds pictures that are the same, bit for bit or to the eye, without comparing each with each."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8, UInt64

BANDS = 4
"""A 64-bit hash is cut into this many bands of 16 bits; two that differ in fewer bits share one of them."""
MOST_BITS = 3
"""Ours: hashes of look-alikes differ in at most so many bits; below `BANDS`, so that none is missed."""
MOST_DIFFERENCE = 3.0
"""Ours: their thumbnails differ by at most this much on average, of 255, once as bright as each other."""
BLOCK = 2_000_000
"""How many comparisons are made at once, to bound memory."""


def same_bytes(digests: Sequence[bytes]) -> list[list[int]]:
    """Groups of pictures with the same content, each in order, by index; those without a twin are in none."""
    groups: defaultdict[bytes, list[int]] = defaultdict(list)
    for index, digest in enumerate(digests):
        groups[digest].append(index)
    return [group for group in groups.values() if len(group) > 1]


def look_alikes(hashes: UInt64[np.ndarray, " N"], thumbnails: UInt8[np.ndarray, "N P"]) -> list[list[int]]:
    """Groups of pictures that look the same, each in order, by index.

    Of pictures with one hash, those like the first are its group at once. For the others: two hashes that
    differ in at most three bits agree in at least one of four bands of 16 bits, so only pictures that share a
    band are compared, and their thumbnails decide.

    Args:
        hashes: one for each picture.
        thumbnails: the same pictures, squeezed, RGB.
    """
    groups = _Groups(len(hashes))
    _, firsts, same = np.unique(hashes, return_index=True, return_inverse=True)
    alike = _alike(thumbnails, firsts[same].astype(np.int64), np.arange(len(hashes)))
    for index in np.flatnonzero(alike):
        groups.join(int(firsts[same[index]]), int(index))
    searched = np.flatnonzero(~alike | (firsts[same] == np.arange(len(hashes))))
    for band in range(BANDS):
        keys = (hashes[searched] >> np.uint64(16 * band)) & np.uint64(0xFFFF)
        order = np.argsort(keys, kind="stable")
        starts = np.flatnonzero(np.diff(keys[order])) + 1
        for bucket in np.split(searched[order], starts):
            for first, second in _within(bucket, hashes, thumbnails):
                groups.join(first, second)
    return groups.larger_than_one()


class _Groups:
    """Which pictures belong together (union-find)."""

    def __init__(self, count: int) -> None:
        self.parents = list(range(count))

    def leader(self, index: int) -> int:
        while self.parents[index] != index:
            self.parents[index] = self.parents[self.parents[index]]
            index = self.parents[index]
        return index

    def join(self, first: int, second: int) -> None:
        low, high = sorted((self.leader(first), self.leader(second)))
        self.parents[high] = low

    def larger_than_one(self) -> list[list[int]]:
        groups: defaultdict[int, list[int]] = defaultdict(list)
        for index in range(len(self.parents)):
            groups[self.leader(index)].append(index)
        return [group for group in groups.values() if len(group) > 1]


def _within(
    bucket: Int64[np.ndarray, " M"], hashes: UInt64[np.ndarray, " N"], thumbnails: UInt8[np.ndarray, "N P"]
) -> Iterator[tuple[int, int]]:
    """The pairs of a bucket, compared block by block."""
    count = len(bucket)
    step = max(1, BLOCK // max(1, count))
    for start in range(0, count - 1, step):
        rows = bucket[start : start + step]
        bits = np.bitwise_count(hashes[rows][:, None] ^ hashes[bucket][None])
        close = np.argwhere(bits <= MOST_BITS)
        close = close[close[:, 1] > close[:, 0] + start]
        first, second = rows[close[:, 0]], bucket[close[:, 1]]
        alike = _alike(thumbnails, first, second)
        yield from zip(first[alike].tolist(), second[alike].tolist(), strict=True)


def _alike(
    thumbnails: UInt8[np.ndarray, "N P"], first: Int64[np.ndarray, " K"], second: Int64[np.ndarray, " K"]
) -> Bool[np.ndarray, " K"]:
    """Whether the thumbnails of pairs are alike, some pairs at a time."""
    step = max(1, BLOCK // thumbnails.shape[1])
    parts = [
        _difference(thumbnails[first[start : start + step]], thumbnails[second[start : start + step]])
        for start in range(0, len(first), step)
    ]
    return np.concatenate(parts) <= MOST_DIFFERENCE if parts else np.zeros(0, bool)


def _difference(
    first: UInt8[np.ndarray, "K P"], second: UInt8[np.ndarray, "K P"]
) -> Float32[np.ndarray, " K"]:
    """Mean absolute difference of thumbnails after their own means are taken away from each."""
    one, other = (part.astype(np.float32) for part in (first, second))
    shift = np.clip((one - other).mean(axis=1, keepdims=True), -8, 8)
    return np.asarray(np.abs(one - other - shift).mean(axis=1))
