"""What a run leaves to read: metrics as JSON lines and for TensorBoard, sample pictures, a progress bar."""

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path

from PIL import Image
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from toile.files import whole_file
from toile.whole import write_whole


class Record:
    """Writes the run's figures; one line of `metrics.jsonl` a step, resumes included."""

    def __init__(self, folder: Path, step: int) -> None:
        """Continue after `step`: what an interrupted run wrote beyond it is removed."""
        self.folder = folder
        path = folder / "metrics.jsonl"
        if path.exists():
            write_whole(path, "".join(_lines_until(path, step)))
        self._lines = path.open("a", encoding="utf-8")
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def line(self, step: int, values: Mapping[str, float]) -> None:
        """One line of figures; a value that is not finite becomes null."""
        finite = {name: value if math.isfinite(value) else None for name, value in values.items()}
        self._lines.write(json.dumps({"step": step, **finite}) + "\n")
        self._lines.flush()
        for name, value in values.items():
            self._board.add_scalar(name, value, step)
        self._board.flush()

    def picture(self, step: int, picture: Image.Image) -> Path:
        """Save a sample under its step."""
        target = self.folder / "samples" / f"step_{step:06d}.png"
        with whole_file(target) as beside:
            picture.save(beside, format="PNG")
        return target

    def close(self) -> None:
        """Close the files."""
        self._lines.close()
        self._board.close()


def _lines_until(path: Path, step: int) -> list[str]:
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        try:
            number = json.loads(line)["step"]
        except ValueError:  # the line at which a process was killed
            continue
        if number <= step:
            kept.append(line)
    return kept


class Means:
    """Means of figures since the line before."""

    def __init__(self) -> None:
        """No figures yet."""
        self._sums: dict[str, float] = {}
        self._count = 0

    def add(self, values: Mapping[str, float]) -> None:
        """The figures of one step."""
        self._sums = {name: self._sums.get(name, 0.0) + value for name, value in values.items()}
        self._count += 1

    def take(self) -> dict[str, float]:
        """The means; starts again."""
        means = {name: value / self._count for name, value in self._sums.items()}
        self._sums, self._count = {}, 0
        return means


class Progress:
    """A progress bar with the smoothed loss, the speed and the time left."""

    def __init__(self, name: str, start: int, steps: int, active: bool) -> None:
        """Show the bar from `start` on, unless this process is not the one that talks."""
        interval = 0.2 if sys.stderr.isatty() else 30.0
        self._bar = tqdm(
            total=steps, initial=start, desc=name, unit="step", disable=not active, mininterval=interval
        )
        self._loss, self._count = 0.0, 0

    def advance(self, loss: float) -> None:
        """One step done."""
        self._count += 1
        self._loss += max(0.02, 1 / self._count) * (loss - self._loss)
        self._bar.set_postfix_str(f"loss {self._loss:.4f}", refresh=False)
        self._bar.update()

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()
