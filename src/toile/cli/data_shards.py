"""`toile data shards`: any dataset as WebDataset shards."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from toile.errors import ToileError
from toile.tasks.size import parse_size

MEBIBYTE = 2**20


@dataclass(frozen=True, kw_only=True)
class MakeShards:
    """Write a dataset as WebDataset shards: a few large tar files instead of many small files.

    Train on them as `shards:OUT`. Photos and garments go in as they are; nothing is lost.
    """

    data: Annotated[str, tyro.conf.Positional]
    """The dataset: a folder in any layout, a CSV or JSON-lines list, dolls:FIRST:COUNT, a mixture."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="OUT")]
    """Folder to write into. Other splits there stay."""
    split: Literal["train", "test"] = "train"
    """Which split to write."""
    unpaired: bool = False
    """Write the unpaired list: people with the garments of others that they are to put on."""
    size: Annotated[str | None, tyro.conf.arg(metavar="HxW")] = None
    """Fit and pad every picture to this size, as 1024x768. Left out: as they are."""
    quality: int | None = None
    """Write photos and garments as JPEGs of this quality, 1 to 100. Left out: nothing is lost."""
    shard_mebibytes: int = 1000
    """A shard is closed once it holds so much."""
    exclude: Path | None = None
    """A list of pairs to leave out, one identifier a line."""

    def run(self) -> int:
        """Write the shards, and say what there is now."""
        shards, count = make_shards(
            self.data,
            self.output,
            split=self.split,
            paired=not self.unpaired,
            size=None if self.size is None else parse_size(self.size),
            quality=self.quality,
            shard_mebibytes=self.shard_mebibytes,
            exclude=self.exclude,
        )
        total = sum(path.stat().st_size for path in shards) / MEBIBYTE
        print(
            f"{self.output}: {count} pairs in {len(shards)} shards, {total:.1f} MiB; "
            f"open them as shards:{self.output}"
        )
        return 0


def make_shards(
    data: str,
    output: Path,
    *,
    split: str = "train",
    paired: bool = True,
    size: tuple[int, int] | None = None,
    quality: int | None = None,
    shard_mebibytes: int = 1000,
    exclude: Path | None = None,
) -> tuple[list[Path], int]:
    """Write a dataset as shards; the arguments are those of `MakeShards`.

    Returns:
        The shards, and how many pairs they hold.

    Raises:
        ToileError: when the dataset cannot be opened or read, or the folder cannot be written or holds the
            split already.
    """
    from toile.data.open import open_pairs
    from toile.data.shard_writer import write_shards

    if shard_mebibytes < 1:
        raise ToileError(f"shard-mebibytes is {shard_mebibytes}; it must be at least 1")
    pairs = open_pairs(data, split=split, size=size, paired=paired, exclude=exclude)
    shards = write_shards(pairs, output, split=split, shard_bytes=shard_mebibytes * MEBIBYTE, quality=quality)
    return shards, len(pairs)
