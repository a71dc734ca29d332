"""What training reads: pairs encoded once, ahead of it, so that no step waits for a picture.

L: text length, D: width of its embeddings, E: of the image encoder's.
"""

import hashlib
import shutil
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from diffusers import AutoencoderKL
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection

from toile.data.latent_cache import Encodings, open_encodings
from toile.data.readable import ReadablePairs
from toile.data.record import CATEGORIES, GarmentPair
from toile.data.tensors import pair_tensors
from toile.data.warp_points import points_in_cells
from toile.diffusion.image_prompt import garment_crop
from toile.diffusion.system_pipeline import pixels_per_latent
from toile.igr.model import latent_mask
from toile.training.settings import RunSettings
from toile.wardrobe import hash_weights

FORMAT = 5
"""Raise it when the fields of an encoded pair change: older caches are then encoded anew."""


def to_signed(picture: UInt8[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """Bytes to the range [-1, 1]."""
    return picture.float() / 127.5 - 1


class PairEncoder:
    """Encodes pairs for every training of a base model or of a system.

    Fields of the result, for B pairs (h, w: latent size; S: the image encoder's side; L: text length):
        person_latents, garment_latents: (B, C, h, w) float16, times the VAE's scaling factor.
        mask: (B, 1, h, w) uint8, 255 where the garment is (the agnostic mask, see `latent_mask`).
        person_view, garment_view, crop_view: (B, 3, S, S) float16, as CLIP wants them; the crop is IGR's p_g.
        caption, garment_caption: (B, L) int64 token numbers of the person's and of the garment's caption.
        category: (B,) int64, the index in `CATEGORIES`.
        points: (B, h, w, 2) float16, for each latent pixel of the flat garment x, y of the same point in the
            photo, in [0, 1]; NaN where there is none or it is not known (`GarmentPair.points`).
        crop_embeds: (B, E) float32, with an image encoder: its embedding of `crop_view`.
        caption_embeds, garment_caption_embeds: (B, L, D) float16, with a text encoder.
    """

    def __init__(
        self,
        vae: AutoencoderKL,
        tokenizer: CLIPTokenizer,
        size: tuple[int, int],
        view_size: int,
        device: str = "cpu",
        *,
        image_encoder: CLIPVisionModelWithProjection | None = None,
        text_encoder: CLIPTextModel | None = None,
    ) -> None:
        """Keep the frozen parts; `size` is (height, width), `view_size` the image encoder's side.

        Without encoders of pictures and texts, their embeddings are left out.
        """
        self.vae = frozen_vae(vae, device)
        self.tokenizer, self.size, self.view_size, self.device = tokenizer, size, view_size, device
        self.image_encoder = None if image_encoder is None else image_encoder.to(device).eval()
        self.text_encoder = None if text_encoder is None else text_encoder.to(device).eval()

    def key(self, pairs: str) -> str:
        """What the encodings depend on, as one short text; `pairs` is the fingerprint of what is encoded."""
        vocabulary = sorted(self.tokenizer.get_vocab().items())
        frozen = [part for part in (self.vae, self.image_encoder, self.text_encoder) if part is not None]
        weights = [hash_weights(part) for part in frozen]
        parts = (pairs, self.size, self.view_size, weights, vocabulary, FORMAT)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    @torch.no_grad()
    def __call__(self, pairs: list[GarmentPair]) -> dict[str, Tensor]:
        """Encode a batch of pairs; see the class for the fields."""
        tensors = [pair_tensors(pair, self.size) for pair in pairs]
        person, garment, mask = (
            torch.stack([item[name] for item in tensors]).to(self.device)
            for name in ("person", "garment", "mask")
        )
        person, garment, mask = to_signed(person), to_signed(garment), mask.float() / 255
        encoded = {
            "person_latents": self.latents(person),
            "garment_latents": self.latents(garment),
            "mask": (latent_mask(mask, latent_size(self.vae, self.size)) * 255).round().byte().cpu(),
            "person_view": self._view(person, torch.ones_like(mask)),
            "garment_view": self._view(garment, torch.ones_like(mask)),
            "crop_view": self._view(person, mask),
            "caption": self._tokens([pair.caption for pair in pairs]),
            "garment_caption": self._tokens([pair.garment_caption for pair in pairs]),
            "category": torch.tensor([CATEGORIES.index(pair.category) for pair in pairs]),
            "points": torch.stack([self._points(pair) for pair in pairs]),
        }
        return encoded | self._embeddings(encoded)

    def _embeddings(self, encoded: dict[str, Tensor]) -> dict[str, Tensor]:
        """What the frozen encoders say of the crops and the captions."""
        embeddings = {}
        if self.image_encoder is not None:
            views = encoded["crop_view"].to(self.device, self.image_encoder.dtype)
            embeddings["crop_embeds"] = self.image_encoder(views).image_embeds.float().cpu()
        if self.text_encoder is not None:
            for name in ("caption", "garment_caption"):
                tokens = encoded[name].to(self.device)
                embeddings[f"{name}_embeds"] = embed_texts(self.text_encoder, tokens).half().cpu()
        return embeddings

    def latents(self, pictures: Float[Tensor, "B 3 H W"]) -> Tensor:
        """The pictures' latents, (B, C, h, w) float16 on the CPU."""
        return encode_latents(self.vae, pictures).half().cpu()

    def _view(self, picture: Float[Tensor, "B 3 H W"], mask: Float[Tensor, "B 1 H W"]) -> Tensor:
        return garment_crop(picture, mask, self.view_size).half().cpu()

    def _points(self, pair: GarmentPair) -> Float[Tensor, "h w 2"]:
        points = points_in_cells(pair.points, self.size, latent_size(self.vae, self.size))
        return torch.from_numpy(points).half()

    def _tokens(self, captions: list[str]) -> Tensor:
        encoded = self.tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt")
        tokens: Tensor = encoded.input_ids
        return tokens.long()


def frozen_vae(vae: AutoencoderKL, device: str) -> AutoencoderKL:
    """A VAE that only encodes, with the channels last: twice as quick on a CPU."""
    frozen: AutoencoderKL = vae.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)
    return frozen


def latent_size(vae: AutoencoderKL, size: tuple[int, int]) -> tuple[int, int]:
    """(h, w) of the latents of pictures of (H, W)."""
    scale = pixels_per_latent(vae)
    return size[0] // scale, size[1] // scale


def encode_latents(vae: AutoencoderKL, pictures: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
    """The mode of a VAE's posterior times its scaling factor, computed in bfloat16, given in float32."""
    with torch.autocast(pictures.device.type, dtype=torch.bfloat16):
        mode = vae.encode(pictures.contiguous(memory_format=torch.channels_last)).latent_dist.mode()
    latents: Tensor = mode.float() * vae.config.scaling_factor
    return latents


@torch.no_grad()
def embed_texts(encoder: CLIPTextModel, tokens: Int[Tensor, "B L"]) -> Float[Tensor, "B L D"]:
    """The text encoder's last hidden states, in float32."""
    parts = [encoder(part).last_hidden_state for part in tokens.split(256)]
    return torch.cat(parts).float()


@runtime_checkable
class Encoder(Protocol):
    """Turns pairs into tensors whose first axis runs over them."""

    def key(self, pairs: str) -> str:
        """What the encodings depend on; `pairs` is a fingerprint."""
        ...

    def __call__(self, pairs: list[GarmentPair]) -> dict[str, Tensor]:
        """Encode a batch."""
        ...


def prepare(pairs: ReadablePairs, encoder: Encoder, folder: Path | None) -> Encodings:
    """The encoded pairs, read from `folder` or encoded into it now; without a folder, encoded when needed."""
    key = "" if folder is None else encoder.key(pairs.fingerprint())  # it reads all weights
    return open_encodings(pairs, encoder, folder, key)


def encoding_device(run: RunSettings) -> str:
    """Where pairs are encoded ahead: where the run trains."""
    return run.device or ("cuda" if torch.cuda.is_available() else "cpu")


def copy_parts(base: Path, folder: Path) -> None:
    """Take the parts of an earlier training along, so that each export holds all that was trained so far."""
    for part in sorted(path for path in base.iterdir() if path.is_dir()):
        shutil.copytree(part, folder / part.name)
