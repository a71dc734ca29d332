"""Training the small CLIP of `tiny`: a text and an image encoder, contrastively, on Paper Dolls."""

from collections.abc import Iterator
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import CLIPConfig, CLIPModel, CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection

from toile.data.latent_cache import Encodings
from toile.data.open import open_pairs
from toile.diffusion import tiny
from toile.diffusion.recipes import ClipRecipe
from toile.igr.model import CATEGORY_PROMPTS
from toile.training.loop import train
from toile.training.pairs import open_run_pairs
from toile.training.prepared import PairEncoder, copy_parts, encoding_device, prepare
from toile.training.settings import RunSettings
from toile.training.sources import Sources

VIEWS = (("garment_view", "garment_caption"), ("crop_view", "garment_caption"), ("person_view", "caption"))


class Contrast(nn.Module):
    """CLIP (Radford et al. 2021) over three kinds of picture, each against its own captions."""

    def __init__(self, clip: CLIPModel) -> None:
        """Wrap a CLIP."""
        super().__init__()
        self.clip = clip

    def forward(
        self, pictures: Float[Tensor, "B 3 S S"], captions: Int[Tensor, "B L"]
    ) -> tuple[Float[Tensor, "B B"], Float[Tensor, "B B"]]:
        """Similarities of every picture with every caption, scaled, and which captions are the same text."""
        scores = self.clip(input_ids=captions, pixel_values=pictures).logits_per_image
        same = (captions[:, None] == captions[None]).all(-1).float()
        return scores, same / same.sum(-1, keepdim=True)


class ClipTask:
    """Match pictures and captions within a batch; equal captions share the target."""

    name = "base-clip"

    def __init__(self, data: Encodings, unseen: Encodings, tokenizer: CLIPTokenizer, base: Path) -> None:
        """Build the model; `data` and `unseen` hold encoded pairs, `base` the parts trained before."""
        self.dataset, self.unseen, self.tokenizer, self.base = data, unseen, tokenizer, base
        config = CLIPConfig(
            text_config=tiny.text_config(len(tokenizer)).to_dict(),
            vision_config=tiny.vision_config().to_dict(),
            projection_dim=tiny.EMBEDDING,
        )
        self.model = Contrast(CLIPModel(config))

    def loss(
        self, model: nn.Module, batch: dict[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """The symmetric cross-entropy, averaged over the three kinds of picture."""
        losses = {}
        for view, caption in VIEWS:
            scores, target = model(batch[view].float(), batch[caption])
            scores = scores.float()
            losses[view] = (cross_entropy(scores, target) + cross_entropy(scores.T, target)) / 2
        return {"loss": torch.stack(list(losses.values())).mean()} | {
            k: v.detach() for k, v in losses.items()
        }

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Top-1 retrieval among the unseen pairs: how often a picture's best caption is its own text."""
        items = [self.unseen[index] for index in range(len(self.unseen))]
        figures = {}
        device = next(model.parameters()).device
        for view, caption in VIEWS:
            pictures = torch.stack([item[view].float() for item in items]).to(device)
            scores, target = model(pictures, torch.stack([item[caption] for item in items]).to(device))
            hits = target.gather(1, scores.argmax(-1, keepdim=True)) > 0
            figures[f"top1_{view}"] = float(hits.float().mean())
        return figures

    def sample(self, model: nn.Module) -> Image.Image | None:
        """Nothing to look at."""
        return None

    def export(self, model: nn.Module, folder: Path) -> None:
        """Save both halves, the tokenizer and the picture preparation in diffusers layout."""
        clip: CLIPModel = model.clip
        text = CLIPTextModel(clip.config.text_config)
        text.load_state_dict(clip.text_model.state_dict())
        image = CLIPVisionModelWithProjection(clip.config.vision_config)
        image.vision_model.load_state_dict(clip.vision_model.state_dict())
        image.visual_projection.load_state_dict(clip.visual_projection.state_dict())
        copy_parts(self.base, folder)
        text.save_pretrained(folder / "text_encoder")
        image.save_pretrained(folder / "image_encoder")
        self.tokenizer.save_pretrained(folder / "tokenizer")
        tiny.feature_extractor().save_pretrained(folder / "feature_extractor")


def train_clip(recipe: ClipRecipe, sources: Sources, run: RunSettings) -> Path:
    """Train the small CLIP; returns the folder of the exported model. `sources.initial` holds the VAE."""
    torch.manual_seed(run.seed)
    tokenizer = tiny.tokenizer(captions(sources.data))
    vae = AutoencoderKL.from_pretrained(sources.base() / "vae")
    encoder = PairEncoder(vae, tokenizer, recipe.size, tiny.IMAGE_ENCODER_SIZE, encoding_device(run))
    pairs = open_run_pairs(sources, run, recipe.size)
    data, unseen = (prepare(part, encoder, sources.cache) for part in (pairs.training, pairs.unseen))
    task = ClipTask(data, unseen, tokenizer, sources.base())
    return train(task, recipe.optimization, run, recipe, pairs.description)


def captions(source: str, count: int = 4000) -> Iterator[str]:
    """Captions to learn the tokenizer from: of the first pairs, drawn small, and IGR's category prompts."""
    pairs = open_pairs(source, size=(64, 48))
    for index in range(min(count, len(pairs))):
        pair = pairs[index]
        yield from (pair.caption, pair.garment_caption)
    for _ in range(100):
        yield from CATEGORY_PROMPTS.values()
