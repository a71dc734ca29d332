"""What a step of TWGTM reads: a pair's pictures, and what frozen networks say of them, computed once.

B: batch, C: latent channels, h ww: latent pixels of both panels, P tokens of the image encoder and c their
width, E: width of its embedding.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from toile.data.latent_cache import Encodings
from toile.data.record import CATEGORIES, GarmentPair
from toile.data.tensors import pair_tensors
from toile.data.warp_points import points_in_cells, unknown_points
from toile.training.prepared import encode_latents, frozen_vae, to_signed
from toile.twgtm.panels import Panels, panels, stage1_repaint
from toile.twgtm.parts import TWGTMParts
from toile.twgtm.recipes import Tasks
from toile.twgtm.reference import look_at
from toile.wardrobe import hash_weights

FORMAT = 1
"""Raise it when the fields of an encoded pair change."""
DIRECTIONS = ("try_on", "take_off")
FIELDS = ("target_latents", "guidance_latents", "clip_tokens", "clip_embeds")

Batch = dict[str, Tensor]


class TwoWayEncoder:
    """Encodes pairs for both directions.

    Fields of the result, each with `try_on_` and `take_off_` before it, all float16:
        target_latents: (B, C, h, ww), of h_i.
        guidance_latents: (B, C, h, ww), of h_f; taking off in stage 2 it depends on a rectangle that is drawn
            in the step, and is left out.
        clip_tokens, clip_embeds: (B, P, c) and (B, E), what the image encoder says of the reference.
    """

    def __init__(self, parts: TWGTMParts, size: tuple[int, int], stage: int, device: str = "cpu") -> None:
        """Keep the frozen parts; `size` is (height, width) of one panel."""
        self.vae = frozen_vae(parts.vae, device)
        self.image_encoder = parts.image_encoder.to(device).eval().requires_grad_(False)
        self.feature_extractor = parts.feature_extractor
        self.size, self.stage, self.device = size, stage, device

    def key(self, pairs: str) -> str:
        """What the encodings depend on, as one short text; `pairs` is the fingerprint of what is encoded."""
        weights = hash_weights(self.vae), hash_weights(self.image_encoder)
        parts = ("two ways", pairs, self.size, self.stage, weights, FORMAT)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    @torch.no_grad()
    def __call__(self, pairs: list[GarmentPair]) -> Batch:
        """Encode a batch of pairs; see the class for the fields."""
        tensors = [pair_tensors(pair, self.size) for pair in pairs]
        given = {name: torch.stack([item[name] for item in tensors]).to(self.device) for name in tensors[0]}
        person, garment = to_signed(given["person"]), to_signed(given["garment"])  # (B 3 H W)
        repaint = {
            "try_on": given["mask"].float() / 255,
            "take_off": stage1_repaint(given["silhouette"].float() / 255),
        }
        pictures = {"try_on": (person, garment), "take_off": (garment, person)}  # target, reference
        encoded: Batch = {}
        for way in DIRECTIONS:
            made = panels(*pictures[way], repaint[way])
            encoded |= {f"{way}_{name}": value for name, value in self._encode(way, made).items()}
            tokens, embeds = look_at(pictures[way][1], self.image_encoder, self.feature_extractor)
            encoded |= {f"{way}_clip_tokens": tokens, f"{way}_clip_embeds": embeds}
        return {name: value.half().cpu() for name, value in encoded.items()}

    def _encode(self, way: str, made: Panels) -> Batch:
        latents = {} if made.pictures is None else {"target_latents": encode_latents(self.vae, made.pictures)}
        if way == "try_on" or self.stage == 1:
            latents["guidance_latents"] = encode_latents(self.vae, made.guidance)
        return latents


class TwoWayPairs(Dataset[Batch]):
    """Every pair twice, once for each direction, or once, for one of them."""

    def __init__(
        self,
        pairs: Sequence[GarmentPair],
        size: tuple[int, int],
        tasks: Tasks = "both",
        encodings: Encodings | None = None,
        points_at: tuple[int, int] | None = None,
    ) -> None:
        """Wrap pairs, fitted to `size` (height, width), and perhaps what `TwoWayEncoder` made of them.

        With `points_at`, a panel's (h, w) in latent pixels, each item also knows where its points lie.
        """
        self.pairs, self.size, self.tasks = pairs, size, tasks
        self.encodings, self.points_at = encodings, points_at

    def __len__(self) -> int:
        """The number of pairs, times two for both directions."""
        return len(self.pairs) * (2 if self.tasks == "both" else 1)

    def __getitem__(self, index: int) -> Batch:
        """The pair's pictures (uint8), its category's number, whether the garment is taken off, encodings.

        And, if asked for, `points` (h, 2 w, 2): where in the reference's panel the target's lie (see
        `Correspondence`).
        """
        number, off = divmod(index, 2) if self.tasks == "both" else (index, self.tasks == "take_off")
        pair = self.pairs[number]
        return {
            **pair_tensors(pair, self.size),
            "category": torch.tensor(CATEGORIES.index(pair.category)),
            "taking_off": torch.tensor(bool(off)),
            **self._points(pair, bool(off)),
            **self._encoded(number, DIRECTIONS[int(off)]),
        }

    def _points(self, pair: GarmentPair, off: bool) -> Batch:
        """Points of the canvas: the target's panel is its left half, the reference's its right one."""
        if self.points_at is None:
            return {}
        target = points_in_cells(pair.points, self.size, self.points_at, back=not off)
        canvas = np.concatenate([target, unknown_points(self.points_at)], axis=1)
        canvas[..., 0] = 0.5 + canvas[..., 0] / 2
        return {"points": torch.from_numpy(canvas)}

    def _encoded(self, number: int, way: str) -> Batch:
        """One direction's encodings, in float32; zeros hold the place of what the step has to encode."""
        if self.encodings is None:
            return {}
        row = self.encodings[number]
        fields = {name: row[f"{way}_{name}"].float() for name in FIELDS if f"{way}_{name}" in row}
        return {"guidance_latents": torch.zeros_like(fields["target_latents"]), **fields}
