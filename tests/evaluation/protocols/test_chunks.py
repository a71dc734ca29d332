import json
from pathlib import Path

import numpy as np
import pytest

from toile.errors import ToileError
from toile.evaluation.protocols.chunks import (
    Chunk,
    chunk_path,
    chunked,
    gathered,
    is_whole,
    open_folder,
    read_array,
    read_items,
    write_chunk,
)


def chunk(start: int, count: int) -> Chunk:
    rows = np.arange(start, start + count)
    features = np.stack([rows, -rows], axis=1).astype(np.float32)
    return Chunk(
        items=[{"identifier": str(row)} for row in rows.tolist()],
        arrays={"value:ssim": rows.astype(np.float64), "predicted:x": features},
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = chunk_path(tmp_path, "pictures", 0)
    write_chunk(path, chunk(0, 3))
    assert [item["identifier"] for item in read_items(path)] == ["0", "1", "2"]
    np.testing.assert_array_equal(read_array(path, "value:ssim"), [0.0, 1.0, 2.0])
    assert read_array(path, "value:psnr") is None
    assert is_whole(path, 3) and not is_whole(path, 4) and not path.exists()


def test_features_are_gathered_in_order(tmp_path: Path) -> None:
    paths = [chunk_path(tmp_path, "pictures", number) for number in range(3)]
    for number, path in enumerate(paths):
        write_chunk(path, chunk(10 * number, 2))
    found = gathered(paths, "predicted:x", tmp_path / "x.npy")
    assert isinstance(found, np.memmap)
    np.testing.assert_array_equal(found[:, 0], [0, 1, 10, 11, 20, 21])
    with pytest.raises(ToileError, match="has no real:x"):
        gathered(paths, "real:x", tmp_path / "y.npy")
    assert not (tmp_path / "y.npy").exists()


def test_damage_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"nonsense")
    with pytest.raises(ToileError, match="remove it and evaluate again"):
        read_items(path)
    assert not is_whole(path, 1) and not path.exists()


def test_a_folder_of_another_run_is_emptied(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    open_folder(folder, json.dumps({"a": 1}))
    write_chunk(chunk_path(folder, "pictures", 0), chunk(0, 1))
    open_folder(folder, json.dumps({"a": 1}))
    assert chunk_path(folder, "pictures", 0).exists()
    open_folder(folder, json.dumps({"a": 2}))
    assert not chunk_path(folder, "pictures", 0).exists()


def test_chunks_follow_from_the_order_alone() -> None:
    assert [len(part) for part in chunked(range(70))] == [32, 32, 6]
    assert chunked(range(0)) == []
