"""A small AnyDressing with random weights, and outfits for it."""

import torch
from diffusers import DDIMScheduler
from tests.small_models import IMAGE, LATENT, TEXT, small_unet

from toile.anydressing.garments_net import GarmentsNet
from toile.anydressing.model import AnyDressingModel
from toile.diffusion.image_prompt import LowLevelExtractor
from toile.diffusion.stable_diffusion import sd15_scheduler

KINDS = ("upper", "lower", "hat")


def shake(module: torch.nn.Module, seed: int = 0) -> None:
    """Change every weight, as some training does."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.05 * torch.randn(parameter.shape, generator=generator)


def small_garments_net(rank: int = 3, *, separate: bool = True, layers: int = 1) -> GarmentsNet:
    """A GarmentsNet whose kinds all differ."""
    net = GarmentsNet.from_unet(small_unet(layers=layers), KINDS, rank, separate)
    shake(net)
    return net.eval()


def small_anydressing(trained: str = "lora", *, separate: bool = True) -> AnyDressingModel:
    """An AnyDressing whose parts all differ; its U-Net is frozen and that of `small_unet(seed=1)`."""
    model = AnyDressingModel.from_base(small_unet(seed=1), KINDS, 3, separate, trained)
    for part in (model.garments_net, model.dressing_attention):
        shake(part)
    return model.eval()


def small_image_prompt() -> AnyDressingModel:
    """The baseline that reads a few tokens a garment."""
    unet = small_unet(seed=1)
    extractor = LowLevelExtractor.from_unet(unet, IMAGE)
    shake(extractor)
    return AnyDressingModel(unet, None, None, extractor).eval()


def batch_of(present: list[list[bool]], size: tuple[int, int] = (8, 6), seed: int = 1):
    """A batch in training, whose rows have the garments that `present` says."""
    rows, kinds = len(present), len(present[0])
    draw = torch.Generator().manual_seed(seed)
    given = torch.tensor(present)
    return {
        "person_latents": torch.randn(rows, LATENT, *size, generator=draw),
        "garment_latents": torch.randn(rows, kinds, LATENT, *size, generator=draw)
        * given[:, :, None, None, None],
        "present": given,
        "prompt_embeds": torch.randn(rows, 5, TEXT, generator=draw),
        "null_prompt_embeds": torch.randn(1, 5, TEXT, generator=draw),
        "image_embeds": torch.randn(rows, kinds, IMAGE, generator=draw),
    }


def ddim(steps: int) -> DDIMScheduler:
    """DDIM of Stable Diffusion 1.5, set to a few steps."""
    scheduler = sd15_scheduler()
    scheduler.set_timesteps(steps)
    return scheduler


def relative(found: torch.Tensor, expected: torch.Tensor) -> float:
    """The greatest difference in units of the greatest value."""
    return float((found - expected).abs().max() / expected.abs().max())
