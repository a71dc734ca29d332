"""`toile mask`: photos of people in, agnostic masks out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from PIL import Image

from toile import __version__
from toile.cli.automatic_masks import ParserOption
from toile.cli.jobs import check_not_inputs, plan_jobs
from toile.cli.outcomes import Outcome, Progress, report
from toile.cli.positional import several
from toile.errors import ToileError
from toile.files import check_writable
from toile.images import load_photo
from toile.mask_names import MASK

if TYPE_CHECKING:
    from toile.data.automatic_mask import AutomaticMask

MaskCategoryOption = Annotated[str, tyro.conf.arg(metavar="{upper,lower,dress,hat}")]
VariantOption = Annotated[str, tyro.conf.arg(metavar="{fitted,rectangle,shape-hiding}")]


@dataclass(frozen=True, kw_only=True)
class MaskOptions:
    """What masks look like, and what finds them."""

    variant: VariantOption = "fitted"
    """fitted follows garment and body, rectangle is the box around it, shape-hiding does not give away what
    the worn garment looks like."""
    dilation: float = 0.12
    """How far to reach beyond garment and body, as a share of the shoulders' width."""
    parser: ParserOption = "tiny"
    """What says where clothes and body are: the bundled parser, or a Segformer for clothes by folder or hub
    name."""
    pose: Annotated[str | None, tyro.conf.arg(metavar="PATH|NAME")] = None
    """A ViTPose that finds the joints, by folder or hub name. Left out: the parser alone has to do."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes a GPU where there is one."""

    def load(self, category: str) -> "AutomaticMask":
        """Load what finds masks.

        Raises:
            ToileError: when a setting is none, or a model is not there.
        """
        from toile.data.agnostic import check_mask
        from toile.data.automatic_mask import AutomaticMask
        from toile.data.parsing import Parser
        from toile.tasks.models import found_device

        variant = check_mask(category, self.variant, self.dilation)
        device = found_device(self.device)
        parser = Parser.from_pretrained(self.parser, device=device)
        masks = AutomaticMask(parser, variant=variant, dilation=self.dilation)
        if self.pose is None:
            return masks
        from toile.data.pose_estimation import PoseEstimator

        return replace(masks, pose_estimator=PoseEstimator.from_pretrained(self.pose, device=device))


OwnMaskOptions = Annotated[MaskOptions, tyro.conf.arg(name="masks")]
"""The options as a command's field: the name is a heading of its help."""


@dataclass(frozen=True, kw_only=True)
class MakeMask:
    """Find the agnostic mask of a photo: white where the person has to be repainted to change a garment.

    Face, hair, hands and shoes stay black. Masks have their photos' size; other commands take them as --mask.
    Every PNG carries its settings in the text chunk `toile`.
    Exit code: 0 when every photo was done, 1 when some failed, 2 when none could be.
    """

    photos: Annotated[tuple[Path, ...], tyro.conf.Positional, several("PHOTO")]
    """One photo or several: any format, size and orientation."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="MASK")] = None
    """A folder, or for one photo a .png file. Left out: PHOTO-mask.png in the working directory."""
    category: MaskCategoryOption = "upper"
    """The garment to be changed."""
    preview: bool = False
    """Write the photo with the mask laid over it as well, as MASK-preview.png."""
    options: OwnMaskOptions = MaskOptions()
    """What masks look like, and what finds them."""

    def run(self) -> int:
        """Find the masks, report each failure on one line, and return the exit code."""
        outcomes = mask_photos(
            self.photos,
            output=self.output,
            category=self.category,
            preview=self.preview,
            options=self.options,
        )
        return report(outcomes)


def mask_photos(
    photos: Sequence[Path],
    *,
    output: Path | None = None,
    category: str = "upper",
    preview: bool = False,
    options: MaskOptions | None = None,
) -> list[Outcome]:
    """Find the masks of photos and write them as PNGs; the arguments are those of `MakeMask`.

    A photo that cannot be read, or shows no such garment, is reported on stderr, and the others are done.

    Returns:
        What became of each photo, in their order.

    Raises:
        ToileError: when nothing can be done: a model, a setting or the output is wrong.
    """
    from toile.data.overlay import lay_over

    options = options or MaskOptions()
    jobs = plan_jobs(photos, output=output, what=MASK)
    if preview:
        check_not_inputs([preview_path(job.output) for job in jobs], photos)
    masks = options.load(category)
    for folder in {job.output.parent for job in jobs}:
        check_writable(folder)
    with Progress(len(jobs), "masking") as progress:
        for job in jobs:
            try:
                photo = load_photo(job.photo)
                mask = find_mask(masks, photo, category, job.photo)
            except ToileError as error:
                progress.fail(job, error)
                continue
            own = {"toile": __version__, "category": category, "photo": job.photo.name}
            pictures = {job.output: mask}
            if preview:
                pictures[preview_path(job.output)] = lay_over(photo, mask)
            progress.save(job, pictures, own | asdict(options))
            progress.advance()
    return progress.outcomes(jobs)


def find_mask(masks: "AutomaticMask", photo: Image.Image, category: str, path: Path) -> Image.Image:
    """The mask of a photo.

    Raises:
        ToileError: naming the photo, when it shows no such garment.
    """
    try:
        return masks.mask_for(photo, category)
    except ToileError as error:
        raise ToileError(f"{path}: {error}") from error


def preview_path(output: Path) -> Path:
    """The PNG of the preview that belongs to a mask's."""
    return output.with_name(f"{output.stem}-preview.png")
