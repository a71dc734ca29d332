"""Lists of pairs as text files."""

from pathlib import Path

from toile.errors import ToileError


def read_text(path: Path, what: str = "the list of pairs") -> str:
    """The content of a text file, UTF-8 with or without a byte order mark.

    Raises:
        ToileError: when it is missing, cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ToileError(f"{what} is missing: {path}") from error
    except UnicodeDecodeError as error:
        raise ToileError(f"{path} is no UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise ToileError(f"{path} cannot be read ({error.strerror or error}); check the name") from error


def read_pair_list(path: Path) -> list[tuple[str, ...]]:
    """The rows of a list of pairs, split at white space.

    Raises:
        ToileError: when the list is missing, empty or no text, or a row has fewer than two names.
    """
    rows = [tuple(line.split()) for line in read_text(path).split("\n") if line.strip()]
    short = next((row for row in rows if len(row) < 2), None)
    if short is not None or not rows:
        problem = f"has a row with one name only ({short[0]!r})" if short else "is empty"
        raise ToileError(f"{path} {problem}; each row holds a person's file and a garment's file")
    return rows
