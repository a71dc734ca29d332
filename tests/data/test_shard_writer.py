from pathlib import Path

import numpy as np
import pytest
import webdataset
from tests.data.layouts import garment, picture, write_viton_hd

from toile.data.doll_pairs import DollPairs
from toile.data.open import open_pairs
from toile.data.record import GarmentPair
from toile.data.shard_writer import write_shards
from toile.errors import ToileError

TEXTS = ("identifier", "category", "caption", "garment_caption", "source", "garment_identifier", "paired",
         "has_mask", "reasons", "hardness")  # fmt: skip


def same(mine: GarmentPair, other: GarmentPair) -> bool:
    assert [getattr(mine, name) for name in TEXTS] == [getattr(other, name) for name in TEXTS]
    for name in ("person", "garment", "mask", "silhouette", "parse"):
        pictures = getattr(mine, name), getattr(other, name)
        if pictures != (None, None):
            assert (np.asarray(pictures[0]) == np.asarray(pictures[1])).all(), name
    poses = mine.pose, other.pose
    assert poses == (None, None) or np.array_equal(*(pose.keypoints for pose in poses if pose))
    return True


@pytest.mark.parametrize("paired", [True, False])
def test_nothing_is_lost(tmp_path: Path, paired: bool) -> None:
    dolls = DollPairs(0, 5, size=(64, 48), mode="street", paired=paired)
    shards = write_shards(dolls, tmp_path, shard_bytes=30_000, progress=False)
    assert len(shards) > 1
    assert sorted(tmp_path.iterdir()) == sorted(
        [*shards, *(path.with_suffix(".tar.index") for path in shards)]
    )
    read = open_pairs(f"shards:{tmp_path}", paired=paired)
    assert len(read) == 5
    assert all(same(mine, other) for mine, other in zip(dolls, read, strict=True))


def test_files_go_in_as_they_are(tmp_path: Path) -> None:
    write_viton_hd(tmp_path / "set", ("a", "b"))
    pairs = open_pairs(str(tmp_path / "set"), split="test")
    (shard,) = write_shards(pairs, tmp_path / "out", split="test", progress=False)
    assert (tmp_path / "set" / "test" / "image" / "a.jpg").read_bytes() in shard.read_bytes()
    read = open_pairs(f"shards:{tmp_path / 'out'}:test")
    assert all(same(mine, other) for mine, other in zip(pairs, read, strict=True))


def test_the_same_pairs_give_the_same_bytes_and_webdataset_reads_them(tmp_path: Path) -> None:
    pairs = DollPairs(0, 2, size=(64, 48))
    first, again = (write_shards(pairs, tmp_path / name, progress=False)[0] for name in ("a", "b"))
    assert first.read_bytes() == again.read_bytes()
    samples = list(webdataset.WebDataset(str(first), shardshuffle=False).decode("pil"))
    assert [sample["__key__"] for sample in samples] == ["00000000", "00000001"]
    assert (np.asarray(samples[1]["person.png"]) == np.asarray(pairs[1].person)).all()


def test_a_quality_makes_jpegs(tmp_path: Path) -> None:
    pairs = DollPairs(0, 1, size=(64, 48))
    write_shards(pairs, tmp_path, quality=90, progress=False)
    (read,) = open_pairs(f"shards:{tmp_path}")
    difference = np.asarray(read.person).astype(int) - np.asarray(pairs[0].person)
    assert 0 < abs(difference).mean() < 8
    assert (np.asarray(read.mask) == np.asarray(pairs[0].mask)).all()


def test_a_broken_picture_leaves_nothing_behind(tmp_path: Path) -> None:
    write_viton_hd(tmp_path / "set", ("a", "b"))
    (tmp_path / "set" / "test" / "cloth" / "b.jpg").write_bytes(b"no picture")
    with pytest.raises(ToileError, match=r"b\.jpg"):
        write_shards(open_pairs(str(tmp_path / "set:test")), tmp_path / "out", progress=False)
    assert not list((tmp_path / "out").iterdir())


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    pairs = DollPairs(0, 1, size=(64, 48))
    write_shards(pairs, tmp_path, progress=False)
    write_shards(pairs, tmp_path, split="test", progress=False)
    with pytest.raises(ToileError, match="already"):
        write_shards(pairs, tmp_path, progress=False)
    for wrong in ({"quality": 0}, {"shard_bytes": 0}):
        with pytest.raises(ToileError, match="1"):
            write_shards(pairs, tmp_path / "new", progress=False, **wrong)
    assert garment(0).size == picture(0).size
