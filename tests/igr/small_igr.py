"""A small IGR with random weights, and photos for it."""

import torch
from tests.small_models import IMAGE, LATENT, TEXT, small_unet

from toile.igr.model import IGRModel


def small_igr(seed: int = 0, *, garment_net: bool = True) -> IGRModel:
    """An IGR whose parts all differ, as after some training."""
    model = IGRModel.from_base(small_unet(seed), IMAGE, garment_net=garment_net)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn(parameter.shape, generator=generator)
    return model.eval()


def photos(batch: int = 2, size: tuple[int, int] = (8, 6), seed: int = 1) -> dict[str, torch.Tensor]:
    """Latents of photos and of garments, masks and embeddings, at random."""
    draw = torch.Generator().manual_seed(seed)
    return {
        "person_latents": torch.randn(batch, LATENT, *size, generator=draw),
        "garment_latents": torch.randn(batch, LATENT, *size, generator=draw),
        "mask": (torch.rand(batch, 1, *size, generator=draw) > 0.5).float(),
        "prompt_embeds": torch.randn(batch, 5, TEXT, generator=draw),
        "null_prompt_embeds": torch.randn(1, 5, TEXT, generator=draw),
        "image_embeds": torch.randn(batch, IMAGE, generator=draw),
    }


def encode(model: IGRModel, batch: dict[str, torch.Tensor], rows: slice = slice(None)):
    """Encode the photos of a batch."""
    names = ("person_latents", "mask", "prompt_embeds", "image_embeds")
    return model.encode(*(batch[name][rows] for name in names))
