"""Restore: a photo of a person in, the flat garment out, by IGR."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from PIL import Image

from toile.images import as_photo
from toile.tasks.atelier import Atelier
from toile.tasks.drawing import IGR_DRAWING, Drawing, check_category
from toile.tasks.encodings import Encodings, picture_key
from toile.tasks.masks import AUTO, MaskChoice
from toile.tasks.models import System, enough_memory
from toile.tasks.request import Ready, Request
from toile.tasks.result import Result
from toile.tasks.step import OnStep, step_end

NO_MASK = "without a mask the whole photo counts as the region"


@dataclass(frozen=True, kw_only=True)
class RestoreRequest(Request):
    """Restore the flat garment from a photo of a person who wears it."""

    task: ClassVar[str] = "restore"
    systems: ClassVar[tuple[System, ...]] = ("igr",)
    photo: Image.Image
    """Of any kind and size."""
    mask: MaskChoice = AUTO
    """White where the garment is; without one the whole photo is looked at."""
    category: str = "upper"
    """What to restore."""
    drawing: Drawing = IGR_DRAWING
    """How to draw."""

    def check(self) -> None:
        """See `Request.check`."""
        super().check()
        check_category(self.category)

    def settings(self) -> dict[str, object]:
        """See `Request.settings`."""
        return super().settings() | {"category": self.category}

    def prepare(self, atelier: Atelier) -> Ready:
        """See `Request.prepare`."""
        size = self.drawing.canvas(atelier.pipeline("igr"))
        photo = as_photo(self.photo)
        region = atelier.finder.region(photo, self.mask, self.category, size, NO_MASK)
        return Ready(request=self, regions={"mask": region})

    @classmethod
    def draw(cls, atelier: Atelier, ready: Sequence[Ready], on_step: OnStep) -> list[Result]:
        """See `Request.draw`."""
        pipeline, requests = atelier.pipeline("igr"), [item.request for item in ready]
        drawing = requests[0].drawing
        garments = restore_pictures(
            pipeline,
            [request.photo for request in requests],
            [item.regions["mask"].mask for item in ready],
            [request.category for request in requests],
            seeds=[request.seed for request in requests],
            drawing=drawing,
            on_step=on_step,
            kept=atelier.kept,
        )
        size = drawing.canvas(pipeline)
        return [
            Result(
                pictures={"garment": garment} | _shown(item),
                metadata=atelier.metadata("igr", item, size),
                notes=item.notes,
            )
            for item, garment in zip(ready, garments, strict=True)
        ]


def restore_pictures(
    pipeline: Any,
    photos: Sequence[Image.Image],
    masks: Sequence[Image.Image | None],
    categories: Sequence[str],
    *,
    seeds: Sequence[int],
    drawing: Drawing,
    on_step: OnStep,
    kept: Encodings | None = None,
) -> list[Image.Image]:
    """Restore one batch in memory, each garment from its own seed.

    Args:
        pipeline: an `IGRPipeline`.
        photos: of persons.
        masks: of each photo; None takes the whole photo.
        categories: of each garment.
        seeds: of each garment's noise.
        drawing: how to draw.
        on_step: is told of each step.
        kept: where encoded garments are kept.

    Raises:
        ToileError: when a setting is none, or there is not enough memory.
    """
    from toile.diffusion.noise import item_generators
    from toile.wardrobe import Wardrobe

    size, kept = drawing.canvas(pipeline), kept or Encodings()
    with enough_memory(len(photos), size):
        wardrobes = [
            kept.get(
                ("igr", picture_key(photo), picture_key(mask), category, size),
                partial(pipeline.encode_garment, photo, mask, category, *size),
            )
            for photo, mask, category in zip(photos, masks, categories, strict=True)
        ]
        restored: list[Image.Image] = pipeline(
            wardrobe=Wardrobe.stack(wardrobes),
            generator=item_generators(seeds),
            callback_on_step_end=step_end(on_step, len(photos)),
            **drawing.arguments(size),
        ).images
    return restored


def _shown(item: Ready) -> dict[str, Image.Image]:
    """The mask that was used, if any."""
    mask = item.regions["mask"].mask
    return {} if mask is None else {"mask": mask}
