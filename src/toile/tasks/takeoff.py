"""Take off: a photo of a person in, the flat garment out, by the model that also tries on (TWGTM)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from PIL import Image

from toile.errors import ToileError
from toile.tasks.atelier import Atelier
from toile.tasks.drawing import TWGTM_DRAWING, Drawing, check_category
from toile.tasks.encodings import Encodings, picture_key
from toile.tasks.models import System, enough_memory
from toile.tasks.request import Ready, Request
from toile.tasks.result import Result
from toile.tasks.step import OnStep, step_end

PREDICTED = "predicted"
BoxChoice = tuple[int, int, int, int] | str | None
"""x0, y0, x1, y1 in pixels of the canvas, `predicted`, or None for everywhere."""


@dataclass(frozen=True, kw_only=True)
class TakeOffRequest(Request):
    """Take the garment off a person: restore it flat, on white, from a photo; no mask is needed."""

    task: ClassVar[str] = "takeoff"
    systems: ClassVar[tuple[System, ...]] = ("twgtm",)
    photo: Image.Image
    """Of any kind and size."""
    category: str = "upper"
    """What to take off."""
    box: BoxChoice = None
    """Where in the result the garment shall lie, in its pixels, or where the model predicts that it will."""
    silhouette: bool = False
    """Give the predicted silhouette as well."""
    drawing: Drawing = TWGTM_DRAWING
    """How to draw."""

    def check(self) -> None:
        """See `Request.check`."""
        super().check()
        check_category(self.category)
        if isinstance(self.box, str) and self.box != PREDICTED:
            raise ToileError(f"box {self.box!r} is none; give x0, y0, x1, y1 in whole pixels, or predicted")

    def settings(self) -> dict[str, object]:
        """See `Request.settings`."""
        box = list(self.box) if isinstance(self.box, tuple) else self.box
        return super().settings() | {"category": self.category, "box": box}

    def prepare(self, atelier: Atelier) -> Ready:
        """See `Request.prepare`."""
        check_box(self.box, self.drawing.canvas(atelier.pipeline("twgtm")))
        return Ready(request=self)

    @classmethod
    def draw(cls, atelier: Atelier, ready: Sequence[Ready], on_step: OnStep) -> list[Result]:
        """See `Request.draw`."""
        pipeline, requests = atelier.pipeline("twgtm"), [item.request for item in ready]
        drawing = requests[0].drawing
        taken = take_off_pictures(
            pipeline,
            [request.photo for request in requests],
            [request.category for request in requests],
            boxes=[request.box for request in requests],
            silhouettes=any(request.silhouette for request in requests),
            seeds=[request.seed for request in requests],
            drawing=drawing,
            on_step=on_step,
            kept=atelier.kept,
        )
        size = drawing.canvas(pipeline)
        return [
            Result(
                pictures={"garment": garment} | _shown(item.request, silhouette),
                metadata=atelier.metadata("twgtm", item, size),
            )
            for item, (garment, silhouette) in zip(ready, taken, strict=True)
        ]


def take_off_pictures(
    pipeline: Any,
    photos: Sequence[Image.Image],
    categories: Sequence[str],
    *,
    boxes: Sequence[BoxChoice] | None = None,
    silhouettes: bool = False,
    seeds: Sequence[int],
    drawing: Drawing,
    on_step: OnStep,
    kept: Encodings | None = None,
) -> list[tuple[Image.Image, Image.Image | None]]:
    """Take off one batch in memory, each garment from its own seed.

    Args:
        pipeline: a `TWGTMPipeline`.
        photos: of persons.
        categories: what to take off each.
        boxes: where each garment shall lie; None is anywhere.
        silhouettes: predict these as well.
        seeds: of each garment's noise.
        drawing: how to draw.
        on_step: is told of each step.
        kept: where encoded photos are kept.

    Returns:
        Of each photo the flat garment and, when asked for, its predicted silhouette.

    Raises:
        ToileError: when a setting is none, or there is not enough memory.
    """
    from toile.diffusion.noise import item_generators

    size = drawing.canvas(pipeline)
    with enough_memory(len(photos), size):
        taken = pipeline.take_off(
            list(photos),
            list(categories),
            box=list(boxes) if boxes else None,
            return_silhouette=silhouettes,
            generator=item_generators(seeds),
            wardrobe=encoded_references(pipeline, photos, categories, size, kept),
            callback_on_step_end=step_end(on_step, len(photos)),
            **drawing.arguments(size),
        )
    return list(zip(taken.images, taken.silhouettes or [None] * len(photos), strict=True))


def encoded_references(
    pipeline: Any,
    pictures: Sequence[Image.Image],
    categories: Sequence[str],
    size: tuple[int, int],
    kept: Encodings | None = None,
) -> Any:
    """One wardrobe of several references of TWGTM, each encoded by itself unless it is kept.

    Args:
        pipeline: a `TWGTMPipeline`.
        pictures: garments to try on, or photos to take garments off.
        categories: of each garment.
        size: (height, width) that is worked at.
        kept: where they are kept.
    """
    from toile.wardrobe import Wardrobe

    kept = kept or Encodings()
    return Wardrobe.stack(
        [
            kept.get(
                ("twgtm", picture_key(picture), category, size),
                partial(pipeline.encode_reference, picture, category, *size),
            )
            for picture, category in zip(pictures, categories, strict=True)
        ]
    )


def _shown(request: TakeOffRequest, silhouette: Image.Image | None) -> dict[str, Image.Image]:
    """The silhouette, where it was asked for."""
    return {} if silhouette is None or not request.silhouette else {"silhouette": silhouette}


def parse_box(text: str | None) -> BoxChoice:
    """Read `X0,Y0,X1,Y1` or `predicted`.

    Raises:
        ToileError: when it is anything else.
    """
    if text is None or text == PREDICTED:
        return text
    sides = [side.strip() for side in text.split(",")]
    if len(sides) != 4 or not all(side.isdecimal() for side in sides):
        raise ToileError(f"box {text!r} is none; write X0,Y0,X1,Y1 in whole pixels, or predicted")
    x0, y0, x1, y1 = (int(side) for side in sides)
    return x0, y0, x1, y1


def check_box(box: BoxChoice, size: tuple[int, int]) -> None:
    """Refuse a box that does not lie in the canvas.

    Raises:
        ToileError: with the canvas's size.
    """
    from toile.twgtm.panels import box_repaint

    if isinstance(box, tuple):
        box_repaint([box], size)
