"""A part of a shard: its bytes, and nothing else's."""

from pathlib import Path

import pytest

from toile.catalogue.item import ShardPart
from toile.errors import ToileError


def part(path: Path, start: int, length: int) -> ShardPart:
    return ShardPart(shard=path, member="1.jpg", start=start, length=length)


def test_a_part_is_read_from_the_midst(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"0123456789")
    assert part(tmp_path / "a.tar", 3, 4).read() == b"3456"
    assert str(part(tmp_path / "a.tar", 3, 4)).endswith("a.tar#1.jpg")


def test_a_part_that_is_not_whole_is_refused(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"0123456789")
    with pytest.raises(ToileError, match="cut short"):
        part(tmp_path / "a.tar", 8, 4).read()
    with pytest.raises(ToileError, match="cannot be read"):
        part(tmp_path / "b.tar", 0, 1).read()
