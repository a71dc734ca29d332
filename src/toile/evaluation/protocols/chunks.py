"""Values and features of the pictures, kept on disk by the chunk: what was measured is never measured again.

A chunk is a safetensors file: one row a picture for every metric (float64) and network (float32), and what
is to be said of each picture as JSON in its metadata. Which pictures are in which chunk follows from their
sorted identifiers alone, and a chunk appears whole, so that a run may be stopped at any time, and so that
several processes may fill one folder.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float32, Shaped
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from toile.errors import ToileError
from toile.files import whole_file, write_text

CHUNK = 32
"""Pictures of a chunk."""
RUN_FILE = "run.json"
Entry = TypeVar("Entry")


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """What was measured of a few pictures."""

    items: list[dict[str, Any]]
    """What is to be said of each."""
    arrays: Mapping[str, Shaped[np.ndarray, "B ..."]]
    """By `value:METRIC`, `predicted:NETWORK` or `real:NETWORK`: one row a picture."""


def chunked(entries: Sequence[Entry]) -> list[Sequence[Entry]]:
    """Cut a sequence into chunks."""
    return [entries[start : start + CHUNK] for start in range(0, len(entries), CHUNK)]


def chunk_path(folder: Path, kind: str, number: int) -> Path:
    """Where a chunk lies: `kind` is "pictures" or "reference"."""
    return folder / f"{kind}-{number:05d}.safetensors"


def open_folder(folder: Path, key: str) -> None:
    """Make the folder of a run; whatever a run with another key left there is removed.

    Raises:
        ToileError: when it cannot be written, or holds something else.
    """
    stamp = folder / RUN_FILE
    if stamp.is_file() and stamp.read_text(encoding="utf-8") != key:
        for path in (*folder.glob("*.safetensors"), *folder.glob("*.npy"), stamp):
            path.unlink()
    elif folder.exists() and not stamp.is_file() and any(folder.iterdir()):
        raise ToileError(f"{folder} holds other files; name another output, or move them away")
    if not stamp.is_file():
        write_text(key, stamp)


def write_chunk(path: Path, chunk: Chunk) -> None:
    """Write a chunk, whole or not at all.

    Raises:
        ToileError: when it cannot be written.
    """
    with whole_file(path) as beside:
        arrays = {name: np.ascontiguousarray(array) for name, array in chunk.arrays.items()}
        save_file(arrays, beside, metadata={"items": json.dumps(chunk.items)})


def read_items(path: Path) -> list[dict[str, Any]]:
    """What is said of a chunk's pictures.

    Raises:
        ToileError: when the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            items: list[dict[str, Any]] = json.loads(file.metadata()["items"])
            return items
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from error


def read_array(path: Path, name: str) -> Shaped[np.ndarray, "B ..."] | None:
    """One array of a chunk; None where it has none of that name.

    Raises:
        ToileError: when the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            if name not in file.keys():  # noqa: SIM118  # a file of safetensors is no mapping
                return None
            array: np.ndarray = file.get_tensor(name)
            return array
    except (OSError, SafetensorError) as error:
        raise _damaged(path, error) from error


def is_whole(path: Path, count: int) -> bool:
    """Whether a chunk is there, can be read, and has so many pictures; a damaged one is removed."""
    if not path.is_file():
        return False
    try:
        if len(read_items(path)) == count:
            return True
    except ToileError:
        pass
    path.unlink()
    return False


def gathered(paths: Sequence[Path], name: str, onto: Path) -> Float32[np.ndarray, "N D"]:
    """All rows of one array of all chunks, in their order, in a file that is mapped into memory.

    Memory does not grow with the number of pictures; the file does.

    Args:
        paths: the chunks.
        name: of the array, as "predicted:inception".
        onto: the .npy file to write.

    Raises:
        ToileError: when a chunk lacks it, or it cannot be written.
    """
    lengths, width = [], 0
    for rows in _rows(paths, name):
        lengths.append(len(rows))
        width = rows.shape[1]
    with whole_file(onto) as beside:
        mapped = np.lib.format.open_memmap(beside, mode="w+", dtype=np.float32, shape=(sum(lengths), width))
        start = 0
        for rows in _rows(paths, name):
            mapped[start : start + len(rows)] = rows
            start += len(rows)
        mapped.flush()
        del mapped
    return np.load(onto, mmap_mode="c", allow_pickle=False)  # type: ignore[no-any-return]


def _rows(paths: Sequence[Path], name: str) -> Iterator[np.ndarray]:
    for path in paths:
        rows = read_array(path, name)
        if rows is None:
            raise ToileError(f"{path} has no {name}; remove the folder {path.parent} and evaluate again")
        yield rows


def _damaged(path: Path, error: Exception) -> ToileError:
    return ToileError(f"{path} cannot be read ({error}); remove it and evaluate again")
