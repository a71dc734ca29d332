"""What a run of `toile` came to."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run of `toile` came to."""

    code: int
    out: str
    said: list[str]
    """The lines on stderr that are errors, notes or tracebacks."""
    errors: str
    """All of stderr."""

    @property
    def error(self) -> str:
        """The one line of a command that could not be done."""
        assert (self.code, self.out) == (2, ""), (self.code, self.out, self.errors)
        (line,) = self.said
        assert line.startswith("toile: ")
        return line


def nothing_in(folder: Path) -> bool:
    """Whether nothing was written into a folder, not even the half of a file."""
    return not folder.exists() or list(folder.iterdir()) == []
