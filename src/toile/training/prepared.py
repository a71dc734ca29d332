"""What training reads: pairs encoded once, ahead of it, so that no step waits for a picture."""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from jaxtyping import Float, UInt8
from torch import Tensor
from transformers import CLIPTokenizer

from toile.data.curation import CuratedPairs
from toile.data.latent_cache import LatentCache, is_complete, write_cache
from toile.data.open import open_pairs
from toile.data.record import CATEGORIES, GarmentPair
from toile.data.tensors import pair_tensors
from toile.diffusion.image_prompt import garment_crop
from toile.igr.model import latent_mask
from toile.training.settings import RunSettings
from toile.wardrobe import hash_weights

FORMAT = 3
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
    """

    def __init__(
        self,
        vae: AutoencoderKL,
        tokenizer: CLIPTokenizer,
        size: tuple[int, int],
        view_size: int,
        device: str = "cpu",
    ) -> None:
        """Keep the frozen parts; `size` is (height, width), `view_size` the image encoder's side."""
        # channels last: twice as quick on a CPU
        self.vae = vae.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)
        self.tokenizer, self.size, self.view_size, self.device = tokenizer, size, view_size, device

    def key(self, source: str) -> str:
        """What the encodings depend on, as one short text."""
        vocabulary = sorted(self.tokenizer.get_vocab().items())
        parts = (source, self.size, self.view_size, hash_weights(self.vae), vocabulary, FORMAT)
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
        return {
            "person_latents": self.latents(person),
            "garment_latents": self.latents(garment),
            "mask": (latent_mask(mask, self._latent_size()) * 255).round().byte().cpu(),
            "person_view": self._view(person, torch.ones_like(mask)),
            "garment_view": self._view(garment, torch.ones_like(mask)),
            "crop_view": self._view(person, mask),
            "caption": self._tokens([pair.caption for pair in pairs]),
            "garment_caption": self._tokens([pair.garment_caption for pair in pairs]),
            "category": torch.tensor([CATEGORIES.index(pair.category) for pair in pairs]),
        }

    def latents(self, pictures: Float[Tensor, "B 3 H W"]) -> Tensor:
        """The mode of the VAE's posterior times its scaling factor, (B, C, h, w) float16 on the CPU."""
        with torch.autocast(self.device, dtype=torch.bfloat16):
            mode = self.vae.encode(pictures).latent_dist.mode()
        latents: Tensor = mode.float() * self.vae.config.scaling_factor
        return latents.half().cpu()

    def _view(self, picture: Float[Tensor, "B 3 H W"], mask: Float[Tensor, "B 1 H W"]) -> Tensor:
        return garment_crop(picture, mask, self.view_size).half().cpu()

    def _latent_size(self) -> tuple[int, int]:
        scale = 2 ** (len(self.vae.config.block_out_channels) - 1)
        return self.size[0] // scale, self.size[1] // scale

    def _tokens(self, captions: list[str]) -> Tensor:
        encoded = self.tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt")
        tokens: Tensor = encoded.input_ids
        return tokens.long()


def prepare(
    source: str, encoder: PairEncoder, folder: Path, *, curate: bool = False, pad_extremes: bool = False
) -> LatentCache:
    """The encoded pairs of `source` (see `open_pairs`), read from `folder` or encoded into it now.

    With `curate`, only the pairs that are not hard (see `CuratedPairs`).
    """
    key = encoder.key(f"{source} curated, {pad_extremes=}" if curate else source)
    if is_complete(folder / key):
        return LatentCache(folder / key)
    pairs: Sequence[GarmentPair] = open_pairs(source, size=encoder.size)
    if curate:
        pairs = CuratedPairs(pairs, encoder.size, pad_extremes=pad_extremes)
    return write_cache(folder / key, pairs, encoder, key=key)


def encoding_device(run: RunSettings) -> str:
    """Where pairs are encoded ahead: where the run trains."""
    return run.device or ("cuda" if torch.cuda.is_available() else "cpu")


def copy_parts(base: Path, folder: Path) -> None:
    """Take the parts of an earlier training along, so that each export holds all that was trained so far."""
    for part in sorted(path for path in base.iterdir() if path.is_dir()):
        shutil.copytree(part, folder / part.name)
