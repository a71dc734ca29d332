"""What could not be read: noted once, whichever process meets it, and named in the final report."""

import hashlib
import json
import sys
from pathlib import Path

from toile.errors import ToileError

SHOWN = 5
"""How many faults a summary names."""


class FaultLog:
    """A folder with one small file for each pair that could not be read.

    The file is made by whichever process meets the fault first, and only that one speaks of it: reading
    processes, training processes and resumed runs share the folder.
    """

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which is made with the first fault."""
        self.folder = folder

    def note(self, source: str, identifier: str, error: ToileError) -> bool:
        """Keep a fault, and say so on stderr if it is new; returns whether it is.

        Raises:
            ToileError: when the folder cannot be written.
        """
        name = hashlib.sha256(f"{source}\n{identifier}".encode()).hexdigest()[:20]
        content = {"source": source, "identifier": identifier, "error": " ".join(str(error).split())}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / f"{name}.json").open("x", encoding="utf-8") as file:
                file.write(json.dumps(content) + "\n")
        except FileExistsError:
            return False
        except OSError as problem:
            raise ToileError(f"{self.folder} cannot be written ({problem.strerror or problem})") from problem
        print(f"toile: {identifier} is skipped: {content['error']}", file=sys.stderr)
        return True

    def faults(self) -> list[dict[str, str]]:
        """Every fault so far, by identifier: its `source`, `identifier` and `error`."""
        found = [_read(path) for path in self.folder.glob("*.json")]
        return sorted(found, key=lambda fault: (fault["source"], fault["identifier"]))

    def summary(self) -> str:
        """One line that names the first faults, or nothing when there are none."""
        faults = self.faults()
        if not faults:
            return ""
        named = ", ".join(fault["identifier"] for fault in faults[:SHOWN])
        more = f" and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        pairs = "pair" if len(faults) == 1 else "pairs"
        what = f"{len(faults)} {pairs} could not be read and gave way to others"
        return f"{what}: {named}{more}; see {self.folder}"


def _read(path: Path) -> dict[str, str]:
    """A fault's file; one that a killed process left empty still names its place."""
    try:
        content: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return content
    except ValueError:
        return {"source": "", "identifier": path.stem, "error": "not written to the end"}
