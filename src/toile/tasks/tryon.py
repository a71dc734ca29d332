"""Try on: a photo of a person and a flat garment in, the person in the garment out, by TWGTM."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from PIL import Image

from toile.images import as_photo
from toile.tasks.atelier import Atelier
from toile.tasks.drawing import (
    MOST_CANDIDATES,
    TWGTM_DRAWING,
    Drawing,
    check_category,
    check_count,
    check_seeds,
)
from toile.tasks.encodings import Encodings
from toile.tasks.masks import AUTO, MaskChoice, repainted, usual_place
from toile.tasks.models import Models, System, enough_memory
from toile.tasks.request import Ready, Request
from toile.tasks.result import Result
from toile.tasks.step import OnStep, step_end
from toile.tasks.takeoff import encoded_references

if TYPE_CHECKING:
    from toile.twgtm.round_trip import RoundTrip


@dataclass(frozen=True, kw_only=True)
class TryOnRequest(Request):
    """Dress the person of a photo in a garment."""

    task: ClassVar[str] = "tryon"
    systems: ClassVar[tuple[System, ...]] = ("twgtm",)
    person: Image.Image
    """A photo of one person, of any kind and size."""
    garment: Image.Image
    """The flat garment, on white."""
    mask: MaskChoice = AUTO
    """White where the photo is to be repainted; without one, a box over the category's usual place."""
    category: str = "upper"
    """What kind of garment it is."""
    repaint: bool = True
    """Keep the photo's own pixels outside of the mask, but for a soft edge."""
    candidates: int = 1
    """Seeds to try on with, from `seed` on, of which the round trip keeps the best."""
    round_trip: bool = False
    """Score a single candidate too."""
    drawing: Drawing = TWGTM_DRAWING
    """How to draw."""

    def check(self) -> None:
        """See `Request.check`."""
        super().check()
        check_category(self.category)
        check_count("candidates", self.candidates, MOST_CANDIDATES)
        check_seeds(self.seed, self.candidates)

    @property
    def scored(self) -> bool:
        """Whether there is a round trip."""
        return self.round_trip or self.candidates > 1

    @property
    def group(self) -> Hashable:
        """See `Request.group`; what is scored is done one request after another."""
        return super().group, self.repaint, self.scored

    def steps(self, models: Models) -> tuple[int, ...]:
        """See `Request.steps`."""
        return super().steps(models) * (2 * self.candidates if self.scored else 1)

    def settings(self) -> dict[str, object]:
        """See `Request.settings`."""
        return super().settings() | {"category": self.category, "repaint": self.repaint}

    def prepare(self, atelier: Atelier) -> Ready:
        """See `Request.prepare`."""
        size = self.drawing.canvas(atelier.pipeline("twgtm"))
        person, instead = as_photo(self.person), usual_place(self.category)
        region = atelier.finder.region(person, self.mask, self.category, size, instead)
        return Ready(
            request=self, regions={"mask": replace(region, mask=repainted(region, person, self.category))}
        )

    @classmethod
    def draw(cls, atelier: Atelier, ready: Sequence[Ready], on_step: OnStep) -> list[Result]:
        """See `Request.draw`."""
        if ready[0].request.scored:
            return [_scored(atelier, item, on_step) for item in ready]
        pipeline, requests = atelier.pipeline("twgtm"), [item.request for item in ready]
        drawing, masks = requests[0].drawing, [item.mask("mask") for item in ready]
        worn = try_on_pictures(
            pipeline,
            [request.person for request in requests],
            [request.garment for request in requests],
            masks,
            [request.category for request in requests],
            repaint=requests[0].repaint,
            seeds=[request.seed for request in requests],
            drawing=drawing,
            on_step=on_step,
            kept=atelier.kept,
        )
        size = drawing.canvas(pipeline)
        return [
            Result(
                pictures={"worn": picture, "mask": mask},
                metadata=atelier.metadata("twgtm", item, size),
                notes=item.notes,
            )
            for item, picture, mask in zip(ready, worn, masks, strict=True)
        ]


def try_on_pictures(
    pipeline: Any,
    persons: Sequence[Image.Image],
    garments: Sequence[Image.Image],
    masks: Sequence[Image.Image],
    categories: Sequence[str],
    *,
    repaint: bool = True,
    seeds: Sequence[int],
    drawing: Drawing,
    on_step: OnStep,
    kept: Encodings | None = None,
) -> list[Image.Image]:
    """Try on one batch in memory, each from its own seed.

    Args:
        pipeline: a `TWGTMPipeline`.
        persons: photos.
        garments: flat, one for each person.
        masks: of each photo.
        categories: of each garment.
        repaint: keep the photos' own pixels outside of the masks.
        seeds: of each picture's noise.
        drawing: how to draw.
        on_step: is told of each step.
        kept: where encoded garments are kept.

    Raises:
        ToileError: when a setting is none, or there is not enough memory.
    """
    from toile.diffusion.noise import item_generators

    size = drawing.canvas(pipeline)
    with enough_memory(len(persons), size):
        worn: list[Image.Image] = pipeline.try_on(
            list(persons),
            list(garments),
            list(masks),
            list(categories),
            repaint=repaint,
            generator=item_generators(seeds),
            wardrobe=encoded_references(pipeline, garments, categories, size, kept),
            callback_on_step_end=step_end(on_step, len(persons)),
            **drawing.arguments(size),
        ).images
    return worn


def try_on_candidates(
    pipeline: Any,
    person: Image.Image,
    garment: Image.Image,
    mask: Image.Image,
    category: str,
    *,
    repaint: bool = True,
    seeds: Sequence[int],
    drawing: Drawing,
    on_step: OnStep,
) -> "RoundTrip":
    """Try on with several seeds, take the garment off each result again, and keep the best.

    The arguments are those of `try_on_pictures`.
    """
    from toile.twgtm.round_trip import best_of

    size = drawing.canvas(pipeline)
    with enough_memory(1, size):
        return best_of(
            pipeline,
            person,
            garment,
            mask,
            category,
            seeds,
            repaint=repaint,
            callback_on_step_end=step_end(on_step, 1),
            **drawing.arguments(size),
        )


def round_trip_metadata(found: "RoundTrip") -> dict[str, object]:
    """What a picture says of the seeds that it was chosen from."""
    distances = {str(seed): round(distance, 6) for seed, distance in found.distances.items()}
    return {"seed": found.seed, "round_trip": distances}


def _scored(atelier: Atelier, item: Ready, on_step: OnStep) -> Result:
    request, pipeline, mask = item.request, atelier.pipeline("twgtm"), item.mask("mask")
    found = try_on_candidates(
        pipeline,
        request.person,
        request.garment,
        mask,
        request.category,
        repaint=request.repaint,
        seeds=range(request.seed, request.seed + request.candidates),
        drawing=request.drawing,
        on_step=on_step,
    )
    told = atelier.metadata("twgtm", item, request.drawing.canvas(pipeline))
    return Result(
        pictures={"worn": found.image, "mask": mask},
        metadata=told | round_trip_metadata(found),
        notes=item.notes,
        scores=found.distances,
        candidates=found.images,
    )
