"""What `toile demo` shows of AnyDressing: more and more garments, several prompts, and what λ does."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from toile import __version__
from toile.cli.demo_page import Part, Row
from toile.cli.options import ModelOptions
from toile.dolls import MODES, Doll, draw_doll
from toile.errors import ToileError
from toile.images import save_png
from toile.tasks.models import enough_memory
from toile.tasks.step import OnStep, step_end

KINDS = ("upper", "lower", "hat")
"""What is put on, one after another."""
PROMPTS = 4
SCALES = (0.0, 0.35, 0.7, 1.0)
"""λ; without garments and with all of them at 0.7 are there already."""
PATIENCE = 100
"""Dolls to look through for one in a hat."""
Pictures = dict[str, Image.Image]


def dressing_steps() -> int:
    """How many pictures are drawn at most."""
    return 1 + len(KINDS) + PROMPTS - 1 + len(SCALES) - 2


def dressing_part(pipeline: Any, options: ModelOptions, seed: int, output: Path, on_step: OnStep) -> Part:
    """Dress somebody, and write the pictures.

    Args:
        pipeline: an `AnyDressingPipeline`.
        options: how to draw.
        seed: dolls from here on give their clothes and prompts.
        output: the folder.
        on_step: is told how many pictures took a step.

    Raises:
        ToileError: when a picture cannot be written.
    """
    size = options.canvas(pipeline)
    kinds = [kind for kind in KINDS if kind in pipeline.dressing.kinds]
    wearer = find_wearer(seed, size, kinds)
    garments = {kind: Image.fromarray(wearer.garments[kind].image) for kind in kinds}
    prompts = told_scenes(wearer.seed + 1, size)
    drawn = draw_dressed(pipeline, garments, prompts, options, size, on_step)
    told = dict(zip((f"prompt {number + 1}" for number in range(PROMPTS)), prompts, strict=True))
    titles = {
        "garments": "What is to be worn",
        "more": f"One garment after another: {prompts[0]}",
        "prompts": "The same clothes: " + "; ".join(f"({name[-1]}) {text}" for name, text in told.items()),
        "scales": "How much the garments count: λ",
    }
    shown = {"garments": garments} | drawn
    return Part(
        heading="Dressed",
        text="AnyDressing was given garments, each with its kind, and a prompt that leaves the clothes out.",
        command='toile dress --upper shirt.png --lower jeans.png --prompt "a woman in a park" -o dressed.png',
        rows=[
            _row(name, titles[name], wearer, pictures, output, options) for name, pictures in shown.items()
        ],
    )


def find_wearer(seed: int, size: tuple[int, int], kinds: Sequence[str]) -> Doll:
    """The first doll, from a seed on, that wears all the kinds.

    Raises:
        ToileError: when none of many does.
    """
    for each in range(seed, seed + PATIENCE):
        doll = draw_doll(each, size=size, mode="studio", category="upper")
        if all(kind in doll.garments for kind in kinds):
            return doll
    raise ToileError(f"no doll from seed {seed} on wears {', '.join(kinds)}; take another seed")


def told_scenes(seed: int, size: tuple[int, int]) -> list[str]:
    """Prompts: what is told of dolls without their clothes, studio and street in turn."""
    dolls = [
        draw_doll(seed + index, size=size, mode=MODES[index % 2], category="upper")
        for index in range(PROMPTS)
    ]
    return [doll.captions["unnamed"] for doll in dolls]


def draw_dressed(
    pipeline: Any,
    garments: Mapping[str, Image.Image],
    prompts: Sequence[str],
    options: ModelOptions,
    size: tuple[int, int],
    on_step: OnStep,
) -> dict[str, Pictures]:
    """Draw the rows of pictures, by what is under each; all start from the same noise."""
    kinds = list(garments)
    outfits = [{kind: garments[kind] for kind in kinds[:count]} for count in range(len(kinds) + 1)]
    captions = ["no garment", *(" + ".join(kinds[: index + 1]) for index in range(len(kinds)))]
    draw = _Draw(pipeline, options, size, on_step)
    more = dict(zip(captions, draw([prompts[0]] * len(outfits), garments=outfits), strict=True))
    everything = pipeline.encode_garments(outfits[-1], *size)
    others = draw(list(prompts[1:]), wardrobe=everything)
    scales = {scale: draw([prompts[0]], wardrobe=everything, scale=scale)[0] for scale in SCALES[1::2]}
    scales |= {SCALES[0]: more[captions[0]], SCALES[2]: more[captions[-1]]}
    shown = [more[captions[-1]], *others]
    return {
        "more": more,
        "prompts": {f"prompt {number}": picture for number, picture in enumerate(shown, start=1)},
        "scales": {f"λ = {scale:g}": scales[scale] for scale in SCALES},
    }


class _Draw:
    """Calls a pipeline with the same settings, each picture from the options' seed."""

    def __init__(self, pipeline: Any, options: ModelOptions, size: tuple[int, int], on_step: OnStep) -> None:
        self.pipeline, self.options, self.size, self.on_step = pipeline, options, size, on_step

    def __call__(self, prompts: list[str], **worn: Any) -> list[Image.Image]:
        from toile.diffusion.noise import item_generators

        with enough_memory(len(prompts), self.size):
            images: list[Image.Image] = self.pipeline(
                prompts,
                generator=item_generators([self.options.seed] * len(prompts)),
                callback_on_step_end=step_end(self.on_step, len(prompts)),
                **self.options.drawing.arguments(self.size),
                **worn,
            ).images
        return images


def _row(
    name: str,
    title: str,
    wearer: Doll,
    pictures: Mapping[str, Image.Image],
    output: Path,
    options: ModelOptions,
) -> Row:
    """Write the pictures of a row."""
    settings = {"toile": __version__, "model": options.model, "steps": options.steps, "seed": options.seed}
    files = {caption: f"dressed-{name}-{number}.png" for number, caption in enumerate(pictures)}
    for caption, picture in pictures.items():
        save_png(picture, output / files[caption], settings | {"kind": caption})
    note = f"the clothes of doll {wearer.seed}" if name == "garments" else f"noise {options.seed}"
    return Row(title=title, note=note, pictures=[(file, caption) for caption, file in files.items()])
