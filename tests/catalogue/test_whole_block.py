"""A block's files are there whole or not at all, on a full disk too."""

import os
import shutil
import subprocess
import sys

import pytest

from toile.catalogue.whole_block import remove_leftovers, write_whole_block
from toile.errors import ToileError


def files_of(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 512 KiB of its own; skips where none can be had."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_files_are_written_into_their_folders(tmp_path):
    write_whole_block(tmp_path, 3, {"a/b/c.png": b"1", "d.png": b"2"})
    assert files_of(tmp_path) == {"a/b/c.png", "d.png"}
    assert (tmp_path / "a/b/c.png").read_bytes() == b"1"


def test_a_block_that_is_done_again_takes_the_place_of_the_first(tmp_path):
    write_whole_block(tmp_path, 3, {"a.png": b"1"})
    write_whole_block(tmp_path, 3, {"a.png": b"2"})
    assert (tmp_path / "a.png").read_bytes() == b"2"


def test_a_full_disk_is_called_so_and_leaves_nothing(small_disk):
    write_whole_block(small_disk, 0, {"pictures/a.png": bytes(100_000)})
    many = {f"pictures/{n}.png": bytes(100_000) for n in range(9)}
    with pytest.raises(ToileError, match=r"disk of .* is full \(0\.9 MB were to be written\); make room"):
        write_whole_block(small_disk, 1, many)
    assert files_of(small_disk) == {"pictures/a.png"}
    write_whole_block(small_disk, 1, dict(list(many.items())[:3]))  # there is room for less


def test_what_cannot_be_named_leaves_nothing(tmp_path):
    (tmp_path / "b.png").mkdir()
    (tmp_path / "b.png/x").touch()
    with pytest.raises(ToileError, match="cannot be written"):
        write_whole_block(tmp_path, 1, {"a.png": b"1", "b.png": b"2"})
    assert files_of(tmp_path) == {"b.png/x"}


WRITE = """
import itertools, sys
from pathlib import Path
from toile.catalogue.whole_block import write_whole_block
for block in itertools.count():
    write_whole_block(Path(sys.argv[1]), block, {f"{block}-{n}.png": bytes([n]) * 300_000 for n in range(4)})
    print(block, flush=True)
"""


def test_a_process_that_is_killed_leaves_no_half_of_a_file(tmp_path):
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path)], stdout=subprocess.PIPE) as writer:
            for _ in range(3):
                writer.stdout.readline()
            writer.kill()
        found = list(tmp_path.glob("*.png"))
        assert len(found) >= 12
        for path in found:
            assert path.read_bytes() == bytes([int(path.stem[-1])]) * 300_000


def test_what_a_killed_process_left_is_removed(tmp_path):
    left = tmp_path / ".unfinished/00000007.123"
    left.mkdir(parents=True)
    (left / "0").write_bytes(b"half")
    write_whole_block(tmp_path, 8, {"a.png": b"1"})
    assert os.listdir(tmp_path / ".unfinished") == ["00000007.123"]
    remove_leftovers(tmp_path)
    remove_leftovers(tmp_path)
    assert os.listdir(tmp_path) == ["a.png"]
