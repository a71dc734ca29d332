"""Shards written by WebDataset itself, then broken."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.data.doctor.breaking import codes, found
from webdataset import ShardWriter

from toile.data.doctor.checkup import check_dataset


@pytest.fixture
def shards(viton_hd: Path, tmp_path: Path) -> Path:
    root = tmp_path / "shards"
    root.mkdir()
    for split in ("train", "test"):
        with ShardWriter(f"{root}/{split}-%06d.tar", verbose=0, encoder=False) as writer:
            for number, photo in enumerate(sorted((viton_hd / split / "image").iterdir())):
                folder, stem = viton_hd / split, photo.stem
                sample = {
                    "person.jpg": photo.read_bytes(),
                    "garment.jpg": (folder / f"cloth/{stem}.jpg").read_bytes(),
                    "mask.png": (folder / f"agnostic-mask/{stem}_mask.png").read_bytes(),
                    "parse.png": (folder / f"image-parse-v3/{stem}.png").read_bytes(),
                    "json": json.dumps({"identifier": stem, "category": "upper"}).encode(),
                }
                writer.write({"__key__": f"{number:08d}"} | sample)
    return root


def rewrite(shard: Path, change: Callable[[str, bytes], list[tuple[str, bytes]]]) -> None:
    with tarfile.open(shard) as tar:
        members = [(member.name, tar.extractfile(member).read()) for member in tar]
    with tarfile.open(shard, "w") as tar:
        for name, data in (new for old in members for new in change(*old)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def test_healthy_shards(shards: Path) -> None:
    report = check_dataset(shards)
    assert (report.layout, codes(report), report.pairs) == ("WebDataset shards", set(), 7)
    assert report.counts == {"test-000000.tar": 10, "train-000000.tar": 25}
    assert check_dataset(shards / "test-000000.tar").pairs == 2


def test_cut_short(shards: Path) -> None:
    shard = shards / "train-000000.tar"
    shard.write_bytes(shard.read_bytes()[:-11_000])
    assert ("shard-damaged", "train-000000.tar") in found(check_dataset(shards))


def test_no_tar_at_all(shards: Path) -> None:
    (shards / "train-000000.tar").write_bytes(b"<html>" * 200)
    assert ("shard-damaged", "train-000000.tar") in found(check_dataset(shards))


def test_links_and_ways_out(shards: Path) -> None:
    with tarfile.open(shards / "train-000000.tar", "a") as tar:
        link = tarfile.TarInfo("00000009.person.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        tar.addfile(tarfile.TarInfo("../../00000010.person.jpg"))
    report = check_dataset(shards)
    assert {file for code, file in found(report) if code == "shard-unsafe"} == {
        "train-000000.tar/00000009.person.jpg",
        "train-000000.tar/../../00000010.person.jpg",
    }
    assert report.exit_code == 2


def test_a_sample_without_its_garment(shards: Path) -> None:
    def drop(name: str, data: bytes) -> list[tuple[str, bytes]]:
        return [] if name == "00000001.garment.jpg" else [(name, data)]

    rewrite(shards / "test-000000.tar", drop)
    assert ("sample-incomplete", "test-000000.tar/00000001") in found(check_dataset(shards))


def test_a_key_that_comes_again(shards: Path) -> None:
    rewrite(shards / "test-000000.tar", lambda name, data: [(name.replace("00000001", "00000000"), data)])
    assert ("shard-key-repeated", "test-000000.tar/00000000.garment.jpg") in found(check_dataset(shards))


def test_texts_that_are_none(shards: Path) -> None:
    def spoil(name: str, data: bytes) -> list[tuple[str, bytes]]:
        return [(name, b"{" if name == "00000001.json" else data)]

    rewrite(shards / "test-000000.tar", spoil)
    assert ("sample-damaged", "test-000000.tar/00000001.json") in found(check_dataset(shards))


def test_a_damaged_member_and_a_leak(shards: Path) -> None:
    with tarfile.open(shards / "test-000000.tar") as tar:
        leaking = tar.extractfile("00000001.person.jpg").read()

    def spoil(name: str, data: bytes) -> list[tuple[str, bytes]]:
        return [(name, {"00000000.garment.jpg": data[:-300], "00000002.person.jpg": leaking}.get(name, data))]

    rewrite(shards / "train-000000.tar", spoil)
    report = check_dataset(shards)
    assert ("file-truncated", "train-000000.tar/00000000.garment.jpg") in found(report)
    assert ("leak", "train-000000.tar/00000002.person.jpg") in found(report)
    assert report.excluded == ["00000002_00"]
