"""The files of a block: all of them under their names, or none."""

import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from toile.errors import ToileError
from toile.whole import flush_to_disk

UNFINISHED = ".unfinished"
"""The folder, within an output's, where files are written before they have their names."""


def write_whole_block(folder: Path, block: int, files: Mapping[str, bytes]) -> None:
    """Write files beside, have them on the disk, then give them their names; if that fails, none stays.

    Files that have such a name are replaced: a block that is done again is the same. Of a process that is
    killed, some of the files may have their names, each of them whole, and the rest lies in `UNFINISHED`.

    Args:
        folder: of the output.
        block: its number.
        files: contents by path, relative to the folder.

    Raises:
        ToileError: when they cannot be written; a full disk is called so.
    """
    beside = folder / UNFINISHED / f"{block:08d}.{os.getpid()}"
    named: list[Path] = []
    try:
        for place, content in enumerate(files.values()):
            _write(beside / str(place), content)
        for place, name in enumerate(files):
            _rename(beside / str(place), folder / name)
            named.append(folder / name)
        for parent in {parent for name in files for parent in Path(name).parents}:
            flush_to_disk(folder / parent)
    except OSError as error:
        for path in named:
            path.unlink(missing_ok=True)
        raise _refused(folder, error, sum(map(len, files.values()))) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Remove what killed processes left unfinished; only while nobody writes there."""
    shutil.rmtree(folder / UNFINISHED, ignore_errors=True)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _rename(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)


def _refused(folder: Path, error: OSError, size: int) -> ToileError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ToileError(
            f"the disk of {folder} is full ({size / 1e6:.1f} MB were to be written); make room there and "
            "give the same command again: it goes on where it stopped"
        )
    return ToileError(f"{folder} cannot be written ({error.strerror or error}); choose another output")
