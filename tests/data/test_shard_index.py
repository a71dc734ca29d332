import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from toile.data.shard_index import FIELDS, MEMBER_LIMIT, build_index, shard_index
from toile.errors import ToileError

SAMPLE = {"a/1.json": b"{}", "a/1.person.jpg": b"photo", "a/1.garment.png": b"cloth", "a/1.txt": b"more"}


def shard(path: Path, contents: dict[str, bytes], special: tarfile.TarInfo | None = None) -> Path:
    with tarfile.open(path, "w") as file:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
        if special is not None:
            file.addfile(special)
    return path


def special(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 0) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size = kind, target, size
    return member


def test_places_are_those_of_the_bytes(tmp_path: Path) -> None:
    path = shard(tmp_path / "s.tar", SAMPLE)
    index, content = build_index(path), path.read_bytes()
    assert index.shape == (1, len(FIELDS), 2)
    found = {
        field: content[start : start + length]
        for field, (start, length) in zip(FIELDS, index[0], strict=True)
    }
    assert (found["person"], found["garment"], found["json"]) == (b"photo", b"cloth", b"{}")
    assert index[0, FIELDS.index("mask")].tolist() == [-1, 0]


def test_the_index_is_kept_and_made_anew_when_it_does_not_fit(tmp_path: Path) -> None:
    path = shard(tmp_path / "s.tar", SAMPLE)
    index, beside = shard_index(path), tmp_path / "s.tar.index"
    made = beside.stat().st_mtime_ns
    assert (shard_index(path) == index).all()
    assert beside.stat().st_mtime_ns == made
    beside.write_bytes(b"damaged")
    assert (shard_index(path) == index).all()
    shard(path, SAMPLE | {f"b/{number}": b"" for number in range(30)} | {"a/1.mask.png": b"white"})
    assert (shard_index(path)[0, FIELDS.index("mask")] != (-1, 0)).all()


def test_an_index_that_points_outside_is_not_believed(tmp_path: Path) -> None:
    path = shard(tmp_path / "s.tar", SAMPLE)
    from safetensors.numpy import load_file, save_file

    honest = shard_index(path)
    stamp = {"version": "1", "size": str(path.stat().st_size)}
    lying = load_file(tmp_path / "s.tar.index")["index"].copy()
    lying[0, 1] = (0, 10**12)
    save_file({"index": lying}, tmp_path / "s.tar.index", metadata=stamp)
    assert np.array_equal(shard_index(path), honest)


@pytest.mark.parametrize(
    ("contents", "extra", "message"),
    [
        (SAMPLE, special("a/2.person.jpg", tarfile.SYMTYPE, "/etc/passwd"), "is a link"),
        (SAMPLE, special("a/2.person.jpg", tarfile.LNKTYPE, "a/1.json"), "is a link"),
        (SAMPLE, special("a/2.person.jpg", tarfile.FIFOTYPE), "no plain file"),
        (SAMPLE, special("../1.person.jpg"), "leads out"),
        (SAMPLE, special("/1.person.jpg"), "leads out"),
        (SAMPLE, special("a\nb.person.jpg"), "cannot be a file"),
        (SAMPLE | {"a/1.person.png": b""}, None, "twice"),
        ({"a/1.json": b"{}", "a/1.person.jpg": b""}, None, "lacks a/1.garment"),
        ({"a.txt": b""}, None, "holds no pair"),
        ({}, None, "holds no pair"),
    ],
)
def test_hostile_shards(
    tmp_path: Path, contents: dict[str, bytes], extra: tarfile.TarInfo | None, message: str
) -> None:
    with pytest.raises(ToileError, match=message) as caught:
        shard_index(shard(tmp_path / "s.tar", contents, extra))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "s.tar.index").exists()


def test_a_member_too_large_is_refused_by_its_header(tmp_path: Path) -> None:
    path = shard(tmp_path / "s.tar", SAMPLE)
    header = special("a/2.person.jpg", size=MEMBER_LIMIT + 1).tobuf(tarfile.GNU_FORMAT)
    path.write_bytes(header + path.read_bytes())
    with pytest.raises(ToileError, match="the limit is"):
        shard_index(path)


@pytest.mark.parametrize("keep", [100, 512, 700, 2048, 3000, 3584, 4096])
def test_shards_cut_short(tmp_path: Path, keep: int) -> None:
    path = shard(tmp_path / "s.tar", SAMPLE)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ToileError, match=r"cut short|damaged|lacks|no pair"):
        shard_index(path)


def test_other_files(tmp_path: Path) -> None:
    path = shard(tmp_path / "s.tar", SAMPLE)
    path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(ToileError, match="compressed"):
        shard_index(path)
    with pytest.raises(ToileError, match="cannot be read"):
        shard_index(tmp_path / "gone.tar")
