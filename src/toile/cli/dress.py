"""`toile dress`: garments and a prompt in, somebody who wears them out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro

from toile.cli.dress_extensions import Extensions, extend
from toile.cli.garment_files import GarmentFiles, OwnGarmentFiles
from toile.cli.jobs import check_not_inputs, output_paths
from toile.cli.options import (
    ANYDRESSING_OPTIONS,
    ModelOptions,
    OwnModelOptions,
)
from toile.cli.outcomes import Progress
from toile.cli.wardrobe import WardrobeOption, open_wardrobe
from toile.errors import ToileError
from toile.files import check_writable
from toile.images import load_photo, save_png
from toile.tasks.drawing import MOST_CANDIDATES, check_count, check_seeds
from toile.tasks.dress import check_dressing, dress_pictures, outfit_features

Numbered = tuple[int, Path]
"""A seed, and where its picture goes."""
OwnExtensions = Annotated[Extensions, tyro.conf.arg(name="further")]


@dataclass(frozen=True, kw_only=True)
class Dress:
    """Draw somebody who wears given garments, in the scene and pose of a prompt.

    A shirt and trousers: toile dress --upper shirt.png --lower jeans.png --prompt "a woman in a park"

    Four pictures: toile dress --dress red.png --hat straw.png --prompt "at the sea" --candidates 4 -o out/

    What `toile wardrobe add sunday` keeps: toile dress --wear sunday --prompt "a man on a bridge"

    The same inputs with the same seed give the same picture, alone or among others.
    Every PNG carries its model, seed and settings in the text chunk `toile`.
    Exit code: 0 when all were written, 2 when they could not be.
    """

    garments: OwnGarmentFiles = field(default_factory=GarmentFiles)
    """Pictures of the garments, flat or cut out of a photo."""
    wear: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """An outfit that `toile wardrobe add` keeps, alone or with further garments."""
    wardrobe: WardrobeOption = None
    """The folder of kept outfits. Left out: what TOILE_WARDROBE names, else one in the user's data folder."""
    prompt: str
    """Who wears them, where, in which pose."""
    negative_prompt: str = ""
    """What is not to be drawn."""
    scale: float = 0.7
    """How much the garments count: 0 leaves them away."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="OUT")] = None
    """A folder, or for one picture a .png file. Left out: dressed.png in the working directory."""
    candidates: int = 1
    """Pictures to draw, with seeds from --seed on; several are called dressed-SEED.png."""
    batch: int = 1
    """Pictures that are drawn at once."""
    also: OwnExtensions = field(default_factory=Extensions)
    """What else is to be seen."""
    options: OwnModelOptions = ANYDRESSING_OPTIONS
    """Which model draws, how, and on what."""

    def run(self) -> int:
        """Draw, and say where the pictures are."""
        written = dress_files(
            self.garments.by_kind(),
            self.prompt,
            wear=self.wear,
            wardrobe=self.wardrobe,
            negative_prompt=self.negative_prompt,
            scale=self.scale,
            output=self.output,
            candidates=self.candidates,
            batch=self.batch,
            also=self.also,
            options=self.options,
        )
        for path in written:
            print(path)
        return 0


def dress_files(
    garments: Mapping[str, Sequence[Path]],
    prompt: str,
    *,
    wear: str | None = None,
    wardrobe: Path | None = None,
    negative_prompt: str = "",
    scale: float = 0.7,
    output: Path | None = None,
    candidates: int = 1,
    batch: int = 1,
    also: Extensions | None = None,
    options: ModelOptions = ANYDRESSING_OPTIONS,
) -> list[Path]:
    """Draw somebody who wears garments, and write the pictures as PNGs; for the arguments see `Dress`.

    Args:
        garments: the files of each kind.
        prompt: who, where, in which pose.
        wear: a kept outfit.
        wardrobe: the folder of kept outfits; None is the user's own.
        negative_prompt: what is not to be drawn.
        scale: λ.
        output: a folder, or for one picture a .png file; None is the working directory.
        candidates: how many pictures.
        batch: how many at once.
        also: a pose, a face, LoRAs.
        options: how to draw.

    Returns:
        The PNGs' paths.

    Raises:
        ToileError: when a picture, the model, a setting or the output is wrong.
    """
    also = also or Extensions()
    files = [path for paths in garments.values() for path in paths]
    if not files and wear is None:
        raise ToileError(
            "there is nothing to wear; give --upper, --lower, --dress, --hat, --garment KIND=PICTURE, --wear"
        )
    paths = plan_outputs(output, options.seed, candidates)
    check_not_inputs(paths, [*files, *also.inputs()])
    _check(prompt, scale, batch, options)
    also.check()
    loaded = {kind: [load_photo(path) for path in of_kind] for kind, of_kind in garments.items()}
    pipeline = options.load("anydressing")
    size = options.canvas(pipeline)
    features = outfit_features(pipeline, loaded, wear, open_wardrobe(wardrobe), size=size)
    worn = pipeline.dressing.project(features, scale=scale)
    ready = extend(pipeline, also, size, guided=options.guidance > 1)
    check_writable(paths[0].parent)
    own = {"prompt": prompt, "negative_prompt": negative_prompt, "scale": scale}
    own |= {"garments": {kind: [path.name for path in of_kind] for kind, of_kind in garments.items()}}
    own |= ({} if wear is None else {"wear": wear}) | also.metadata()
    with Progress(pipeline.check_steps(options.steps) * candidates, "dressing") as progress:
        numbered = list(zip(range(options.seed, options.seed + candidates), paths, strict=True))
        for some in _batches(numbered, batch):
            seeds = [seed for seed, _ in some]
            drawn = dress_pictures(
                ready.pipeline,
                worn,
                [prompt] * len(some),
                [negative_prompt] * len(some),
                seeds=seeds,
                drawing=options.drawing,
                size=size,
                on_step=progress.step,
                more=_for_each(ready.arguments, len(some)),
            )
            for (seed, path), picture in zip(some, drawn, strict=True):
                save_png(picture, path, options.metadata(pipeline) | own | {"seed": seed})
    return paths


def plan_outputs(output: Path | None, seed: int, candidates: int) -> list[Path]:
    """Where each picture goes.

    Raises:
        ToileError: when there are too many, or one file is named for several.
    """
    check_count("candidates", candidates, MOST_CANDIDATES)
    check_seeds(seed, candidates)
    several = [f"dressed-{seed + index}.png" for index in range(candidates)]
    return output_paths(several if candidates > 1 else ["dressed.png"], output)


def _batches(every: Sequence[Numbered], size: int) -> Iterator[Sequence[Numbered]]:
    for start in range(0, len(every), size):
        yield every[start : start + size]


def _for_each(arguments: Mapping[str, Any], count: int) -> dict[str, Any]:
    """The pose once for each picture, as a ControlNet wants it."""
    pose = arguments.get("image")
    return dict(arguments) | ({} if pose is None else {"image": [pose] * count})


def _check(prompt: str, scale: float, batch: int, options: ModelOptions) -> None:
    options.check()
    check_count("batch", batch)
    check_dressing(prompt, scale)
