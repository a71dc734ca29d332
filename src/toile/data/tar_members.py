"""Walks over the headers of a shard: any WebDataset's tar file, from its begin or from a sample within."""

import tarfile
from collections.abc import Iterator
from pathlib import Path

from toile.errors import ToileError

MEMBER_LIMIT = 256 * 2**20
"""No file in a shard is larger than this."""


def tar_members(path: Path, start: int = 0) -> Iterator[tarfile.TarInfo]:
    """The plain files in a tar file, in their order; none is kept, so that a shard may hold any number.

    Args:
        path: of the tar file, which is not compressed.
        start: the first byte of a member's header to begin at.

    Raises:
        ToileError: when the file is missing, damaged, cut short or compressed, or holds links or files that
            are too large.
    """
    try:
        with path.open("rb") as file:
            file.seek(start)
            with tarfile.open(fileobj=file, mode="r:") as shard:
                while (member := shard.next()) is not None:
                    shard.members.clear()  # type: ignore[attr-defined]
                    if not member.isdir():
                        _check(path, member)
                        yield member
                file.seek(shard.offset)
                _check_end(path, file.read(tarfile.BLOCKSIZE))
    except ToileError:
        raise
    except Exception as error:  # tarfile meets damage in many ways: ReadError, ValueError, OverflowError...
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ToileError(
            f"the shard {path} is damaged, or no plain tar file ({reason}); unpack it if it is compressed"
        ) from error


def _check_end(path: Path, rest: bytes) -> None:
    """Refuse a shard whose headers stop before its end: tarfile takes a damaged header for the end.

    Args:
        path: of the tar file.
        rest: the bytes behind the last member; a whole tar file goes on with a block of zeros.
    """
    if len(rest) < tarfile.BLOCKSIZE:
        raise ToileError(f"the shard {path} is cut short; copy or write it again")
    if any(rest):
        raise ToileError(f"the shard {path} is damaged in its midst; copy or write it again")


def _check(path: Path, member: tarfile.TarInfo) -> None:
    if not member.isreg() or member.issparse():
        raise ToileError(
            f"the shard {path} holds {member.name!r}, which is a link or no plain file; "
            "write it again with files only"
        )
    if member.size > MEMBER_LIMIT:
        raise ToileError(
            f"the shard {path} holds {member.name!r} of {member.size:,} bytes; the limit is {MEMBER_LIMIT:,}"
        )
