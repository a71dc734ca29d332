"""The forms of the five tasks: what a client sends, as multipart/form-data, and the request that it makes."""

from abc import abstractmethod
from typing import Annotated, Any, ClassVar, Literal

from fastapi import UploadFile
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from toile.service.pictures import Pictures
from toile.service.problems import Problem
from toile.tasks.drawing import (
    ANYDRESSING_DRAWING,
    IGR_DRAWING,
    LARGEST_SEED,
    MOST_GUIDANCE,
    TWGTM_DRAWING,
    Drawing,
)
from toile.tasks.dress import DressRequest
from toile.tasks.request import Request
from toile.tasks.restore import RestoreRequest
from toile.tasks.size import parse_size
from toile.tasks.swap import SwapRequest
from toile.tasks.takeoff import TakeOffRequest, parse_box
from toile.tasks.tryon import TryOnRequest

SIZE = r"^[1-9][0-9]{0,3}x[1-9][0-9]{0,3}$"
BOX = r"^(predicted|[0-9]{1,4},[0-9]{1,4},[0-9]{1,4},[0-9]{1,4})$"
KIND = r"^[a-z][a-z0-9_-]{0,31}$"
LONGEST_PROMPT = 2000

Category = Literal["upper", "lower", "dress"]
Prompt = Annotated[str, Field(max_length=LONGEST_PROMPT)]
FindMask = Annotated[
    bool, Field(description="Without a mask, have it found; false works on the usual place, or everywhere.")
]
Repaint = Annotated[bool, Field(description="Keep the photo's own pixels outside of the mask.")]
Garments = Annotated[list[UploadFile], Field(default_factory=list)]


class TaskForm(BaseModel):
    """What every task lets a client choose."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    drawing: ClassVar[Drawing]
    """How the task draws unless it is told otherwise."""

    seed: int = Field(default=0, ge=0, le=LARGEST_SEED, description="Seed of the noise.")
    steps: int | None = Field(default=None, ge=1, description="Denoising steps; left out, the model's own.")
    guidance: float | None = Field(
        default=None, ge=0, le=MOST_GUIDANCE, description="Guidance scale; left out, the task's own."
    )
    size: str | None = Field(
        default=None, pattern=SIZE, description="HEIGHTxWIDTH to work at; left out, the model's own."
    )

    @abstractmethod
    def request(self, pictures: Pictures) -> Request:
        """Decode the pictures and make the request.

        Raises:
            Problem: when a picture is too large or of another kind.
            ToileError: when one is damaged.
        """

    def chosen(self) -> dict[str, Any]:
        """The seed and how to draw, as arguments of a request."""
        return {
            "seed": self.seed,
            "drawing": Drawing(
                steps=self.steps,
                guidance=self.drawing.guidance if self.guidance is None else self.guidance,
                size=None if self.size is None else parse_size(self.size),
            ),
        }


class RestoreForm(TaskForm):
    """A photo of a person, to restore the garment from, flat on white."""

    drawing = IGR_DRAWING
    photo: UploadFile = Field(description="The photo of a person: JPEG, PNG, WebP or TIFF.")
    mask: UploadFile | None = Field(
        default=None, description="White where the garment is, black elsewhere; of the photo's size."
    )
    find_mask: FindMask = True
    category: Category = "upper"

    def request(self, pictures: Pictures) -> RestoreRequest:
        """See `TaskForm.request`."""
        return RestoreRequest(
            photo=pictures.photo(self.photo, "photo"),
            mask=_mask_choice(pictures.mask(self.mask, "mask"), self.find_mask),
            category=self.category,
            **self.chosen(),
        )


class TakeOffForm(TaskForm):
    """A photo of a person, to take the garment off, flat on white; no mask is needed."""

    drawing = TWGTM_DRAWING
    photo: UploadFile = Field(description="The photo of a person: JPEG, PNG, WebP or TIFF.")
    category: Category = "upper"
    box: str | None = Field(
        default=None,
        pattern=BOX,
        description="Where the garment shall lie, X0,Y0,X1,Y1 in pixels of the result, or `predicted`.",
    )
    silhouette: bool = Field(default=False, description="Give the predicted silhouette as well.")

    def request(self, pictures: Pictures) -> TakeOffRequest:
        """See `TaskForm.request`."""
        return TakeOffRequest(
            photo=pictures.photo(self.photo, "photo"),
            category=self.category,
            box=parse_box(self.box),
            silhouette=self.silhouette,
            **self.chosen(),
        )


class TryOnForm(TaskForm):
    """A photo of a person and a flat garment, to see the person wear it."""

    drawing = TWGTM_DRAWING
    person: UploadFile = Field(description="The photo of a person: JPEG, PNG, WebP or TIFF.")
    garment: UploadFile = Field(description="The flat garment, on white.")
    mask: UploadFile | None = Field(
        default=None, description="White where to repaint, black elsewhere; of the person's size."
    )
    find_mask: FindMask = True
    category: Category = "upper"
    repaint: Repaint = True
    candidates: int = Field(
        default=1,
        ge=1,
        description="Seeds to try, from `seed` on; the best by the round trip is kept.",
    )
    round_trip: bool = Field(default=False, description="Score even a single candidate.")

    def request(self, pictures: Pictures) -> TryOnRequest:
        """See `TaskForm.request`."""
        return TryOnRequest(
            person=pictures.photo(self.person, "person"),
            garment=pictures.photo(self.garment, "garment"),
            mask=_mask_choice(pictures.mask(self.mask, "mask"), self.find_mask),
            category=self.category,
            repaint=self.repaint,
            candidates=self.candidates,
            round_trip=self.round_trip,
            **self.chosen(),
        )


class SwapForm(TaskForm):
    """Photos of two people, to put the garment of the one on the other."""

    drawing = TWGTM_DRAWING
    wearer: UploadFile = Field(description="The photo of who wears the garment now.")
    target: UploadFile = Field(description="The photo of who is to wear it.")
    wearer_mask: UploadFile | None = Field(
        default=None, description="White where the garment is on the wearer; read through igr alone."
    )
    target_mask: UploadFile | None = Field(
        default=None, description="White where the target is to be repainted."
    )
    find_masks: FindMask = True
    through: Literal["twgtm", "igr"] = Field(
        default="twgtm",
        description="What gets the garment off the wearer; igr has its own guidance and usual steps.",
    )
    category: Category = "upper"
    repaint: Repaint = True

    def request(self, pictures: Pictures) -> SwapRequest:
        """See `TaskForm.request`."""
        return SwapRequest(
            wearer=pictures.photo(self.wearer, "wearer"),
            target=pictures.photo(self.target, "target"),
            category=self.category,
            through=self.through,
            wearer_mask=_mask_choice(pictures.mask(self.wearer_mask, "wearer_mask"), self.find_masks),
            target_mask=_mask_choice(pictures.mask(self.target_mask, "target_mask"), self.find_masks),
            repaint=self.repaint,
            **self.chosen(),
        )


class DressForm(TaskForm):
    """Garments and a prompt, to see somebody wear them all in the scene of the prompt."""

    drawing = ANYDRESSING_DRAWING
    prompt: Prompt = Field(min_length=1, description="Who wears them, where, in which pose.")
    negative_prompt: Prompt = Field(default="", description="What is not to be drawn.")
    upper: Garments = Field(description="Pictures of upper garments; the field may come several times.")
    lower: Garments = Field(description="Of lower garments.")
    dress: Garments = Field(description="Of dresses.")
    hat: Garments = Field(description="Of hats.")
    garment: Garments = Field(description="Of other kinds; for each a `kind`, in the same order.")
    kind: list[Annotated[str, Field(pattern=KIND)]] = Field(
        default_factory=list, description="The kinds of `garment`, as the model names them."
    )
    wear: str | None = Field(
        default=None, max_length=100, description="The name of an outfit that the service keeps."
    )
    scale: float = Field(
        default=0.7, ge=0, le=10, description="How much the garments count; 0 leaves them away."
    )

    def request(self, pictures: Pictures) -> DressRequest:
        """See `TaskForm.request`."""
        return DressRequest(
            garments=self._garments(pictures),
            prompt=self.prompt,
            negative_prompt=self.negative_prompt,
            scale=self.scale,
            wear=self.wear,
            **self.chosen(),
        )

    def _garments(self, pictures: Pictures) -> dict[str, list[Image.Image]]:
        if len(self.kind) != len(self.garment):
            raise Problem(
                422, f"{len(self.garment)} times garment, {len(self.kind)} times kind; send a kind for each"
            )
        named = {"upper": self.upper, "lower": self.lower, "dress": self.dress, "hat": self.hat}
        uploads = [(kind, upload) for kind, of_kind in named.items() for upload in of_kind]
        uploads += zip(self.kind, self.garment, strict=True)
        garments: dict[str, list[Image.Image]] = {}
        for kind, upload in uploads:
            garments.setdefault(kind, []).append(pictures.photo(upload, f"garment {kind}"))
        return garments


FORMS: dict[str, type[TaskForm]] = {
    "restore": RestoreForm,
    "takeoff": TakeOffForm,
    "tryon": TryOnForm,
    "swap": SwapForm,
    "dress": DressForm,
}
"""By the task's name."""


def _mask_choice(given: Image.Image | None, find: bool) -> Any:
    """A mask as requests have it."""
    return given if given is not None else "auto" if find else None
