"""`toile demo`: restore, try on, take off, swap and dress, with pictures that no training has seen."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import tyro
from PIL import Image

from toile import __version__
from toile.bundled import TINY, is_bundled
from toile.cli.demo_dress import dressing_part, dressing_steps
from toile.cli.demo_page import Part, Row, write_html
from toile.cli.demo_two_way import two_way_parts, two_way_steps
from toile.cli.options import ANYDRESSING_OPTIONS, TWGTM_OPTIONS, ModelOption, ModelOptions
from toile.cli.outcomes import Progress
from toile.dolls import CATEGORIES, Doll, draw_doll
from toile.files import check_writable, write_text
from toile.images import save_png
from toile.tasks.drawing import check_count
from toile.tasks.models import System
from toile.tasks.restore import restore_pictures
from toile.tasks.step import OnStep

FIRST_UNSEEN = 10_000_000
"""Dolls with seeds from here on are never trained on."""
KINDS = ("photo", "mask", "restored", "truth")
"""The pictures of a restored garment, from left to right."""
NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Restore, try on, take off, swap and put on garments of Paper Dolls that no training has seen.

    Writes index.html and the pictures that it shows, as PNGs.
    """

    output: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="OUT")] = Path("out/demo")
    """The folder to write."""
    count: int = 6
    """Dolls to draw: studio and street in turn, and upper, lower and dress in turn."""
    seed: int = FIRST_UNSEEN
    """Seed of the first doll; training uses those below 10,000,000."""
    steps: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """Denoising steps. Left out: each model's own."""
    guidance: float = 1.5
    """Guidance scale."""
    model: ModelOption = TINY
    """What restores: the bundled model, a folder in diffusers layout, or a hub name."""
    two_way: Annotated[str, tyro.conf.arg(metavar="tiny|none|PATH|NAME")] = TINY
    """What tries on, takes off and swaps; none leaves these away."""
    dressing: Annotated[str, tyro.conf.arg(metavar="tiny|none|PATH|NAME")] = TINY
    """What dresses by a prompt; none leaves it away."""
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
            two_way=self.two_way,
            dressing=self.dressing,
            device=self.device,
        )
        print(page)
        return 0


def make_demo(
    output: Path,
    *,
    count: int = 6,
    seed: int = FIRST_UNSEEN,
    steps: int | None = None,
    guidance: float = 1.5,
    model: str = TINY,
    two_way: str = TINY,
    dressing: str = TINY,
    device: str = "auto",
) -> Path:
    """Draw dolls, do everything to their garments, write pictures and a page; for the arguments see `Demo`.

    Returns:
        The page's path.

    Raises:
        ToileError: when a model, a setting or the output is wrong.
    """
    options = ModelOptions(model=model, steps=steps, guidance=guidance, seed=seed, device=device)
    check_count("count", count, 1000)
    options.check("upper")
    check_writable(output)
    two_way = _bundled_or_none(two_way, "twgtm", "tries on")
    dressing = _bundled_or_none(dressing, "anydressing", "dresses")
    pipeline, restoring = _opened("igr", options)
    dolls, drawn = draw_dolls(count, seed, pipeline.default_size), [_in_words("IGR", restoring)]
    parts = [restored_part(pipeline, dolls, restoring, output)]
    if two_way != NONE:
        asked = replace(options, model=two_way, guidance=TWGTM_OPTIONS.guidance)
        both_ways, own = _opened("twgtm", asked)
        drawn.append(_in_words("TWGTM", own))
        with Progress(two_way_steps(dolls) * both_ways.check_steps(own.steps), "trying on") as progress:
            parts += two_way_parts(both_ways, own, dolls, output, progress.step)
    if dressing != NONE:
        asked = replace(options, model=dressing, guidance=ANYDRESSING_OPTIONS.guidance)
        dresser, own = _opened("anydressing", asked)
        drawn.append(_in_words("AnyDressing", own))
        with Progress(dressing_steps() * dresser.check_steps(own.steps), "dressing") as progress:
            parts.append(dressing_part(dresser, own, seed, output, progress.step))
    young = ". The bundled weights are young: docs/benchmark.md says how young"
    settings = f"DDIM, {'; '.join(drawn)}" + (young if TINY in (model, two_way, dressing) else "")
    write_text(write_html(parts, size=pipeline.default_size, settings=settings), output / "index.html")
    return output / "index.html"


def _opened(system: System, options: ModelOptions) -> tuple[Any, ModelOptions]:
    """A pipeline, and the options with its own steps where none were asked for."""
    pipeline = options.load(system)
    return pipeline, replace(options, steps=pipeline.check_steps(options.steps))


def _in_words(system: str, options: ModelOptions) -> str:
    return f"{system} ({options.model}) {options.steps} steps, guidance {options.guidance:g}"


def _bundled_or_none(model: str, system: str, does: str) -> str:
    """The model, but none where `tiny` is asked for and not bundled."""
    if model != TINY or is_bundled(system):
        return model
    print(f"note: there is no bundled model that {does}; it is left away", file=sys.stderr)
    return NONE


def restored_part(pipeline: Any, dolls: Sequence[Doll], options: ModelOptions, output: Path) -> Part:
    """Restore every doll's garment, and write its pictures."""
    started = time.perf_counter()
    with Progress(len(dolls) * pipeline.check_steps(options.steps), "restoring") as progress:
        rows = [restored_row(pipeline, doll, options, output, progress.step) for doll in dolls]
    seconds, count = time.perf_counter() - started, len(dolls)
    print(f"restored {count} garments in {seconds:.1f} s, {seconds / count:.1f} s each", file=sys.stderr)
    return Part(
        heading="Restored",
        text="IGR, a latent diffusion model, was given the photo, the mask and the category of each row.",
        command="toile restore photo.jpg --category upper -o garment.png",
        rows=rows,
    )


def restored_row(pipeline: Any, doll: Doll, options: ModelOptions, output: Path, on_step: OnStep) -> Row:
    """Restore one doll's garment, and write its four pictures."""
    restored = restore_doll(pipeline, doll, options, on_step)
    settings: dict[str, object] = {
        "toile": __version__,
        "model": options.model,
        "steps": options.steps,
        "guidance": options.guidance,
    }
    save_row(doll, restored, output, settings)
    return Row(
        title=doll.garment_caption,
        note=f"{doll.category} · {doll.mode} · doll {doll.seed}",
        pictures=[(file_name(doll, kind), kind) for kind in KINDS],
    )


def file_name(doll: Doll, kind: str) -> str:
    """The PNG of one picture of a doll."""
    return f"{doll.seed}-{doll.category}-{kind}.png"


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


def restore_doll(pipeline: Any, doll: Doll, options: ModelOptions, on_step: OnStep) -> Image.Image:
    """Restore a doll's garment from its photo and its mask; the doll's seed is the noise's."""
    return restore_pictures(
        pipeline,
        [Image.fromarray(doll.person)],
        [Image.fromarray(doll.agnostic_mask)],
        [doll.category],
        seeds=[doll.seed],
        drawing=replace(options.drawing, size=doll.size),
        on_step=on_step,
    )[0]


def save_row(doll: Doll, restored: Image.Image, folder: Path, settings: dict[str, object]) -> None:
    """Write the four pictures of a doll."""
    truth = {"photo": doll.person, "mask": doll.agnostic_mask, "truth": doll.garment}
    pictures = {kind: Image.fromarray(array) for kind, array in truth.items()} | {"restored": restored}
    for kind, picture in pictures.items():
        save_png(picture, folder / file_name(doll, kind), settings | {"seed": doll.seed, "kind": kind})
