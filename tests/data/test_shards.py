import functools
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from tests.data.layouts import garment, labels, mask, picture, write_plain, write_street_tryon
from torch.utils.data import ConcatDataset, DataLoader

from toile.data.doll_pairs import DollPairs
from toile.data.open import open_pairs
from toile.data.shard_writer import write_shards
from toile.data.shards import ShardPairs, find_shards
from toile.data.tensors import pair_tensors
from toile.errors import ToileError

TEXTS = {"identifier": "a", "category": "upper", "source": "test"}


def png(image: object) -> bytes:
    content = io.BytesIO()
    image.save(content, format="PNG")  # type: ignore[attr-defined]
    return content.getvalue()


def write(path: Path, **contents: bytes) -> ShardPairs:
    """A shard with one sample, as somebody else may have written it."""
    files = {
        "json": json.dumps(TEXTS).encode(),
        "person.png": png(picture(0)),
        "garment.png": png(garment(0)),
    }
    with tarfile.open(path, "w") as file:
        for name, content in (
            files | {name.replace("_", "."): value for name, value in contents.items()}
        ).items():
            member = tarfile.TarInfo(f"0001.{name}")
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return ShardPairs([path])


def test_a_sample_with_the_least_that_is_needed(tmp_path: Path) -> None:
    (pair,) = write(tmp_path / "s.tar")
    assert (pair.identifier, pair.caption, pair.has_mask, pair.paired) == ("a", "", False, True)
    assert pair.reasons is None and pair.parse is None and pair.pose is None
    assert pair.mask.size == pair.person.size
    assert np.asarray(pair.silhouette).any()


@pytest.mark.parametrize(
    "texts",
    [b"{", b"[]", b"{\"category\": 3}", b"[" * 50_000,
     json.dumps({**TEXTS, "category": "hat"}).encode(),
     json.dumps({**TEXTS, "pose": [[1, 2, 3]]}).encode(), json.dumps({**TEXTS, "hardness": 3}).encode()],
)  # fmt: skip
def test_damaged_texts(tmp_path: Path, texts: bytes) -> None:
    pairs = write(tmp_path / "s.tar", json=texts)
    with pytest.raises(ToileError, match=r"s\.tar, byte \d+: the texts of a pair are damaged"):
        pairs[0]


def test_damaged_pictures_are_named_when_they_are_read(tmp_path: Path) -> None:
    (pair,) = write(tmp_path / "s.tar", person_png=b"no picture", parse_png=png(labels((8, 8))), mask_png=b"")
    with pytest.raises(ToileError, match=r"the person at byte \d+ of .*s\.tar"):
        _ = pair.person
    with pytest.raises(ToileError, match="the mask at byte"):
        _ = pair.mask
    (pair,) = write(tmp_path / "t.tar", parse_png=png(labels((8, 8))))
    with pytest.raises(ToileError, match="measures 8×8"):
        _ = pair.parse
    (pair,) = write(tmp_path / "u.tar", parse_png=png(mask()))
    with pytest.raises(ToileError, match="label 255"):
        _ = pair.parse


def test_a_shard_that_shrinks_after_it_was_opened(tmp_path: Path) -> None:
    pairs = write(tmp_path / "s.tar")
    (tmp_path / "s.tar").write_bytes(b"")
    with pytest.raises(ToileError, match="cut short"):
        pairs[0]


def test_shards_by_folder_pattern_and_braces(tmp_path: Path) -> None:
    names = [f"train-{number:06d}.tar" for number in range(3)] + ["test-000000.tar"]
    for name in names:
        (tmp_path / name).touch()
    expected = [tmp_path / name for name in names[:3]]
    assert find_shards(str(tmp_path), "train") == expected
    assert find_shards(f"{tmp_path}/train-*.tar", "train") == expected
    assert find_shards(f"{tmp_path}/train-{{000000..000002}}.tar", "train") == expected
    assert find_shards(str(tmp_path / names[3]), "train") == [tmp_path / names[3]]
    for wrong in (
        "x-*.tar",
        "x.tar",
        "train-{000000..000003}.tar",
        "train-{0..999999999}.tar",
        "t-{3..1}.tar",
    ):
        with pytest.raises(ToileError, match="shards '"):
            find_shards(f"{tmp_path}/{wrong}", "train")


def test_a_linked_shard_that_leads_out(tmp_path: Path) -> None:
    write(tmp_path / "s.tar")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "train-000000.tar").symlink_to(tmp_path / "s.tar")
    with pytest.raises(ToileError, match="leads out of"):
        find_shards(str(tmp_path / "set"), "train")


def test_shards_are_told_apart(tmp_path: Path) -> None:
    first, other = write(tmp_path / "s.tar"), write(tmp_path / "t.tar", mask_png=png(mask()))
    assert first.fingerprint() == ShardPairs([tmp_path / "s.tar"]).fingerprint() != other.fingerprint()


def test_every_kind_of_sequence_travels_to_a_spawned_worker(tmp_path: Path) -> None:
    write_plain(tmp_path / "plain", ("a", "b"))
    write_street_tryon(tmp_path / "street")
    write_shards(DollPairs(0, 2, size=(64, 48)), tmp_path / "shards", progress=False)
    (tmp_path / "leaks.txt").write_text("b\n")
    sequences = [
        open_pairs(str(tmp_path / "plain"), size=(32, 24)),
        open_pairs(str(tmp_path / "plain"), exclude=tmp_path / "leaks.txt"),
        open_pairs(f"{tmp_path / 'street'}:test", paired=False),
        open_pairs("dolls:0:2", size=(64, 48), paired=False),
        open_pairs(f"shards:{tmp_path / 'shards'}"),
        open_pairs(f"shards:{tmp_path / 'shards'}*1+{tmp_path / 'plain'}*1"),
    ]
    dataset = ConcatDataset(sequences)  # type: ignore[arg-type]
    collate = functools.partial(pair_tensors, size=(32, 24))
    loader = DataLoader(
        dataset, batch_size=None, num_workers=1, multiprocessing_context="spawn", collate_fn=collate
    )
    for index, tensors in enumerate(loader):
        mine = collate(dataset[index])
        assert all((tensors[name] == mine[name]).all() for name in mine)
    assert index == len(dataset) - 1 == 12
