"""TWGTM as a diffusers pipeline: garments onto people, and flat garments from people.

Legend: `B` batch, `C` latent channels, `H W` pixels of one panel, `H WW` pixels of all panels, `h ww` their
latent pixels.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from diffusers import AutoencoderKL, SchedulerMixin, UNet2DConditionModel
from jaxtyping import Float
from torch import Tensor
from transformers import BaseImageProcessor, CLIPVisionModelWithProjection, PreTrainedTokenizerBase

from toile.diffusion.photos import MASKS, PHOTOS, Picture, listed, prepare_photos, prepare_pictures, repeated
from toile.diffusion.pipeline import PhotoPipeline
from toile.diffusion.repaint import repaint as keep_untouched
from toile.diffusion.system_pipeline import StepEnd
from toile.errors import ToileError
from toile.twgtm.boxes import PREDICTED, box_choices, choice_repaint
from toile.twgtm.extended_attention import ExtendedAttention, Fusion
from toile.twgtm.model import TWGTMModel
from toile.twgtm.output import TWGTMOutput
from toile.twgtm.panels import Panels, inference_panels, left_panel, unet_input
from toile.twgtm.parts import TWGTMParts
from toile.twgtm.reference import Reference, make_reference
from toile.twgtm.semantic import SemanticAbstraction
from toile.twgtm.spatial import SpatialRefinement
from toile.twgtm.warp import WarpRegressor, one_panel
from toile.wardrobe import Wardrobe

SOFTNESS = 1 / 256
"""Standard deviation of the edge around repainted pixels, in heights of the picture (Ours)."""


class TWGTMPipeline(PhotoPipeline):
    """Puts garments onto people, and restores flat garments from photos of people who wear them.

    Source: TWGTM (arXiv 2508.04551), Fig. 2.

    Args:
        vae: of the base model.
        image_encoder: CLIP's, with its projection; sees the reference.
        feature_extractor: its mean and deviation prepare the reference.
        tokenizer: the Q-Former's; reads the category's words.
        unet: the denoiser of both panels.
        semantic: the Semantic Abstraction Module.
        spatial: the Spatial Refinement Module.
        extended: keys and values of extended attention; None with a fusion that needs none.
        scheduler: DDIM.
        warp: warps the reference where one panel takes the place of two (Variant 2); None for two panels.
        size: (height, width) of one panel in pixels that the model works at when it is told nothing else;
            kept in `model_index.json`. None takes it from the U-Net's `sample_size`.
        num_inference_steps: denoising steps that it takes likewise, kept there too; None is the usual 30.
        fusion: how F_SRM reaches the U-Net; kept likewise.
    """

    system = "twgtm"
    trained_parts = ("unet", "semantic", "spatial", "extended", "warp")
    model_cpu_offload_seq = "image_encoder->semantic->spatial->extended->warp->unet->vae"
    _optional_components = ["extended", "warp"]  # noqa: RUF012, a plain list is what diffusers reads
    _callback_tensor_inputs = ("latents", "guidance_latents")

    def __init__(
        self,
        vae: AutoencoderKL,
        image_encoder: CLIPVisionModelWithProjection,
        feature_extractor: BaseImageProcessor,
        tokenizer: PreTrainedTokenizerBase,
        unet: UNet2DConditionModel,
        semantic: SemanticAbstraction,
        spatial: SpatialRefinement,
        extended: ExtendedAttention | None,
        scheduler: SchedulerMixin,
        warp: WarpRegressor | None = None,
        size: Sequence[int] | None = None,
        num_inference_steps: int | None = None,
        fusion: Fusion = "extended",
    ) -> None:
        super().__init__()
        self.register_modules(
            vae=vae,
            image_encoder=image_encoder,
            feature_extractor=feature_extractor,
            tokenizer=tokenizer,
            unet=unet,
            semantic=semantic,
            spatial=spatial,
            extended=extended,
            scheduler=scheduler,
            warp=warp,
        )
        self.keep(size, num_inference_steps, fusion=fusion)

    @classmethod
    def from_parts(
        cls, parts: TWGTMParts, model: TWGTMModel, size: Sequence[int] | None = None
    ) -> "TWGTMPipeline":
        """Put a pipeline around a model, which it shares, and the frozen parts."""
        return cls(
            vae=parts.vae,
            image_encoder=parts.image_encoder,
            feature_extractor=parts.feature_extractor,
            tokenizer=parts.tokenizer,
            unet=model.unet,
            semantic=model.semantic,
            spatial=model.spatial,
            extended=model.extended,
            scheduler=parts.scheduler,
            warp=model.warp,
            size=size,
            fusion=model.fusion,
        )

    @property
    def twgtm(self) -> TWGTMModel:
        """The model that the components make up."""
        return TWGTMModel(
            unet=self.unet,
            semantic=self.semantic,
            spatial=self.spatial,
            extended=self.extended,
            fusion=self.config["fusion"],
            warp=self.warp,
        )

    def __call__(self, task: str = "try_on", **arguments: Any) -> Any:
        """Do `try_on` or `take_off`, as `task` says, with its arguments; what comes back is also its own.

        Raises:
            ToileError: when there is no such task, or its arguments do not fit together.
        """
        if task == "try_on":
            return self.try_on(**arguments)
        if task == "take_off":
            return self.take_off(**arguments)
        raise ToileError(f"task {task!r} is unknown; write try_on or take_off")

    @torch.no_grad()
    def try_on(
        self,
        person: Picture | Sequence[Picture],
        garment: Picture | Sequence[Picture],
        mask: Picture | Sequence[Picture | None] | None,
        category: str | Sequence[str] = "upper",
        num_inference_steps: int | None = None,
        guidance_scale: float = 2.5,
        height: int | None = None,
        width: int | None = None,
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
        latents: Float[Tensor, "B C h ww"] | None = None,
        wardrobe: Wardrobe | None = None,
        repaint: bool = False,
        output_type: str = "pil",
        return_dict: bool = True,
        callback_on_step_end: StepEnd | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",),
    ) -> Any:
        """Dress people in garments.

        Args:
            person: one photo or several: PIL, or uint8 RGB; any size, they are fitted and padded with white.
            garment: a picture of each flat garment, or one for all.
            mask: of each photo, of its size, white where it is to be repainted (the agnostic mask).
            category: of the garment: `upper`, `lower` or `dress`, one for all or one a photo.
            num_inference_steps: steps of the scheduler; None takes the model's own, or the usual 30.
            guidance_scale: of classifier-free guidance; at 1 the unconditional prediction is not computed.
            height: of the canvas that is worked at and returned, in pixels.
            width: likewise.
            generator: one a photo, so that no result depends on others; a single one serves them in turn.
            latents: noise to start from, of both panels side by side, instead of a generator's.
            wardrobe: what `encode_reference` made of the garments, to save making it again.
            repaint: keep the photo's own pixels outside of the mask, but for a soft edge.
            output_type: `pil`, `np` and `pt` (both in [0, 1]), or `latent`: of both panels.
            return_dict: False returns a plain tuple.
            callback_on_step_end: called as callback(pipeline, step, timestep, tensors); what it returns of
                the tensors is used from there on.
            callback_on_step_end_tensor_inputs: which tensors it gets: `latents`, `guidance_latents` (of h_f).

        Returns:
            A `TWGTMOutput`, or its `images` alone in a tuple.

        Raises:
            ToileError: when the arguments do not fit together.
        """
        steps = self.check_call(num_inference_steps, output_type, callback_on_step_end_tensor_inputs)
        if repaint and output_type == "latent":
            raise ToileError("repaint=True works on pictures; write another output_type than latent")
        size = self.check_size(height, width)
        photos, masks = self._on_device(*prepare_photos(person, _required(mask), size))
        (garments,) = self._on_device(prepare_pictures(repeated(garment, len(photos)), size))
        latents = self.denoise(
            self.prepare_latents(len(photos), self.canvas(size), generator, latents),
            self.make_panels(garments, masks, photos),
            self._encode(garments, category) if wardrobe is None else wardrobe,
            num_inference_steps=steps,
            guidance_scale=guidance_scale,
            callback=callback_on_step_end,
            callback_inputs=callback_on_step_end_tensor_inputs,
        )
        images = self.decode(latents, output_type, (photos, masks) if repaint else None)
        self.maybe_free_model_hooks()
        return TWGTMOutput(images=images) if return_dict else (images,)

    @torch.no_grad()
    def take_off(
        self,
        person: Picture | Sequence[Picture],
        category: str | Sequence[str] = "upper",
        box: Sequence[Any] | str | None = None,
        return_silhouette: bool = False,
        num_inference_steps: int | None = None,
        guidance_scale: float = 2.5,
        height: int | None = None,
        width: int | None = None,
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
        latents: Float[Tensor, "B C h ww"] | None = None,
        wardrobe: Wardrobe | None = None,
        output_type: str = "pil",
        return_dict: bool = True,
        callback_on_step_end: StepEnd | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",),
    ) -> Any:
        """Restore flat garments, on white, from photos of people who wear them.

        Args:
            person: one photo or several: PIL, or uint8 RGB; any size, they are fitted and padded with white.
            category: `upper`, `lower` or `dress`, one for all or one a photo.
            box: where in the canvas the flat garment shall lie: (x0, y0, x1, y1) in pixels, `predicted` for
                the rectangle around the silhouette that the model predicts, or None to leave it to the model;
                one for all, or a list with one of these a photo.
            return_silhouette: give the predicted silhouettes as well (Eq. 10).
            num_inference_steps: as for `try_on`, and so all that follow.
            guidance_scale: likewise.
            height: likewise.
            width: likewise.
            generator: likewise.
            latents: likewise.
            wardrobe: what `encode_reference` made of the photos, to save making it again.
            output_type: likewise; silhouettes are pictures or arrays of one channel, with `latent` tensors.
            return_dict: likewise.
            callback_on_step_end: likewise.
            callback_on_step_end_tensor_inputs: likewise.

        Returns:
            A `TWGTMOutput`, or a tuple of `images` and, when asked for, `silhouettes`.

        Raises:
            ToileError: when the arguments do not fit together.
        """
        steps = self.check_call(num_inference_steps, output_type, callback_on_step_end_tensor_inputs)
        size = self.check_size(height, width)
        (photos,) = self._on_device(prepare_pictures(person, size))
        choices = box_choices(box, len(photos))
        silhouette = None
        if return_silhouette or PREDICTED in choices:
            silhouette = self.twgtm.silhouette(self.look_at(photos, category)).float()  # (B 1 H W)
        (where,) = self._on_device(choice_repaint(choices, silhouette, size))
        latents = self.denoise(
            self.prepare_latents(len(photos), self.canvas(size), generator, latents),
            self.make_panels(photos, where),
            self._encode(photos, category) if wardrobe is None else wardrobe,
            num_inference_steps=steps,
            guidance_scale=guidance_scale,
            callback=callback_on_step_end,
            callback_inputs=callback_on_step_end_tensor_inputs,
        )
        shown = MASKS.postprocess(silhouette, output_type=output_type) if return_silhouette else None
        output = TWGTMOutput(images=self.decode(latents, output_type), silhouettes=shown)
        self.maybe_free_model_hooks()
        return output if return_dict else output.to_tuple()

    @torch.no_grad()
    def encode_reference(
        self,
        pictures: Picture | Sequence[Picture],
        category: str | Sequence[str] = "upper",
        height: int | None = None,
        width: int | None = None,
    ) -> Wardrobe:
        """Encode references once, for many calls: garments to try on, or photos to take garments off.

        Args:
            pictures: one or several.
            category: as for `try_on`, and so all that follow.
            height: likewise.
            width: likewise.
        """
        (prepared,) = self._on_device(prepare_pictures(pictures, self.check_size(height, width)))
        return self._encode(prepared, category)

    def look_at(self, pictures: Float[Tensor, "B 3 H W"], category: str | Sequence[str]) -> Reference:
        """Show references in [-1, 1] to CLIP, and put the categories into words."""
        parts = self.image_encoder, self.feature_extractor, self.tokenizer
        seen = make_reference(pictures, repeated(category, len(pictures)), *parts)
        names = ("picture", "clip_tokens", "clip_embeds")
        return replace(seen, **{name: getattr(seen, name).to(self.unet.dtype) for name in names})

    def canvas(self, size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of all panels together, from those of one."""
        return size[0], size[1] * (2 if self.warp is None else 1)

    def make_panels(
        self,
        reference: Float[Tensor, "B 3 H W"],
        repaint: Float[Tensor, "B 1 H W"],
        target: Float[Tensor, "B 3 H W"] | None = None,
    ) -> Panels:
        """Make h_f and h_m, of two panels, or of one with the warped reference in it (Variant 2).

        Args:
            reference: the garment when trying on, the person when taking off, in [-1, 1].
            repaint: 1 where something is to be generated.
            target: the person when trying on.
        """
        dtype = self.unet.dtype
        model_target = None if target is None else target.to(dtype)
        warped = self.twgtm.warped(model_target, repaint.to(dtype), reference.to(dtype))
        if warped is None:
            return inference_panels(reference, repaint, target)
        return one_panel(target, warped, repaint)

    def denoise(
        self,
        latents: Float[Tensor, "B C h ww"],
        panels: Panels,
        wardrobe: Wardrobe,
        *,
        num_inference_steps: int,
        guidance_scale: float = 2.5,
        callback: StepEnd | None = None,
        callback_inputs: Sequence[str] = ("latents",),
    ) -> Float[Tensor, "B C h ww"]:
        """Go from noise to the latents of all panels.

        Raises:
            ToileError: when the wardrobe has not one item for each latent.
        """
        if wardrobe.items != len(latents):
            raise ToileError(
                f"{wardrobe.items} items in the wardrobe for {len(latents)} photos; give one each"
            )
        model = self.twgtm

        def predict(scaled: Tensor, timestep: Tensor, tensors: dict[str, Tensor]) -> Tensor:
            panel_input = unet_input(scaled, tensors["guidance_latents"], panels.known)  # (B 2C+1 h ww)
            return model.guided(panel_input, timestep, wardrobe, guidance_scale)

        conditions = {"guidance_latents": self.encode_pictures(panels.guidance)}  # (B C h ww)
        return self.follow_schedule(
            latents, predict, conditions, num_inference_steps, callback, callback_inputs
        )

    def decode(
        self,
        latents: Float[Tensor, "B C h ww"],
        output_type: str,
        photo_and_mask: tuple[Float[Tensor, "B 3 H W"], Float[Tensor, "B 1 H W"]] | None = None,
    ) -> Any:
        """Decode what was generated as a list of PIL pictures, or as `output_type` says.

        Ours: both panels are decoded together, as they were encoded, so that the decoder's norms see both.

        Args:
            latents: of all panels.
            output_type: as for `try_on`.
            photo_and_mask: where the mask is 0 the photo is kept, but for a soft edge; None keeps nothing.
        """
        if output_type == "latent":
            return latents
        pictures = self.decode_latents(latents)  # (B 3 H WW)
        if self.warp is None:
            pictures = left_panel(pictures)  # (B 3 H W)
        if photo_and_mask is not None:
            pictures = keep_untouched(pictures, *photo_and_mask, SOFTNESS * pictures.shape[-2])
        return PHOTOS.postprocess(pictures, output_type=output_type)

    def _encode(self, pictures: Float[Tensor, "B 3 H W"], category: str | Sequence[str]) -> Wardrobe:
        categories = repeated(category, len(pictures))
        wardrobe = self.twgtm.encode(self.look_at(pictures, categories), categories)
        # Detached, the weights of the zero layers stay on the device when offloading takes their module away.
        layers = {
            name: replace(layer, output=layer.output and layer.output.map(torch.detach))
            for name, layer in wardrobe.layers.items()
        }
        return replace(wardrobe, layers=layers)

    def _on_device(self, *tensors: Tensor) -> list[Tensor]:
        return [tensor.to(self._execution_device) for tensor in tensors]


def _required(mask: Any) -> Any:
    if any(item is None for item in listed(mask)):
        raise ToileError("trying on needs a mask of each photo, white where it is to be repainted")
    return mask
