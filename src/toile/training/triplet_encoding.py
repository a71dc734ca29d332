"""What a step of AnyDressing reads: triplets encoded once, ahead of it, so that no step waits for a picture.

B: batch, K: kinds of garments, C h w: latents, H W: pixels, L D: text, E: width of an image embedding.
"""

import hashlib

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from toile.data.latent_cache import Encodings
from toile.data.tensors import to_tensor
from toile.data.triplets import Triplet
from toile.diffusion.image_prompt import garment_crop
from toile.images import fit, fit_mask
from toile.training.anydressing_start import DressingParts
from toile.training.prepared import embed_texts, encode_latents, frozen_vae, to_signed
from toile.wardrobe import hash_weights

FORMAT = 1
"""Raise it when the fields of an encoded triplet change: older caches are then encoded anew."""
Batch = dict[str, Tensor]


class TripletEncoder:
    """Encodes triplets; the k-th of K places belongs to the k-th kind, garments of other kinds are left out.

    Fields of the result, for B triplets:
        person_latents: (B, C, h, w) float16, times the VAE's scaling factor.
        garment_latents: (B, K, C, h, w) float16, zeros where there is no garment.
        present: (B, K) bool, where there is one.
        worn: (B, K, H, W / 8) uint8, eight pixels a byte (`numpy.packbits`), 1 where it is worn in the photo.
        picture: (B, 3, H, W) uint8, the photo.
        prompt_embeds: (B, L, D) float16, of the photo's caption.
        image_embeds: (B, K, E) float16, with an image encoder: of the garments, zeros where there is none.
    """

    def __init__(
        self, parts: DressingParts, kinds: tuple[str, ...], size: tuple[int, int], device: str = "cpu"
    ) -> None:
        """Keep the frozen parts; `size` is (height, width)."""
        self.vae = frozen_vae(parts.vae, device)
        self.tokenizer, self.text_encoder = parts.tokenizer, parts.text_encoder.to(device).eval()
        self.image_encoder = None if parts.image_encoder is None else parts.image_encoder.to(device).eval()
        self.kinds, self.size, self.device = kinds, size, device

    def key(self, triplets: str) -> str:
        """What the encodings depend on, as one short text; `triplets` is a fingerprint."""
        vocabulary = sorted(self.tokenizer.get_vocab().items())
        frozen = [part for part in (self.vae, self.text_encoder, self.image_encoder) if part is not None]
        weights = [hash_weights(part) for part in frozen]
        parts = ("triplets", triplets, self.kinds, self.size, weights, vocabulary, FORMAT)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    @torch.no_grad()
    def __call__(self, triplets: list[Triplet]) -> Batch:
        """Encode a batch of triplets; see the class for the fields."""
        present = torch.tensor([[kind in triplet.kinds for kind in self.kinds] for triplet in triplets])
        photos = torch.stack([self._fitted(triplet.person) for triplet in triplets])  # (B 3 H W)
        garments = [
            self._fitted(triplet.garment(kind))
            for triplet in triplets
            for kind in self.kinds
            if kind in triplet.kinds
        ]
        pictures = to_signed(torch.stack([*photos, *garments]).to(self.device))  # (B+G 3 H W)
        latents = encode_latents(self.vae, pictures)  # (B+G C h w)
        count = len(triplets)
        encoded = {
            "person_latents": latents[:count],
            "garment_latents": _placed(latents[count:], present),
            "prompt_embeds": self._embed([triplet.caption for triplet in triplets]),
        }
        if self.image_encoder is not None:
            encoded["image_embeds"] = _placed(self._look_at(pictures[count:]), present)
        halved = {name: tensor.half().cpu() for name, tensor in encoded.items()}
        worn = torch.stack([self._worn(triplet) for triplet in triplets])
        return {**halved, "present": present, "worn": worn, "picture": photos}

    def _fitted(self, picture: Image.Image) -> Tensor:
        return to_tensor(fit(picture, self.size)[0])

    def _worn(self, triplet: Triplet) -> Tensor:
        """Where each kind is worn, (K, H, W / 8): without padding, since W is a multiple of 8."""
        regions = np.zeros((len(self.kinds), *self.size), bool)
        for place, kind in enumerate(self.kinds):
            if kind in triplet.kinds:
                regions[place] = np.asarray(fit_mask(triplet.worn(kind), self.size)) > 0
        return torch.from_numpy(np.packbits(regions, axis=-1))

    def _embed(self, captions: list[str]) -> Tensor:
        tokens = self.tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt")
        return embed_texts(self.text_encoder, tokens.input_ids.to(self.device))

    def _look_at(self, garments: Tensor) -> Tensor:
        """The image encoder's embeddings of whole garment pictures, (G, E)."""
        assert self.image_encoder is not None
        if not len(garments):
            return torch.zeros(0, self.image_encoder.config.projection_dim)
        whole = torch.ones_like(garments[:, :1])
        views = garment_crop(garments, whole, self.image_encoder.config.image_size)
        embeds: Tensor = self.image_encoder(views.to(self.image_encoder.dtype)).image_embeds
        return embeds


def _placed(rows: Tensor, present: Tensor) -> Tensor:
    """Garments in their places, (B, K, ...): zeros where there is none."""
    placed = rows.new_zeros(*present.shape, *rows.shape[1:])
    placed[present.to(rows.device)] = rows
    return placed


class DressingTriplets(Dataset[Batch]):
    """What a step reads: `TripletEncoder`'s fields, numbers in float32 and `worn` as (K, H, W), 0 or 255."""

    def __init__(self, triplets: Encodings) -> None:
        """Wrap encoded triplets."""
        self.triplets = triplets

    def __len__(self) -> int:
        """How many."""
        return len(self.triplets)

    def __getitem__(self, index: int) -> Batch:
        """One triplet."""
        item = self.triplets[index]
        worn = np.unpackbits(item["worn"].numpy(), axis=-1) * np.uint8(255)  # (K, H, W)
        floats = {name: tensor.float() for name, tensor in item.items() if tensor.is_floating_point()}
        return {**item, **floats, "worn": torch.from_numpy(worn)}
