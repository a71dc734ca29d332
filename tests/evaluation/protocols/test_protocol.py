from dataclasses import replace

import pytest

from toile.errors import ToileError
from toile.evaluation.protocols.built_in import IGR_PAIRED
from toile.evaluation.protocols.protocol import MetricUse, Statistics, canonical_json


def test_the_hash_knows_every_field() -> None:
    others = [
        replace(IGR_PAIRED, version=2),
        replace(IGR_PAIRED, pairs=replace(IGR_PAIRED.pairs, list_sha256="0")),
        replace(IGR_PAIRED, pictures=replace(IGR_PAIRED.pictures, lossless=False)),
        replace(IGR_PAIRED, pictures=replace(IGR_PAIRED.pictures, resizing="lanczos")),
        replace(
            IGR_PAIRED, metrics=(replace(IGR_PAIRED.metrics[0], definition="x"), *IGR_PAIRED.metrics[1:])
        ),
        replace(IGR_PAIRED, metrics=IGR_PAIRED.metrics[::-1]),
        replace(IGR_PAIRED, statistics=Statistics(seed=1)),
    ]
    assert len({protocol.hash for protocol in (IGR_PAIRED, *others)}) == len(others) + 1
    assert replace(IGR_PAIRED).hash == IGR_PAIRED.hash


def test_the_hash_is_that_of_canonical_json() -> None:
    assert canonical_json({"b": [1.5, None], "a": "é"}) == '{"a":"\\u00e9","b":[1.5,null]}'
    with pytest.raises(ValueError, match="Out of range"):
        canonical_json(float("nan"))


@pytest.mark.parametrize(
    "change",
    [
        {"metrics": ()},
        {"metrics": (MetricUse(name="ssim"), MetricUse(name="ssim"))},
        {"version": 0},
        {"statistics": Statistics(confidence=1.0)},
    ],
)
def test_what_measures_nothing_is_refused(change: dict) -> None:
    with pytest.raises(ToileError):
        replace(IGR_PAIRED, **change)
