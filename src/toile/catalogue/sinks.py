"""Where results go: a folder of pictures, or shards; a block of them whole or not at all."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from toile.catalogue.folder_sink import FolderSink
from toile.catalogue.item import Item, ShardPart
from toile.catalogue.whole_block import remove_leftovers
from toile.data.dataset_folder import checked_name
from toile.data.tar_members import tar_members
from toile.errors import ToileError
from toile.files import check_writable
from toile.tasks.result import Result

__all__ = ["Sink", "SinkKind", "open_sink", "read_output", "remove_leftovers"]

SinkKind = Literal["folder", "shards"]
"""How results are kept."""


@runtime_checkable
class Sink(Protocol):
    """Keeps results; it can be sent to another process."""

    def write(self, block: int, results: Sequence[tuple[Item, Result]]) -> list[str]:
        """Write the results of a block, all of them or none; doing so again changes nothing.

        Args:
            block: its number.
            results: what came of its items.

        Returns:
            Where each main picture lies, for the manifest: relative to the output's folder (see
            `read_output`).

        Raises:
            ToileError: when they cannot be written, as on a full disk: nothing of the block is left then.
        """
        ...


def open_sink(folder: Path, kind: SinkKind, *, items: int = 0) -> Sink:
    """A sink in an output's folder.

    Args:
        folder: of the output.
        kind: "folder" writes PNGs, "shards" a WebDataset shard for each block.
        items: how many the whole list has; many pictures are put into sub-folders.

    Raises:
        ToileError: when the folder cannot be written.
    """
    check_writable(folder)
    if kind == "folder":
        return FolderSink(folder=folder, items=items)
    from toile.catalogue.shard_sink import ShardSink

    return ShardSink(folder=folder)


def read_output(folder: Path, place: str) -> bytes:
    """The content of a picture that a sink has written.

    Args:
        folder: of the output.
        place: as `Sink.write` returned it.

    Raises:
        ToileError: when it is no longer there, or the place is none of a sink's.
    """
    file, _, member = place.partition("#")
    path = folder / checked_name(file, "the manifest")
    try:
        if not member:
            return path.read_bytes()
        found = next((one for one in tar_members(path) if one.name == member), None)
    except OSError as error:
        raise ToileError(f"{path} cannot be read ({error.strerror or error})") from error
    if found is None:
        raise ToileError(f"the shard {path} lacks {member}; it has been changed")
    return ShardPart(shard=path, member=member, start=found.offset_data, length=found.size).read()
