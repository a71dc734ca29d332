"""What came of it: PNGs with their settings inside, captions, and the lines of text below them."""

import html
import secrets
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from toile.app.running import Moment
from toile.images import save_png
from toile.tasks.result import Result

KEPT_SECONDS = 3600.0
"""How long the PNGs of a run stay on the computer, beside those that gradio serves."""
HIDDEN = ("mask",)
"""Pictures of a result that the page shows elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One picture of what came of it."""

    path: str
    """The PNG."""
    caption: str
    """What it is."""


def save_results(results: Sequence[Result], folder: Path) -> list[Shown]:
    """Write every picture of results as a PNG that carries its settings; the best one comes first.

    Args:
        results: at least one.
        folder: of all results; each call makes one within.

    Raises:
        ToileError: when they cannot be written.
    """
    _forget_old(folder)
    own, shown = folder / secrets.token_hex(16), list[Shown]()
    for result in results:
        for name, caption, picture, seed in _pictures(result):
            path = own / f"{name}.png"
            save_png(picture, path, dict(result.metadata) | {"seed": seed})
            shown.append(Shown(path=str(path), caption=caption))
    return shown


def _pictures(result: Result) -> list[tuple[str, str, Image.Image, int]]:
    """File name, caption, picture and seed of everything to show of a result."""
    seed = int(str(result.metadata["seed"]))
    if result.scores:
        ranked = sorted(result.scores.items(), key=lambda item: item[1])
        return [
            (f"worn-{own}", f"seed {own} · round trip {score:.4f}", result.candidates[own], own)
            for own, score in ranked
        ]
    shown = [(name, picture) for name, picture in result.pictures.items() if name not in HIDDEN]
    return [(f"{name}-{seed}", _caption(name, seed, result), picture, seed) for name, picture in shown]


def _caption(name: str, seed: int, result: Result) -> str:
    return f"seed {seed}" if result.pictures[name] is result.main else f"{name}, seed {seed}"


def _forget_old(folder: Path) -> None:
    """Remove results of long ago."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.stat().st_mtime < time.time() - KEPT_SECONDS:
            shutil.rmtree(old, ignore_errors=True)


def progress_html(moment: Moment) -> str:
    """A bar, and a line that says how far it is."""
    share = moment.done / max(1, moment.total)
    return (
        f'<div class="progress" role="progressbar" aria-valuemin="0" aria-valuemax="{moment.total}" '
        f'aria-valuenow="{moment.done}"><div style="width: {share:.1%}"></div></div>'
        f'<p class="soft">{_progress_line(moment)}</p>'
    )


def _progress_line(moment: Moment) -> str:
    if moment.ahead:
        return f"Waiting: {moment.ahead} {'picture is' if moment.ahead == 1 else 'pictures are'} drawn before"
    if not moment.done:
        return "Getting ready"
    left = moment.seconds_left
    return f"Step {moment.done} of {moment.total}" + ("" if left is None else f" · about {left:.0f} s left")


def error_html(message: str) -> str:
    """What was wrong, in a sentence."""
    return f'<p class="error" role="alert">{html.escape(sentence(message))}</p>'


def notes_html(notes: Sequence[str]) -> str:
    """Remarks, a line each."""
    return "".join(f'<p class="soft">{html.escape(sentence(note))}</p>' for note in notes)


def sentence(text: str) -> str:
    """A remark of the library as a sentence of the page: capital, full stop."""
    line = " ".join(text.split())
    return line[:1].upper() + line[1:] + ("" if line.endswith((".", "!", "?")) else ".")
