"""Garment-Enhanced Texture Learning: a picture is guessed in one step, its garments are compared in pixels.

Legend: `B` rows of a batch, `R` those of them that count, `K` kinds of garment, `P` garments of all rows, `C`
latent channels, `h w` latent pixels, `H W` pixels.
"""

from collections.abc import Callable

import cv2
import numpy as np
import torch
from diffusers import DDIMScheduler
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from toile.errors import ToileError

Decode = Callable[[Tensor], Tensor]
"""From latents (B, C, h, w) to pictures (B, 3, H, W) in [-1, 1], differentiable."""
Distance = Callable[[Tensor, Tensor], Tensor]
"""From two batches of pictures (B, 3, H, W) in [0, 1] to how far they lie apart (B,), differentiable."""
CANNY_THRESHOLDS = (100, 200)
"""Gradients above the second are edges, and so are those above the first that touch one. Ours."""


def predicted_original(
    noisy: Float[Tensor, "B C h w"],
    prediction: Float[Tensor, "B C h w"],
    timesteps: Int[Tensor, "B"],
    scheduler: DDIMScheduler,
) -> Float[Tensor, "B C h w"]:
    """Guess the clean latents in one step, in float32.

    Source: AnyDressing, Eq. 10: ẑ₀ = (z_t − √(1−α_t) ε_θ) / √α_t, α_t = the scheduler's `alphas_cumprod`,
    z_t = `noisy`, ε_θ = `prediction`. Ours: a model of the velocity v gives ẑ₀ = √α_t z_t − √(1−α_t) v, which
    is the same for the noise that v stands for, and holds where α_t is 0.

    Raises:
        ToileError: when the scheduler's model predicts something else.
    """
    signals: Tensor = scheduler.alphas_cumprod.to(noisy.device)
    signal = signals[timesteps][:, None, None, None]  # (B 1 1 1)
    kind = scheduler.config["prediction_type"]
    if kind == "epsilon":
        return (noisy.float() - (1 - signal).sqrt() * prediction.float()) / signal.sqrt()
    if kind == "v_prediction":
        return signal.sqrt() * noisy.float() - (1 - signal).sqrt() * prediction.float()
    raise ToileError(f"prediction_type is {kind!r}; use a scheduler with epsilon or v_prediction")


def canny_edges(pictures: UInt8[Tensor, "B 3 H W"]) -> Float[Tensor, "B 1 H W"]:
    """Find the edges of RGB pictures: 1 on an edge, else 0.

    Source: AnyDressing, Section 4.3, the edge map P of Eq. 13. Ours: OpenCV's Canny with `CANNY_THRESHOLDS`;
    at each pixel the colour with the strongest gradient decides, so that colours of equal brightness have
    edges too.
    """
    found = [cv2.Canny(np.ascontiguousarray(each), *CANNY_THRESHOLDS) for each in _channels_last(pictures)]
    edges = torch.from_numpy(np.stack(found))[:, None]  # (B 1 H W)
    return edges.to(pictures.device).float() / 255


def _channels_last(pictures: Tensor) -> np.ndarray:
    pixels: np.ndarray = pictures.movedim(1, -1).cpu().numpy()  # (B H W 3)
    return pixels


def perception_loss(
    drawn: Float[Tensor, "R 3 H W"],
    true: Float[Tensor, "R 3 H W"],
    worn: Float[Tensor, "R K H W"],
    present: Bool[Tensor, "R K"],
    distance: Distance,
) -> Float[Tensor, "R"]:
    """Compare texture and structure of each garment, all else in black.

    Source: AnyDressing, Eq. 12: the mean over garments of DISTS(Î ⊙ M_k, I ⊙ M_k), Î = `drawn`, I = `true`,
    M_k = `worn`. In float32, whatever the rest is computed in: DISTS takes variances.

    Args:
        drawn: RGB in [0, 1], as far as it was drawn there. Ours: not clipped, for gradients' sake.
        true: RGB in [0, 1].
        worn: 1 where the garment of kind k is worn, else 0.
        present: which kinds a row wears; at least one.
        distance: DISTS, or a formula like it.
    """
    rows, kinds = present.nonzero(as_tuple=True)  # (P) each
    masks = worn[rows, kinds][:, None].float()  # (P 1 H W)
    with torch.autocast(drawn.device.type, enabled=False):
        apart = distance(drawn.float()[rows] * masks, true.float()[rows] * masks)  # (P)
    total = apart.new_zeros(len(drawn)).index_add(0, rows, apart)  # (R)
    return total / present.sum(1)


def high_frequency_loss(
    drawn: Float[Tensor, "R 3 H W"],
    true: Float[Tensor, "R 3 H W"],
    worn: Float[Tensor, "R K H W"],
    present: Bool[Tensor, "R K"],
    edges: Float[Tensor, "R 1 H W"],
) -> Float[Tensor, "R"]:
    """Compare each garment where its picture has edges.

    Source: AnyDressing, Eq. 13: the mean over garments of ‖Î ⊙ M'_k − I ⊙ M'_k‖₂, M'_k = M_k ⊙ P,
    Î = `drawn`, I = `true`, M_k = `worn`, P = `edges`. Ours: ‖·‖₂ is the mean squared error of all pixels of
    the picture, edges or not, of colours in [0, 1].

    Args:
        drawn: RGB in [0, 1], as far as it was drawn there.
        true: RGB in [0, 1].
        worn: 1 where the garment of kind k is worn, else 0.
        present: which kinds a row wears; at least one.
        edges: 1 on the edges of `true`, else 0.
    """
    error = (drawn.float() - true.float()).square().mean(1, keepdim=True)  # (R 1 H W)
    each = (error * (worn.float() * edges).square()).mean(dim=(2, 3))  # (R K)
    return (each * present).sum(1) / present.sum(1)


def texture_loss(
    estimate: Float[Tensor, "B C h w"],
    timesteps: Int[Tensor, "B"],
    picture: UInt8[Tensor, "B 3 H W"],
    worn: UInt8[Tensor, "B K H W"],
    present: Bool[Tensor, "B K"],
    *,
    decode: Decode,
    distance: Distance,
    threshold: int,
) -> Float[Tensor, ""]:
    """Compare the garments of the pictures that are guessed from latents with hardly any noise.

    Source: AnyDressing, Eq. 11: L_perc + L_high-freq where t ≤ η, else 0. Ours: the mean over all rows; those
    that count nothing are not even decoded.

    Args:
        estimate: ẑ₀ (`predicted_original`).
        timesteps: t of each row.
        picture: the photo.
        worn: 255 where the garment of kind k is worn in it.
        present: which kinds a row owns; a row that owns none, as after a drop, counts nothing.
        decode: the VAE's decoder.
        distance: DISTS, or a formula like it.
        threshold: η.

    Raises:
        ToileError: when the decoder's pictures are not of the photos' size.
    """
    rows = ((timesteps <= threshold) & present.any(1)).nonzero().flatten()  # (R)
    if not len(rows):
        return estimate.new_zeros((), dtype=torch.float32)
    drawn = (decode(estimate[rows]).float() + 1) / 2  # (R 3 H W)
    photos = picture[rows]
    if drawn.shape != photos.shape:
        raise ToileError(
            f"the decoder draws {drawn.shape[-1]}×{drawn.shape[-2]} pixels, but the photos have "
            f"{photos.shape[-1]}×{photos.shape[-2]}; give the photos at the size that was encoded"
        )
    true, masks, wears = photos.float() / 255, worn[rows].float() / 255, present[rows]
    perception = perception_loss(drawn, true, masks, wears, distance)  # (R)
    high_frequency = high_frequency_loss(drawn, true, masks, wears, canny_edges(photos))  # (R)
    return (perception + high_frequency).sum() / len(estimate)
