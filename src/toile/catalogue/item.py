"""One line of a list: what to do, from which pictures, and nothing of it decoded yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toile.errors import ToileError


@dataclass(frozen=True, kw_only=True)
class ShardPart:
    """A file within a shard."""

    shard: Path
    """The tar file."""
    member: str
    """The file's name in it."""
    start: int
    """Its first byte."""
    length: int
    """Its length in bytes."""

    def __str__(self) -> str:
        """How messages call it."""
        return f"{self.shard}#{self.member}"

    def read(self) -> bytes:
        """The content.

        Raises:
            ToileError: when the shard cannot be read, or has become shorter.
        """
        try:
            with self.shard.open("rb") as file:
                file.seek(self.start)
                content = file.read(self.length)
        except OSError as error:
            raise ToileError(f"the shard {self.shard} cannot be read ({error.strerror or error})") from error
        if len(content) < self.length:
            raise ToileError(f"the shard {self.shard} is cut short; copy or write it again")
        return content


Source = Path | ShardPart
"""Where a picture lies."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """What is needed to do one line of a list. It can be sent to another process."""

    number: int
    """Position in the list, from 0."""
    name: str
    """Unique within the list; becomes the stem of the output's file, so it can lead nowhere."""
    files: Mapping[str, Source]
    """Pictures by the request's field: "photo", "mask", "person"; a garment by "garments.upper",
    "garments.upper.2" and so on."""
    settings: Mapping[str, object] = field(default_factory=dict)
    """The item's own values, which override the run's: "seed", "category", "prompt", "steps" and so on."""


@dataclass(frozen=True, kw_only=True)
class BadItem:
    """A line of a list that cannot be understood."""

    number: int
    """Position in the list, from 0."""
    name: str
    """What to call it; it leads nowhere either."""
    error: str
    """What is wrong with it and what to do, in one line that names the line of the list."""
