"""Training the base of `tiny`: a text-to-image U-Net, from scratch, on people and flat garments."""

from collections.abc import Callable
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.utils.data import Dataset
from transformers import CLIPTextModel, CLIPTokenizer

from toile.data.latent_cache import Encodings
from toile.data.varied_captions import VariedCaptions
from toile.diffusion import tiny
from toile.diffusion.noise import item_generators, noise_latents
from toile.diffusion.recipes import TextToImageRecipe
from toile.diffusion.stable_diffusion import load_part
from toile.training.loop import train
from toile.training.pairs import RunPairs, open_run_pairs
from toile.training.pictures import tile
from toile.training.prepared import PairEncoder, copy_parts, embed_texts, encoding_device, prepare
from toile.training.settings import RunSettings
from toile.training.sources import Sources

SHOWN = 8
"""How many captions a sample picture shows."""
TextParts = tuple[AutoencoderKL, CLIPTextModel, CLIPTokenizer]


def fixed_noise_loss(
    loss: Callable[[nn.Module, dict[str, Tensor], torch.Generator], dict[str, Tensor]],
    model: nn.Module,
    unseen: Dataset[dict[str, Tensor]],
    most: int = 128,
) -> float:
    """A task's loss on the first `most` unseen items, with the same noise and timesteps each time."""
    device = next(model.parameters()).device
    losses = []
    rows = range(min(most, len(unseen)))  # type: ignore[arg-type]
    for start in rows[::32]:
        batch = torch.utils.data.default_collate([unseen[row] for row in rows[start : start + 32]])
        batch = {name: tensor.to(device) for name, tensor in batch.items()}
        losses.append(float(loss(model, batch, item_generators([start])[0])["loss"]))
    return sum(losses) / len(losses)


class CaptionedLatents(Dataset[dict[str, Tensor]]):
    """Both pictures of each pair: latents (2, C, h, w) and the embeddings of their captions (2, L, D)."""

    def __init__(self, pairs: Encodings) -> None:
        """Wrap encoded pairs, the captions embedded."""
        self.pairs = pairs

    def __len__(self) -> int:
        """The number of pairs."""
        return len(self.pairs)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Flat garment first, person second."""
        item = self.pairs[index]
        latents = torch.stack([item["garment_latents"].float(), item["person_latents"].float()])
        captions = torch.stack([item["garment_caption_embeds"].float(), item["caption_embeds"].float()])
        return {"latents": latents, "prompt_embeds": captions}


class TextToImageTask:
    """Predict the noise (Eq. 1 of IGR, as every latent diffusion model) given the caption."""

    name = "base"

    def __init__(
        self, recipe: TextToImageRecipe, data: Encodings, unseen: Encodings, parts: TextParts, base: Path
    ) -> None:
        """Build the U-Net, or go on from `base`'s; `data` is for training, `unseen` for validation."""
        self.recipe, self.scheduler = recipe, tiny.scheduler()
        goes_on = (base / "unet").is_dir()
        self.model = load_part(UNet2DConditionModel, base, "unet") if goes_on else tiny.unet()
        self.vae, self.text_encoder, self.tokenizer, self.base = *parts, base
        self.dataset = CaptionedLatents(data)
        self.unseen = CaptionedLatents(unseen)
        shown = [(unseen[row], row % 2) for row in range(min(SHOWN, len(unseen)))]
        self.captions = [
            self.tokenizer.decode(item["garment_caption" if flat else "caption"], skip_special_tokens=True)
            for item, flat in shown
        ]
        empty = self.tokenizer("", padding="max_length", return_tensors="pt").input_ids
        self.null = embed_texts(self.text_encoder, empty.to(self.text_encoder.device)).cpu()

    def loss(
        self, model: nn.Module, batch: dict[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Noise prediction on one picture of each pair, the caption dropped now and then."""
        latents, prompts = batch["latents"], batch["prompt_embeds"]
        rows = torch.arange(len(latents), device=latents.device)
        draws = torch.rand(2, len(latents), generator=generator, device=generator.device).to(latents.device)
        which = (draws[0] >= self.recipe.garment_share).long()  # 0: garment, 1: person
        dropped = draws[1] < self.recipe.drop_probability
        prompts = torch.where(dropped[:, None, None], self.null.to(latents.device), prompts[rows, which])
        noised = noise_latents(latents[rows, which], self.scheduler, generator)
        predicted = model(noised.latents, noised.timesteps, prompts).sample
        return {"loss": mse_loss(predicted.float(), noised.target)}

    def validate(self, model: nn.Module) -> dict[str, float]:
        """The loss on unseen dolls, always with the same noise."""
        return {"unseen_loss": fixed_noise_loss(self.loss, model, self.unseen)}

    def sample(self, model: nn.Module) -> Image.Image:
        """Captions of unseen people and garments by turns, drawn."""
        pipeline = self._pipeline(model)
        generators = item_generators(range(len(self.captions)))
        drawn = pipeline(
            self.captions,
            height=self.recipe.size[0],
            width=self.recipe.size[1],
            num_inference_steps=25,
            guidance_scale=3.0,
            generator=generators,
            output_type="pt",
        ).images
        return tile([drawn * 2 - 1])

    def _pipeline(self, model: nn.Module) -> StableDiffusionPipeline:
        pipeline = StableDiffusionPipeline(
            vae=self.vae,
            text_encoder=self.text_encoder,
            tokenizer=self.tokenizer,
            unet=model,
            scheduler=DDIMScheduler.from_config(self.scheduler.config),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.set_progress_bar_config(disable=True)
        return pipeline.to(next(model.parameters()).device)

    def export(self, model: nn.Module, folder: Path) -> None:
        """Save a complete base: what StableDiffusionPipeline loads, and the image encoder beside it."""
        copy_parts(self.base, folder)
        self._pipeline(model).save_pretrained(folder)


def _prepared(
    recipe: TextToImageRecipe, sources: Sources, run: RunSettings
) -> tuple[TextParts, RunPairs, Encodings, Encodings]:
    base = sources.base()
    parts = (
        AutoencoderKL.from_pretrained(base / "vae").eval(),
        CLIPTextModel.from_pretrained(base / "text_encoder").eval(),
        CLIPTokenizer.from_pretrained(base / "tokenizer"),
    )
    device = encoding_device(run)
    encoder = PairEncoder(
        parts[0], parts[2], recipe.size, tiny.IMAGE_ENCODER_SIZE, device, text_encoder=parts[1]
    )
    pairs = open_run_pairs(sources, run, recipe.size, VariedCaptions if recipe.vary_captions else None)
    data, unseen = (prepare(part, encoder, sources.cache) for part in (pairs.training, pairs.unseen))
    return parts, pairs, data, unseen


def encode_text_to_image(recipe: TextToImageRecipe, sources: Sources, run: RunSettings) -> None:
    """Encode what the base U-Net trains on."""
    _prepared(recipe, sources, run)


def train_text_to_image(recipe: TextToImageRecipe, sources: Sources, run: RunSettings) -> Path:
    """Train the base U-Net; returns the folder of the exported model.

    `sources.initial` holds the VAE, the text encoder and the tokenizer, and perhaps a U-Net to go on from.
    """
    torch.manual_seed(run.seed)
    parts, pairs, data, unseen = _prepared(recipe, sources, run)
    task = TextToImageTask(recipe, data, unseen, parts, sources.base())
    return train(task, recipe.optimization, run, recipe, pairs.description)
