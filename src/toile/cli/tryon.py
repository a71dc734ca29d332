"""`toile tryon`: a photo of a person and a flat garment in, the person in the garment out."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from PIL import Image

from toile.cli.automatic_masks import MaskOption, ParserOption, box_instead, given_mask
from toile.cli.jobs import check_not_inputs, output_paths
from toile.cli.mask_request import MaskRequest
from toile.cli.options import (
    TWGTM_OPTIONS,
    CategoryOption,
    ModelOptions,
    OwnModelOptions,
)
from toile.cli.outcomes import Progress
from toile.files import check_writable
from toile.images import load_photo, save_png
from toile.tasks.drawing import MOST_CANDIDATES, check_count, check_seeds
from toile.tasks.masks import AUTO
from toile.tasks.tryon import round_trip_metadata, try_on_candidates, try_on_pictures

if TYPE_CHECKING:
    from toile.twgtm.round_trip import RoundTrip


@dataclass(frozen=True, kw_only=True)
class TryOn:
    """Dress the person of a photo in a garment.

    The same pictures with the same seed give the same result.
    The PNG carries its model, seed and settings in the text chunk `toile`.
    Exit code: 0 when it was written, 2 when it could not be.
    """

    person: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="PERSON")]
    """A photo of one person: any format, size and orientation."""
    garment: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="GARMENT")]
    """A picture of the flat garment on white."""
    mask: MaskOption = AUTO
    """White where the photo is to be repainted, of the photo's size. auto finds it by the parser, none takes
    a box over the category's usual place."""
    parser: ParserOption = "tiny"
    """What finds the mask: the bundled parser, or a Segformer for clothes by folder or hub name."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="OUT")] = None
    """A .png file or a folder. Left out: PERSON-in-GARMENT.png in the working directory."""
    category: CategoryOption = "upper"
    """What kind of garment it is."""
    repaint: bool = True
    """Keep the photo's own pixels outside of the mask, but for a soft edge."""
    candidates: int = 1
    """Try on with so many seeds, from --seed on, take the garment off each result again, and keep the one
    that gives it back best."""
    options: OwnModelOptions = TWGTM_OPTIONS
    """Which model tries on, how, and on what."""

    def run(self) -> int:
        """Try on, and say where the result is."""
        written = dress_photo(
            self.person,
            self.garment,
            self.mask,
            output=self.output,
            parser=self.parser,
            category=self.category,
            repaint=self.repaint,
            candidates=self.candidates,
            options=self.options,
        )
        print(written)
        return 0


def dress_photo(
    person: Path,
    garment: Path,
    mask: Path | str = AUTO,
    *,
    output: Path | None = None,
    parser: str = "tiny",
    category: str = "upper",
    repaint: bool = True,
    candidates: int = 1,
    options: ModelOptions = TWGTM_OPTIONS,
) -> Path:
    """Try a garment on and write the result as a PNG; the arguments are those of `TryOn`.

    Returns:
        The PNG's path.

    Raises:
        ToileError: when a picture, the model, a setting or the output is wrong.
    """
    (path,) = output_paths([f"{person.stem}-in-{garment.stem}.png"], output)
    given = given_mask(mask)
    check_not_inputs([path], [person, garment, *([] if given is None else [given])])
    options.check(category)
    check_count("candidates", candidates, MOST_CANDIDATES)
    check_seeds(options.seed, candidates)
    photo, flat = load_photo(person), load_photo(garment)
    pipeline = options.load("twgtm")
    size = options.canvas(pipeline)
    request = MaskRequest(
        mask=mask,
        category=category,
        parser=parser,
        device=str(pipeline.device),
        instead=box_instead("--mask", category, "PERSON"),
    )
    region, origin = request.repainted(photo, person.name, size)
    check_writable(path.parent)
    passes = 1 if candidates == 1 else 2 * candidates
    with Progress(pipeline.check_steps(options.steps) * passes, "trying on") as progress:
        found = _tried_on(
            pipeline,
            photo,
            flat,
            region,
            category,
            repaint=repaint,
            seeds=range(options.seed, options.seed + candidates),
            drawing=options.drawing,
            on_step=progress.step,
        )
    own = {"category": category, "person": person.name, "garment": garment.name, "repaint": repaint}
    own |= {} if given is not None else {"mask": origin}
    if isinstance(found, Image.Image):
        save_png(found, path, options.metadata(pipeline) | own)
    else:
        print(ranking(found), file=sys.stderr)
        save_png(found.image, path, options.metadata(pipeline) | own | round_trip_metadata(found))
    return path


def _tried_on(
    pipeline: Any,
    person: Image.Image,
    garment: Image.Image,
    mask: Image.Image,
    category: str,
    *,
    seeds: Sequence[int],
    **how: Any,
) -> "Image.Image | RoundTrip":
    """Try on once, or with several seeds, of which the round trip keeps the best."""
    if len(seeds) > 1:
        return try_on_candidates(pipeline, person, garment, mask, category, seeds=seeds, **how)
    return try_on_pictures(pipeline, [person], [garment], [mask], [category], seeds=seeds, **how)[0]


def ranking(found: "RoundTrip") -> str:
    """The candidates from the best to the worst, in one line."""
    ranked = sorted(found.distances.items(), key=lambda item: item[1])
    places = ", ".join(f"seed {seed} {distance:.4f}" for seed, distance in ranked)
    return (
        f"round trip: {places}; seed {found.seed} is kept, "
        f"{found.gain:.1%} nearer to the garment than their mean"
    )
