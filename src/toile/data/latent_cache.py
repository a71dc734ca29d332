"""Encodings computed once: a folder of safetensors shards that training reads at random."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.utils.data import Dataset
from tqdm import tqdm

from toile.errors import ToileError
from toile.files import whole_file, write_text

T = TypeVar("T")
INDEX = "cache.json"
MEMORY = 4 * 2**30
"""A cache of at most this many bytes is read into memory, a shard at a time, when it is first asked for."""


def write_cache(
    folder: Path,
    items: Sequence[T],
    encode: Callable[[list[T]], dict[str, Tensor]],
    *,
    key: str,
    batch_size: int = 16,
    shard_size: int = 512,
) -> "LatentCache":
    """Encode every item into a folder of shards; what is there already is not encoded again.

    Several processes may write one cache together: each takes shards that no other one is at work on.

    Args:
        folder: made when missing. A shard is written beside its place and renamed, so that a killed run
            leaves whole shards only, and the next run goes on after them.
        items: what is encoded, in order.
        encode: encodes a batch: tensors whose first axis runs over the batch, kept in their dtype.
        key: what the encodings depend on (a hash of source and weights); a folder with another is refused.
        batch_size: items encoded at a time.
        shard_size: items in one file.

    Raises:
        ToileError: when the folder holds another key, another number of items or other shards.
    """
    layout: dict[str, str | int] = {"key": key, "count": len(items), "shard_size": shard_size}
    _claim(folder, layout)
    left = dict(enumerate(_ranges(len(items), shard_size)))
    with tqdm(total=len(items), desc="encoding", unit="item", disable=None) as progress:
        for wait in (False, True):  # first what is free, then what others have left unfinished
            for number, rows in list(left.items()):
                path = _shard_path(folder, number)
                with nullcontext(False) if path.is_file() else _claimed(path, wait) as claimed:
                    if claimed and not path.is_file():
                        _write_shard(path, _encoded(items, rows, encode, batch_size), key)
                if path.is_file():
                    del left[number]
                    progress.update(len(rows))
    return LatentCache(folder)


def _encoded(
    items: Sequence[T], rows: range, encode: Callable[[list[T]], dict[str, Tensor]], batch_size: int
) -> dict[str, Tensor]:
    """The encodings of some rows, a batch at a time."""
    batches = (rows[start : start + batch_size] for start in range(0, len(rows), batch_size))
    return _join([encode([items[i] for i in batch]) for batch in batches], len(rows))


@contextmanager
def _claimed(path: Path, wait: bool) -> Iterator[bool]:
    """Whether a shard is this process's to write; the claim of a process that dies goes with it."""
    lock = FileLock(path.with_name(f".{path.name}.lock"), blocking=wait)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _ranges(count: int, size: int) -> Iterator[range]:
    return (range(start, min(start + size, count)) for start in range(0, count, size))


def _shard_path(folder: Path, number: int) -> Path:
    return folder / f"shard-{number:05d}.safetensors"


def _claim(folder: Path, layout: dict[str, str | int]) -> None:
    """Write the index of a new cache, or check that the one that is there is the same cache."""
    if (folder / INDEX).is_file():
        found = _read_index(folder)
        for name, value in layout.items():
            if found[name] != value:
                raise ToileError(
                    f"the cache in {folder} was made with {name} {found[name]}, not {value}; "
                    "give another folder, or delete this one"
                )
        return
    write_text(json.dumps(layout, indent=2), folder / INDEX)


def _read_index(folder: Path) -> dict[str, Any]:
    path = folder / INDEX
    if not path.is_file():
        raise ToileError(f"{folder} is no latent cache: it has no {INDEX}; make it with write_cache")
    try:
        index = json.loads(path.read_text())
        return {
            "key": str(index["key"]),
            "count": int(index["count"]),
            "shard_size": int(index["shard_size"]),
        }
    except (ValueError, KeyError, TypeError) as error:
        raise ToileError(f"{path} is damaged ({error}); delete {folder} and make the cache again") from error


def _join(batches: list[dict[str, Tensor]], rows: int) -> dict[str, Tensor]:
    joined = {name: torch.cat([batch[name].cpu() for batch in batches]).contiguous() for name in batches[0]}
    for name, tensor in joined.items():
        if len(tensor) != rows:
            raise ValueError(f"encode gave {len(tensor)} rows of {name!r} for {rows} items")
    return joined


def _write_shard(path: Path, tensors: dict[str, Tensor], key: str) -> None:
    with whole_file(path) as beside:
        save_file(tensors, beside, metadata={"key": key})


class LatentCache(Dataset[dict[str, Tensor]]):
    """The encodings that `write_cache` wrote, by item number.

    Raises:
        ToileError: when the folder is no cache, a shard is missing or damaged, or belongs to another key.
    """

    def __init__(self, folder: Path, *, memory: int = MEMORY) -> None:
        """Open the cache in `folder`; one of more than `memory` bytes stays in its files."""
        index = _read_index(folder)
        self.folder, self.key = folder, str(index["key"])
        self.count, self.shard_size = int(index["count"]), int(index["shard_size"])
        paths = [_shard_path(folder, number) for number, _ in enumerate(_ranges(self.count, self.shard_size))]
        missing = next((path for path in paths if not path.is_file()), None)
        if missing is not None:
            raise ToileError(
                f"the cache in {folder} is not complete: {missing.name} is missing; write it again"
            )
        self.in_memory = sum(path.stat().st_size for path in paths) <= memory
        self._shards: dict[int, dict[str, Any]] = {}

    def __len__(self) -> int:
        """How many items."""
        return self.count

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """The encodings of one item, in the dtypes they were written in, as tensors of their own."""
        if not -self.count <= index < self.count:
            raise IndexError(f"item {index} of a cache of {self.count}")
        number, row = divmod(index % self.count, self.shard_size)
        if number not in self._shards:
            self._shards[number] = self._open(number)
        return {name: tensor[row].clone() for name, tensor in self._shards[number].items()}

    def _open(self, number: int) -> dict[str, Any]:
        """A shard's tensors, or for a big cache slices that read a row from the file."""
        path = _shard_path(self.folder, number)
        try:
            with safe_open(path, "pt") as file:
                if (file.metadata() or {}).get("key") != self.key:
                    raise ToileError(f"{path} belongs to another cache; delete {self.folder}")
                if not self.in_memory:
                    return {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            return dict(load_file(path))
        except SafetensorError as error:
            raise ToileError(f"{path} is damaged ({error}); delete it and write the cache again") from error

    def __getstate__(self) -> dict[str, Any]:
        """A worker process opens the shards itself."""
        return {**self.__dict__, "_shards": {}}


class EncodedOnDemand(Dataset[dict[str, Tensor]]):
    """The same encodings without a cache: each item is encoded whenever it is asked for."""

    def __init__(self, items: Sequence[T], encode: Callable[[list[T]], dict[str, Tensor]]) -> None:
        """Keep what is encoded, and by what."""
        self.items, self.encode = items, encode

    def __len__(self) -> int:
        """How many items."""
        return len(self.items)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """The encodings of one item."""
        return {name: tensor[0].cpu() for name, tensor in self.encode([self.items[index]]).items()}


Encodings = LatentCache | EncodedOnDemand
"""Encoded items, computed ahead or not."""


def open_encodings(
    items: Sequence[T], encode: Callable[[list[T]], dict[str, Tensor]], folder: Path | None, key: str
) -> Encodings:
    """Encoded items, kept under their key in `folder`; without a folder, encoded when they are asked for.

    Raises:
        ToileError: as `write_cache`.
    """
    if folder is None:
        return EncodedOnDemand(items, encode)
    return write_cache(folder / key, items, encode, key=key)
