"""`toile swap`: the garment that one person wears, restored, and put on another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import tyro
from PIL import Image

from toile.cli.automatic_masks import MaskOption, ParserOption, box_instead, given_mask
from toile.cli.jobs import check_not_inputs, output_paths
from toile.cli.mask_request import MaskRequest
from toile.cli.options import (
    TWGTM_OPTIONS,
    CategoryOption,
    ModelOption,
    ModelOptions,
    OwnModelOptions,
)
from toile.cli.outcomes import Progress
from toile.errors import ToileError
from toile.files import check_writable
from toile.images import fit, load_photo, save_png
from toile.tasks.masks import AUTO
from toile.tasks.restore import restore_pictures
from toile.tasks.step import OnStep
from toile.tasks.swap import THROUGH, restoring_drawing
from toile.tasks.takeoff import take_off_pictures
from toile.tasks.tryon import try_on_pictures

NO_WEARER_MASK = "without --wearer-mask the whole photo of the wearer counts as the garment's region"


@dataclass(frozen=True, kw_only=True)
class Swap:
    """Put the garment that WEARER has on onto TARGET: it is restored flat, then tried on.

    The same pictures with the same seed give the same result.
    Every PNG carries its model, seed and settings in the text chunk `toile`.
    Exit code: 0 when it was written, 2 when it could not be.
    """

    wearer: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="WEARER")]
    """A photo of the person who has the garment on."""
    target: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="TARGET")]
    """A photo of the person who is to have it on."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="OUT")] = None
    """A .png file or a folder. Left out: TARGET-as-WEARER.png in the working directory."""
    category: CategoryOption = "upper"
    """What kind of garment it is."""
    through: Annotated[str, tyro.conf.arg(metavar="{igr,twgtm}")] = "twgtm"
    """What restores the garment: IGR, or the model that also tries on."""
    wearer_mask: MaskOption = AUTO
    """White where WEARER's garment is; read by IGR alone. auto finds it by the parser, none takes the whole
    photo."""
    target_mask: MaskOption = AUTO
    """White where TARGET is to be repainted. auto finds it by the parser, none takes a box over the
    category's usual place."""
    parser: ParserOption = "tiny"
    """What finds masks: the bundled parser, or a Segformer for clothes by folder or hub name."""
    restorer: ModelOption = "tiny"
    """The model of IGR, with --through igr; it restores with its own usual guidance, and with its own usual
    steps unless --steps asks for others."""
    repaint: bool = True
    """Keep TARGET's own pixels outside of the mask, but for a soft edge."""
    side_by_side: bool = False
    """Write wearer, garment and result next to each other as well, as OUT-side-by-side.png."""
    options: OwnModelOptions = TWGTM_OPTIONS
    """Which model tries on, how, and on what."""

    def run(self) -> int:
        """Swap, and say where the pictures are."""
        written = swap_garment(
            self.wearer,
            self.target,
            output=self.output,
            category=self.category,
            through=self.through,
            wearer_mask=self.wearer_mask,
            target_mask=self.target_mask,
            parser=self.parser,
            restorer=self.restorer,
            repaint=self.repaint,
            side_by_side=self.side_by_side,
            options=self.options,
        )
        for path in written:
            print(path)
        return 0


def swap_garment(
    wearer: Path,
    target: Path,
    *,
    output: Path | None = None,
    category: str = "upper",
    through: str = "twgtm",
    wearer_mask: Path | str = AUTO,
    target_mask: Path | str = AUTO,
    parser: str = "tiny",
    restorer: str = "tiny",
    repaint: bool = True,
    side_by_side: bool = False,
    options: ModelOptions = TWGTM_OPTIONS,
) -> list[Path]:
    """Restore a garment, try it on somebody else, and write PNGs; the arguments are those of `Swap`.

    Returns:
        The paths of what was written: of the result, and of the row of pictures.

    Raises:
        ToileError: when a picture, a model, a setting or the output is wrong.
    """
    paths = _paths(wearer, target, output, [given_mask(wearer_mask), given_mask(target_mask)])
    options.check(category)
    _check_through(through, wearer_mask)
    worn_by, worn_on = load_photo(wearer), load_photo(target)
    pipeline = options.load("twgtm")
    size = options.canvas(pipeline)
    device = str(pipeline.device)
    request = MaskRequest(
        mask=target_mask,
        category=category,
        parser=parser,
        device=device,
        option="--target-mask",
        instead=box_instead("--target-mask", category, "TARGET"),
    )
    region, origin = request.repainted(worn_on, target.name, size)
    if through == "twgtm":
        maker = _by_twgtm(pipeline, worn_by, category, options)
    else:
        wearer_request = replace(request, mask=wearer_mask, option="--wearer-mask", instead=NO_WEARER_MASK)
        maker = _by_igr(restorer, worn_by, wearer.name, wearer_request, options)
    check_writable(paths[0].parent)
    with Progress(maker.steps + pipeline.check_steps(options.steps), "swapping") as progress:
        garment = maker.restore(progress.step)
        (worn,) = try_on_pictures(
            pipeline,
            [worn_on],
            [garment],
            [region],
            [category],
            repaint=repaint,
            seeds=[options.seed],
            drawing=options.drawing,
            on_step=progress.step,
        )
    own = {"category": category, "wearer": wearer.name, "target": target.name, "repaint": repaint}
    metadata = options.metadata(pipeline) | own | {"target_mask": origin} | maker.metadata
    save_png(worn, paths[0], metadata)
    if not side_by_side:
        return [paths[0]]
    save_png(_in_a_row(worn_by, garment, worn), paths[1], metadata)
    return list(paths)


@dataclass(frozen=True, kw_only=True)
class Restorer:
    """What gets the flat garment from the photo of its wearer."""

    restore: Callable[[OnStep], Image.Image]
    """Restores; what it is given is told of each step."""
    steps: int
    """How many steps it takes."""
    metadata: dict[str, object]
    """What a picture says of it."""


def _by_twgtm(pipeline: Any, photo: Image.Image, category: str, options: ModelOptions) -> Restorer:
    def restore(on_step: OnStep) -> Image.Image:
        taken = take_off_pictures(
            pipeline,
            [photo],
            [category],
            seeds=[options.seed],
            drawing=options.drawing,
            on_step=on_step,
        )
        return taken[0][0]

    steps = pipeline.check_steps(options.steps)
    return Restorer(restore=restore, steps=steps, metadata={"through": "twgtm"})


def _by_igr(
    model: str, photo: Image.Image, name: str, request: MaskRequest, options: ModelOptions
) -> Restorer:
    drawing = restoring_drawing("igr", options.drawing)
    own = replace(options, model=model, guidance=drawing.guidance)
    pipeline = own.load("igr")
    size = own.canvas(pipeline)
    region = request.region(photo, name, size)

    def restore(on_step: OnStep) -> Image.Image:
        return restore_pictures(
            pipeline,
            [photo],
            [region.mask],
            [request.category],
            seeds=[own.seed],
            drawing=drawing,
            on_step=on_step,
        )[0]

    described: dict[str, object] = {
        "through": "igr",
        "restorer": own.metadata(pipeline),
        "wearer_mask": region.origin,
    }
    return Restorer(restore=restore, steps=pipeline.check_steps(own.steps), metadata=described)


def _paths(
    wearer: Path, target: Path, output: Path | None, masks: Sequence[Path | None]
) -> tuple[Path, Path]:
    """Where the result goes, and where the row of pictures."""
    (result,) = output_paths([f"{target.stem}-as-{wearer.stem}.png"], output)
    row = result.with_name(f"{result.stem}-side-by-side.png")
    check_not_inputs([result, row], [wearer, target, *(mask for mask in masks if mask is not None)])
    return result, row


def _check_through(through: str, wearer_mask: Path | str) -> None:
    if through not in THROUGH:
        raise ToileError(f"through {through!r} is unknown; write one of {', '.join(THROUGH)}")
    if through == "twgtm" and given_mask(wearer_mask) is not None:
        raise ToileError(f"wearer mask {wearer_mask} is read by IGR alone; write --through igr with it")


def _in_a_row(wearer: Image.Image, garment: Image.Image, result: Image.Image) -> Image.Image:
    """The three pictures at the result's size, with titles."""
    from toile.evaluation.sheet import picture_sheet

    size = result.height, result.width
    row = [fit(wearer, size)[0], fit(garment, size)[0], result]
    return picture_sheet(["wearer", "garment", "result"], [row])
