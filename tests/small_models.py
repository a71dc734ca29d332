"""Real models with a handful of channels, for tests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import jaxtyping
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from toile.diffusion.optimization import Optimization
from toile.training.optimizers import make_optimizers

LATENT, TEXT, IMAGE = 4, 16, 12


def small_unet(seed: int = 0, in_channels: int = LATENT, layers: int = 1) -> UNet2DConditionModel:
    """Stable Diffusion's blocks at three resolutions, the lowest without attention, as in SD 1.5."""
    torch.manual_seed(seed)
    unet = UNet2DConditionModel(
        sample_size=8,
        in_channels=in_channels,
        out_channels=LATENT,
        block_out_channels=(16, 32, 32),
        layers_per_block=layers,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=TEXT,
        attention_head_dim=2,
        norm_num_groups=8,
    )
    return unet.eval()


def unet_inputs(batch: int = 2, size: tuple[int, int] = (8, 8), channels: int = LATENT, seed: int = 1):
    """Latents, timesteps and text embeddings."""
    generator = torch.Generator().manual_seed(seed)
    latents = torch.randn(batch, channels, *size, generator=generator)
    return latents, torch.full((batch,), 300), torch.randn(batch, 5, TEXT, generator=generator)


def overfit(model: nn.Module, loss: Callable[[], Tensor], steps: int = 100) -> None:
    """Train all that trains until it knows its few examples by heart; only its first step is type-checked."""
    settings = Optimization(steps=steps, batch_size=1, learning_rate=3e-3, optimizer="muon")
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizers = make_optimizers(settings, trained, torch.device("cpu"))
    for step in range(steps):
        with unchecked() if step else nullcontext():
            model.zero_grad()
            loss().backward()
            for optimizer in optimizers:
                optimizer.step()


@contextmanager
def unchecked() -> Iterator[None]:
    """Check no annotations: for what was checked once and is repeated so often that it costs most."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)
