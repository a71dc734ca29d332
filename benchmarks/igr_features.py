"""What does F_hl still say of the photo? How well GarmNet's hidden states give back the latents it was shown.

    python -m benchmarks.igr_features tiny
    python -m benchmarks.igr_features tiny --fresh

For each layer that has the latents' own resolution, a ridge regression from the hidden state of a position to
the latent pixel there, within the mask, is fitted on three quarters of the photos and judged on the others.
R² is 1 where the latents can be read off, and 0 where the layer says nothing of them that a mean does not:
whatever GarmDenoiser then attends to, it cannot draw the garment's texture from it. `--fresh` measures a new
copy of the model's own U-Net instead, as GarmNet is one when its training starts.
"""

from dataclasses import dataclass

import torch
import tyro
from benchmarks.igr_quality import FIRST_UNSEEN, SIZE
from jaxtyping import Bool, Float
from torch import Tensor

from toile.data.doll_pairs import DollPairs
from toile.data.tensors import pair_tensors
from toile.diffusion.reference import encode_hidden_states
from toile.errors import ToileError
from toile.igr.model import latent_mask, with_mask_channel
from toile.igr.pipeline import IGRPipeline
from toile.training.prepared import to_signed

RIDGE = 1e-3
"""Weight of the penalty, relative to the features' mean square."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which model is looked into, and how."""

    model: tyro.conf.Positional[str]
    """`tiny`, a folder or a hub name."""
    size: tuple[int, int] = SIZE
    """Height and width that the model was trained at."""
    count: int = 64
    """Unseen dolls, half of them in the street."""
    fresh: bool = False
    """Look into the copy of the model's U-Net, not into GarmNet."""


@torch.no_grad()
def measured(settings: Settings) -> dict[str, float]:
    """R² by the layer's module path.

    Raises:
        ToileError: when the model has no GarmNet.
    """
    pipeline = IGRPipeline.from_pretrained(settings.model)
    net = with_mask_channel(pipeline.unet) if settings.fresh else pipeline.garment_net
    if net is None:
        raise ToileError(f"{settings.model} has no GarmNet; there is nothing to look into")
    pairs = DollPairs(FIRST_UNSEEN, settings.count, mode="mixed", size=settings.size)
    tensors = [pair_tensors(pair, settings.size) for pair in pairs]
    photos = to_signed(torch.stack([item["person"] for item in tensors]))  # (B 3 H W)
    latents = torch.cat([pipeline.encode_pictures(photo[None]) for photo in photos])  # (B C h w)
    masks = torch.stack([item["mask"] for item in tensors]).float() / 255  # (B 1 H W)
    mask = latent_mask(masks, (latents.shape[-2], latents.shape[-1]))
    states = encode_hidden_states(
        net,
        torch.cat([latents, mask], dim=1),
        torch.zeros(len(latents), dtype=torch.long),
        pipeline.encode_categories([pair.category for pair in pairs]),
    )
    wanted = latents.flatten(2).transpose(1, 2)  # (B N C)
    inside = mask.flatten(1) > 0.5  # (B N)
    finest = {name: tokens for name, tokens in states.items() if tokens.shape[1] == wanted.shape[1]}
    return {name: explained(tokens, wanted, inside) for name, tokens in finest.items()}


def explained(
    features: Float[Tensor, "B N c"], wanted: Float[Tensor, "B N C"], inside: Bool[Tensor, "B N"]
) -> float:
    """R² of a ridge regression, fitted on the first three quarters of the items and judged on the others."""
    split = len(features) * 3 // 4
    ones = torch.ones(*features.shape[:2], 1)
    known = torch.cat([features, ones], dim=-1).double()  # (B N c+1)
    seen, unseen = inside[:split], inside[split:]
    x, y = known[:split][seen], wanted[:split][seen].double()
    penalty = RIDGE * len(x) * x.square().mean() * torch.eye(x.shape[1], dtype=x.dtype)
    weights = torch.linalg.solve(x.T @ x + penalty, x.T @ y)  # (c+1 C)
    truth = wanted[split:][unseen].double()
    error = (known[split:][unseen] @ weights - truth).square().mean()
    return float(1 - error / (truth - y.mean(dim=0)).square().mean())


def main(settings: Settings) -> None:
    print("| layer | R² |\n| --- | --- |")
    for name, value in measured(settings).items():
        print(f"| {name} | {value:.2f} |")


if __name__ == "__main__":
    main(tyro.cli(Settings, description=__doc__))
