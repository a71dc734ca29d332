"""Swap: the garment that one person wears, restored flat, and tried on by another."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from PIL import Image

from toile.errors import ToileError
from toile.images import as_photo
from toile.tasks.atelier import Atelier
from toile.tasks.drawing import IGR_DRAWING, TWGTM_DRAWING, Drawing, check_category
from toile.tasks.masks import AUTO, MaskChoice, repainted, usual_place
from toile.tasks.models import Models, System
from toile.tasks.request import Ready, Request
from toile.tasks.restore import NO_MASK, restore_pictures
from toile.tasks.result import Result
from toile.tasks.step import OnStep
from toile.tasks.takeoff import take_off_pictures
from toile.tasks.tryon import try_on_pictures

THROUGH = ("igr", "twgtm")


@dataclass(frozen=True, kw_only=True)
class SwapRequest(Request):
    """Put the garment that the wearer has on onto the target."""

    task: ClassVar[str] = "swap"
    systems: ClassVar[tuple[System, ...]] = ("twgtm", "igr")
    wearer: Image.Image
    """A photo of the person who has the garment on."""
    target: Image.Image
    """A photo of the person who is to have it on."""
    category: str = "upper"
    """What kind of garment it is."""
    through: str = "twgtm"
    """What restores the garment: `igr` or `twgtm`; how, says `restoring_drawing`."""
    wearer_mask: MaskChoice = AUTO
    """White where the wearer's garment is; read by IGR alone."""
    target_mask: MaskChoice = AUTO
    """White where the target is to be repainted."""
    repaint: bool = True
    """Keep the target's own pixels outside of the mask, but for a soft edge."""
    drawing: Drawing = TWGTM_DRAWING
    """How to draw."""

    def check(self) -> None:
        """See `Request.check`."""
        super().check()
        check_category(self.category)
        if self.through not in THROUGH:
            raise ToileError(f"through {self.through!r} is unknown; write one of {', '.join(THROUGH)}")

    @property
    def restoring(self) -> Drawing:
        """How the garment is restored."""
        return restoring_drawing(self.through, self.drawing)

    @property
    def group(self) -> Hashable:
        """See `Request.group`."""
        return super().group, self.through, self.repaint

    def steps(self, models: Models) -> tuple[int, ...]:
        """See `Request.steps`."""
        restoring = self.restoring.steps or models.steps("igr" if self.through == "igr" else "twgtm")
        return restoring, *super().steps(models)

    def settings(self) -> dict[str, object]:
        """See `Request.settings`."""
        own = {"category": self.category, "through": self.through, "repaint": self.repaint}
        return super().settings() | own

    def prepare(self, atelier: Atelier) -> Ready:
        """See `Request.prepare`."""
        size, target = self.drawing.canvas(atelier.pipeline("twgtm")), as_photo(self.target)
        find, instead = atelier.finder.region, usual_place(self.category)
        region = find(target, self.target_mask, self.category, size, instead)
        regions = {"target_mask": replace(region, mask=repainted(region, target, self.category))}
        if self.through == "igr":
            own = self.restoring.canvas(atelier.pipeline("igr"))
            wearer = as_photo(self.wearer)
            regions["wearer_mask"] = find(wearer, self.wearer_mask, self.category, own, NO_MASK)
        return Ready(request=self, regions=regions)

    @classmethod
    def draw(cls, atelier: Atelier, ready: Sequence[Ready], on_step: OnStep) -> list[Result]:
        """See `Request.draw`."""
        pipeline, requests = atelier.pipeline("twgtm"), [item.request for item in ready]
        drawing, masks = requests[0].drawing, [item.mask("target_mask") for item in ready]
        garments = _restored(atelier, ready, on_step)
        worn = try_on_pictures(
            pipeline,
            [request.target for request in requests],
            garments,
            masks,
            [request.category for request in requests],
            repaint=requests[0].repaint,
            seeds=[request.seed for request in requests],
            drawing=drawing,
            on_step=on_step,
        )
        size = drawing.canvas(pipeline)
        return [
            Result(
                pictures={"worn": picture, "garment": garment, "mask": mask},
                metadata=_metadata(atelier, item, size),
                notes=item.notes,
            )
            for item, picture, garment, mask in zip(ready, worn, garments, masks, strict=True)
        ]


def restoring_drawing(through: str, drawing: Drawing) -> Drawing:
    """How a garment is restored that is then tried on in this way.

    Ours: IGR has its own guidance, as scales do not compare between models. Steps are what users pay with, so
    those that are asked for count for both; otherwise each model takes its own.
    """
    return drawing if through == "twgtm" else replace(drawing, guidance=IGR_DRAWING.guidance)


def _restored(atelier: Atelier, ready: Sequence[Ready], on_step: OnStep) -> list[Image.Image]:
    """The flat garments of the wearers."""
    requests = [item.request for item in ready]
    wearers, categories = [request.wearer for request in requests], [request.category for request in requests]
    seeds, drawing = [request.seed for request in requests], requests[0].restoring
    if requests[0].through == "igr":
        return restore_pictures(
            atelier.pipeline("igr"),
            wearers,
            [item.regions["wearer_mask"].mask for item in ready],
            categories,
            seeds=seeds,
            drawing=drawing,
            on_step=on_step,
            kept=atelier.kept,
        )
    taken = take_off_pictures(
        atelier.pipeline("twgtm"),
        wearers,
        categories,
        seeds=seeds,
        drawing=drawing,
        on_step=on_step,
        kept=atelier.kept,
    )
    return [garment for garment, _ in taken]


def _metadata(atelier: Atelier, item: Ready, size: tuple[int, int]) -> dict[str, object]:
    told = atelier.metadata("twgtm", item, size)
    if item.request.through == "twgtm":
        return told
    drawing, pipeline = item.request.restoring, atelier.pipeline("igr")
    own = {"model": atelier.models.igr, "steps": pipeline.check_steps(drawing.steps)}
    return told | {"restorer": own | {"guidance": drawing.guidance, "seed": item.request.seed}}
