"""Dress: garments of any number and kind and a prompt in, somebody who wears them out, by AnyDressing."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from PIL import Image

from toile.errors import ToileError
from toile.tasks.atelier import Atelier
from toile.tasks.drawing import ANYDRESSING_DRAWING, Drawing
from toile.tasks.encodings import Encodings, picture_key
from toile.tasks.models import System, enough_memory
from toile.tasks.request import Ready, Request
from toile.tasks.result import Result
from toile.tasks.step import OnStep, step_end

if TYPE_CHECKING:
    from toile.wardrobe import GarmentFeatures, Wardrobe
    from toile.wardrobe_store import WardrobeStore

SCALE = 0.7
"""λ when nobody says otherwise."""
MOST_SCALE = 10
Worn = Mapping[str, Sequence[Image.Image]]
"""The pictures of what one person wears, by kind."""


@dataclass(frozen=True, kw_only=True)
class DressRequest(Request):
    """Draw somebody who wears given garments, and is otherwise as a prompt says."""

    task: ClassVar[str] = "dress"
    systems: ClassVar[tuple[System, ...]] = ("anydressing",)
    garments: Worn = field(default_factory=dict)
    """Pictures of the garments by their kinds, flat or cut out of a photo."""
    prompt: str
    """Who wears them, where, in which pose."""
    negative_prompt: str = ""
    """What is not to be drawn."""
    scale: float = SCALE
    """How much the garments count (λ): 0 leaves them away."""
    wear: str | None = None
    """A kept outfit to wear besides."""
    drawing: Drawing = ANYDRESSING_DRAWING
    """How to draw."""

    def check(self) -> None:
        """See `Request.check`."""
        super().check()
        check_dressing(self.prompt, self.scale)
        if not any(self.garments.values()) and self.wear is None:
            raise ToileError("there is nothing to wear; give a garment by its kind, or a kept outfit")

    @property
    def group(self) -> Hashable:
        """See `Request.group`."""
        return super().group, self.scale

    def settings(self) -> dict[str, object]:
        """See `Request.settings`."""
        own = {"prompt": self.prompt, "negative_prompt": self.negative_prompt, "scale": self.scale}
        kinds = [kind for kind, pictures in self.garments.items() for _ in pictures]
        worn = {} if self.wear is None else {"wear": self.wear}
        return super().settings() | own | {"kinds": kinds} | worn

    def prepare(self, atelier: Atelier) -> Ready:
        """See `Request.prepare`."""
        pipeline = atelier.pipeline("anydressing")
        self.drawing.canvas(pipeline)
        pipeline.dressing.garments_net.indices(list(self.garments))  # refuses unknown kinds
        if self.wear is not None:
            atelier.wardrobe.describe(self.wear)
        return Ready(request=self)

    @classmethod
    def draw(cls, atelier: Atelier, ready: Sequence[Ready], on_step: OnStep) -> list[Result]:
        """See `Request.draw`."""
        from toile.wardrobe_store import stack_features

        pipeline, requests = atelier.pipeline("anydressing"), [item.request for item in ready]
        drawing = requests[0].drawing
        size = drawing.canvas(pipeline)
        outfits = [
            outfit_features(
                pipeline, request.garments, request.wear, atelier.wardrobe, size=size, kept=atelier.kept
            )
            for request in requests
        ]
        wardrobe = pipeline.dressing.project(stack_features(outfits), _rows(outfits), scale=requests[0].scale)
        drawn = dress_pictures(
            pipeline,
            wardrobe,
            [request.prompt for request in requests],
            [request.negative_prompt for request in requests],
            seeds=[request.seed for request in requests],
            drawing=drawing,
            size=size,
            on_step=on_step,
        )
        return [
            Result(pictures={"dressed": picture}, metadata=atelier.metadata("anydressing", item, size))
            for item, picture in zip(ready, drawn, strict=True)
        ]


def outfit_features(
    pipeline: Any,
    garments: Worn,
    wear: str | None = None,
    wardrobe: "WardrobeStore | None" = None,
    *,
    size: tuple[int, int],
    kept: Encodings | None = None,
) -> "GarmentFeatures":
    """Encode what one person wears, and put a kept outfit beside it, which takes no pass.

    Args:
        pipeline: an `AnyDressingPipeline`.
        garments: pictures of each kind.
        wear: name of a kept outfit.
        wardrobe: the kept outfits.
        size: (height, width) to encode at; beside a kept outfit it is the model's own.
        kept: where encoded garments are kept.

    Raises:
        ToileError: when there is no such outfit, other weights made it, or a garment's kind is unknown.
    """
    from toile.anydressing.outfits import Outfits
    from toile.wardrobe_store import stack_features

    dressing, kept = pipeline.dressing, kept or Encodings()
    features = []
    if wear is not None and wardrobe is not None:
        features.append(wardrobe.read(wear, dressing.weights_hash()))
    canvas = size if wear is None else dressing.size
    for part in _encoded_apart(dressing, garments):
        with enough_memory(len(part), canvas):
            key = ("anydressing", canvas, *((kind, picture_key(picture)) for kind, picture in part))
            worn = {kind: [picture for own, picture in part if own == kind] for kind, _ in part}
            features.append(kept.get(key, partial(dressing.encode, Outfits.of(worn), canvas)))
    return stack_features(features)


def dress_pictures(
    pipeline: Any,
    wardrobe: "Wardrobe",
    prompts: Sequence[str],
    negative_prompts: Sequence[str],
    *,
    seeds: Sequence[int],
    drawing: Drawing,
    size: tuple[int, int],
    on_step: OnStep,
    more: Mapping[str, Any] | None = None,
) -> list[Image.Image]:
    """Draw one batch in memory, each picture from its own seed.

    Args:
        pipeline: an `AnyDressingPipeline`, or one of diffusers' own around the same U-Net.
        wardrobe: what all of them wear, or each.
        prompts: who, where, in which pose.
        negative_prompts: what is not to be drawn.
        seeds: of each picture's noise.
        drawing: how to draw.
        size: (height, width) to draw at.
        on_step: is told of each step.
        more: arguments that the pipeline's calls need besides.

    Raises:
        ToileError: when there is not enough memory for it.
    """
    from toile.anydressing.plug_in import install
    from toile.diffusion.noise import item_generators, item_noise

    unet, factor = pipeline.unet, pipeline.vae_scale_factor
    shape = (int(unet.config["in_channels"]), size[0] // factor, size[1] // factor)
    install(pipeline)
    with enough_memory(len(prompts), size):
        drawn: list[Image.Image] = pipeline(
            list(prompts),
            negative_prompt=list(negative_prompts),
            latents=item_noise(item_generators(seeds), shape, unet.device, unet.dtype),
            cross_attention_kwargs={"wardrobe": wardrobe},
            callback_on_step_end=step_end(on_step, len(prompts)),
            **drawing.arguments(size),
            **(more or {}),
        ).images
    return drawn


def check_dressing(prompt: str, scale: float) -> None:
    """Refuse a prompt that says nothing, or a weight out of range.

    Raises:
        ToileError: naming it.
    """
    if not prompt.strip():
        raise ToileError("the prompt is empty; write who wears the garments, and where")
    if not 0 <= scale <= MOST_SCALE:
        raise ToileError(f"scale is {scale}; it must lie between 0 and {MOST_SCALE}")


def _encoded_apart(dressing: Any, garments: Worn) -> list[list[tuple[str, Image.Image]]]:
    """The garments that do not see one another when they are encoded: each by itself, or the whole outfit."""
    every = [(kind, picture) for kind, pictures in garments.items() for picture in pictures]
    if not every:
        return []
    return [[one] for one in every] if dressing.garments_net.config["separate"] else [every]


def _rows(outfits: "Sequence[GarmentFeatures]") -> list[tuple[int, ...]]:
    """The garments of each person, by their numbers among all."""
    rows, first = [], 0
    for outfit in outfits:
        rows.append(tuple(range(first, first + outfit.items)))
        first += outfit.items
    return rows
