"""What runs that were killed have left in an output folder: files half written, shards never recorded."""

from collections.abc import Callable
from pathlib import Path

from toile.catalogue.sinks import remove_leftovers


def tidy(output: Path, recorded: Callable[[int], bool]) -> None:
    """Remove it; only while nobody writes there.

    Args:
        output: the folder.
        recorded: whether the manifest has a block. A shard of another one may hold items that are going to
            be in a shard of another number as well.
    """
    remove_leftovers(output)
    for part in output.glob(".*.part"):
        part.unlink(missing_ok=True)
    for shard in output.glob("shard-*.tar"):
        number = shard.stem.removeprefix("shard-")
        if number.isdigit() and not recorded(int(number)):
            shard.unlink()
