"""Look-alikes are found as by comparing each with each, whatever shares their bands."""

import itertools

import numpy as np

from toile.data.doctor.duplicates import MOST_BITS, look_alikes, same_bytes
from toile.data.doctor.fingerprints import fingerprint


def test_same_bytes() -> None:
    assert same_bytes([b"a", b"b", b"a", b"c", b"b", b"a"]) == [[0, 2, 5], [1, 4]]


def test_against_each_with_each() -> None:
    random = np.random.default_rng(0)
    hashes = random.integers(0, 2**64, 60, np.uint64)
    near = hashes.copy()
    for index in range(60):  # up to 5 bits are turned over in each
        for bit in random.choice(64, index % 6, replace=False):
            near[index] ^= np.uint64(1) << np.uint64(bit)
    every = np.concatenate([hashes, near, hashes[:5]])
    thumbnails = np.zeros((len(every), 12), np.uint8)
    found = {pair for group in look_alikes(every, thumbnails) for pair in itertools.combinations(group, 2)}
    wanted = {
        (one, other)
        for one, other in itertools.combinations(range(len(every)), 2)
        if int(every[one] ^ every[other]).bit_count() <= MOST_BITS
    }
    assert found == wanted and len(wanted) > 40


def test_thumbnails_decide() -> None:
    hashes = np.zeros(3, np.uint64)
    thumbnails = np.array([[0] * 12, [1] * 12, [0, 200] * 6], np.uint8)
    assert look_alikes(hashes, thumbnails) == [[0, 1]]


def test_nothing_at_all() -> None:
    assert look_alikes(np.zeros(0, np.uint64), np.zeros((0, 12), np.uint8)) == []


def test_many_of_one_kind_stay_cheap() -> None:
    hashes = np.zeros(20_000, np.uint64)
    (group,) = look_alikes(hashes, np.zeros((20_000, 12), np.uint8))
    assert len(group) == 20_000


def test_a_fingerprint_survives_scaling_but_not_another_picture() -> None:
    random = np.random.default_rng(1)
    coarse = random.integers(0, 256, (6, 5, 3), np.uint8)
    picture = np.kron(coarse, np.ones((40, 40, 1), np.uint8))
    small = picture[::2, ::2]
    (one, first), (other, second) = fingerprint(picture), fingerprint(small)
    assert (one ^ other).bit_count() <= MOST_BITS and np.abs(first.astype(int) - second).mean() < 3
    third, _ = fingerprint(picture[:, ::-1].copy())
    assert (one ^ third).bit_count() > 10
