"""`toile demo`: restore garments from pictures that no training has seen, and make a page of them."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from PIL import Image

from toile import __version__
from toile.cli.demo_page import file_name, write_html
from toile.cli.options import ModelOption, ModelOptions, check_count
from toile.cli.outcomes import Progress
from toile.cli.restore import restore_pictures
from toile.dolls import CATEGORIES, Doll, draw_doll
from toile.files import check_writable, write_text
from toile.images import save_png

FIRST_UNSEEN = 10_000_000
"""Dolls with seeds from here on are never trained on."""


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Restore garments from a few Paper Dolls that no training has seen, with the bundled model.

    Writes index.html, and for each doll four PNGs: photo, mask, restored, truth.
    """

    output: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="OUT")] = Path("out/demo")
    """The folder to write."""
    count: int = 6
    """Dolls to draw: studio and street in turn, and upper, lower and dress in turn."""
    seed: int = FIRST_UNSEEN
    """Seed of the first doll; training uses those below 10,000,000."""
    steps: int = 25
    """Denoising steps."""
    guidance: float = 1.5
    """Guidance scale."""
    model: ModelOption = "tiny"
    """The bundled model, a folder in diffusers layout, or a hub name."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes a GPU where there is one."""

    def run(self) -> int:
        """Make the page and say where it is."""
        page = make_demo(
            self.output,
            count=self.count,
            seed=self.seed,
            steps=self.steps,
            guidance=self.guidance,
            model=self.model,
            device=self.device,
        )
        print(page)
        return 0


def make_demo(
    output: Path,
    *,
    count: int = 6,
    seed: int = FIRST_UNSEEN,
    steps: int = 25,
    guidance: float = 1.5,
    model: str = "tiny",
    device: str = "auto",
) -> Path:
    """Draw dolls, restore their garments, and write pictures and a page; the arguments are those of `Demo`.

    Returns:
        The page's path.

    Raises:
        ToileError: when the model, a setting or the output is wrong.
    """
    options = ModelOptions(model=model, steps=steps, guidance=guidance, seed=seed, device=device)
    check_count("count", count, 1000)
    options.check("upper")
    check_writable(output)
    pipeline = options.load("igr")
    dolls = draw_dolls(count, seed, pipeline.default_size)
    settings = {"toile": __version__, "model": model, "steps": steps, "guidance": guidance}
    started = time.perf_counter()
    with Progress(count * steps, "restoring") as progress:
        for doll in dolls:
            restored = restore_doll(pipeline, doll, options, progress.step)
            save_row(doll, restored, output, settings)
    seconds = time.perf_counter() - started
    print(f"restored {count} garments in {seconds:.1f} s, {seconds / count:.1f} s each", file=sys.stderr)
    html = write_html(dolls, model=model, steps=steps, guidance=guidance, seconds=seconds)
    write_text(html, output / "index.html")
    return output / "index.html"


def draw_dolls(count: int, seed: int, size: tuple[int, int]) -> list[Doll]:
    """Draw dolls of all three categories, studio and street in turn."""
    return [
        draw_doll(
            seed + index,
            size=size,
            mode="street" if index % 2 else "studio",
            category=CATEGORIES[index % 3],
        )
        for index in range(count)
    ]


def restore_doll(
    pipeline: Any, doll: Doll, options: ModelOptions, on_step: Callable[[int], object]
) -> Image.Image:
    """Restore a doll's garment from its photo and its mask; the doll's seed is the noise's."""
    return restore_pictures(
        pipeline,
        [Image.fromarray(doll.person)],
        [Image.fromarray(doll.agnostic_mask)],
        doll.category,
        options=options,
        seeds=[doll.seed],
        size=doll.size,
        on_step=on_step,
    )[0]


def save_row(doll: Doll, restored: Image.Image, folder: Path, settings: dict[str, object]) -> None:
    """Write the four pictures of a doll."""
    truth = {"photo": doll.person, "mask": doll.agnostic_mask, "truth": doll.garment}
    pictures = {kind: Image.fromarray(array) for kind, array in truth.items()} | {"restored": restored}
    for kind, picture in pictures.items():
        save_png(picture, folder / file_name(doll, kind), settings | {"seed": doll.seed, "kind": kind})
