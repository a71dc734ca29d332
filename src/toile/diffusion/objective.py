"""What the systems' training objectives share: the loss of a denoiser, and the drop of its conditions.

Legend: `B` batch, `C` latent channels, `h w` latent pixels.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional


def denoising_loss(
    prediction: Float[Tensor, "B C h w"], target: Float[Tensor, "B C h w"]
) -> Float[Tensor, ""]:
    """Compare what was predicted with what should have been, in float32.

    Source: IGR, Eq. 1, and TWGTM, Eq. 14 and 16: ‖ε − ε_θ(z_t, t, ...)‖², `target` = ε, `prediction` = ε_θ.
    Ours: the mean of all values.
    """
    return functional.mse_loss(prediction.float(), target.float())


def drop_conditions(count: int, probability: float, generator: torch.Generator) -> Bool[Tensor, "B"]:
    """Draw which items lose all their conditions together.

    Source: IGR, Section 3.1, "condition drop". Ours: everything that an item is shown besides its own latents
    is dropped together (IGR: text, F_ll and F_hl; TWGTM: F_SAM and F_SRM).
    """
    return torch.rand(count, generator=generator, device=generator.device) < probability


def no_change(model: nn.Module) -> Float[Tensor, ""]:
    """Zero, made of every trained weight: what it is added to has a gradient, of zeros, for all of them."""
    return 0 * torch.stack([weight.sum() for weight in model.parameters() if weight.requires_grad]).sum()
