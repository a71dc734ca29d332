"""Training the VAE of `tiny` on Paper Dolls: from scratch on crops, then on whole pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import torch
from diffusers import AutoencoderKL
from diffusers.models.resnet import ResnetBlock2D
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import Dataset

from toile.data.record import GarmentPair
from toile.data.tensors import pair_tensors
from toile.diffusion import tiny
from toile.diffusion.recipes import VaeRecipe
from toile.training.loop import train
from toile.training.pairs import RunPairs, open_run_pairs
from toile.training.pictures import tile
from toile.training.prepared import to_signed
from toile.training.settings import RunSettings
from toile.training.sources import Sources


class PairPictures(Dataset[dict[str, Tensor]]):
    """The two pictures of each pair, (2, 3, H, W) uint8: person and flat garment."""

    def __init__(self, pairs: Sequence[GarmentPair], size: tuple[int, int]) -> None:
        """Wrap pairs; pictures are fitted to `size` (height, width)."""
        self.pairs, self.size = pairs, size

    def __len__(self) -> int:
        """The number of pairs."""
        return len(self.pairs)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """The pictures of pair `index`."""
        tensors = pair_tensors(self.pairs[index], self.size)
        return {"pictures": torch.stack([tensors["person"], tensors["garment"]])}


class Reconstruction(nn.Module):
    """Encode, sample a latent, decode: what the loop trains."""

    def __init__(self, vae: AutoencoderKL) -> None:
        """Wrap a VAE."""
        super().__init__()
        self.vae = vae

    def forward(
        self, pictures: Float[Tensor, "B 3 H W"], generator: torch.Generator | None
    ) -> tuple[Float[Tensor, "B 3 H W"], Float[Tensor, "B C h w"], Float[Tensor, "B C h w"]]:
        """Reconstructions of pictures in [-1, 1], with the posterior's mean and log variance."""
        posterior = self.vae.encode(pictures).latent_dist
        latents = posterior.mode() if generator is None else posterior.sample(generator)
        return self.vae.decode(latents).sample, posterior.mean, posterior.logvar


class VaeTask:
    """Reconstruct crops: mean absolute and squared errors, and a small pull towards a unit Gaussian."""

    name = "base-vae"

    def __init__(self, recipe: VaeRecipe, vae: AutoencoderKL, pairs: RunPairs) -> None:
        """Wrap the VAE to train, and the pairs whose pictures it trains on."""
        self.recipe = recipe
        self.model = Reconstruction(vae.to(memory_format=torch.channels_last))  # quicker by half on a CPU
        self.dataset = PairPictures(pairs.training, recipe.size)
        self.unseen = PairPictures(pairs.unseen, recipe.size)
        self.validated = range(min(32, len(self.unseen)))

    def loss(
        self, model: nn.Module, batch: dict[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Reconstruction and Kullback-Leibler terms on random crops."""
        crops = to_signed(self._crops(batch["pictures"].flatten(0, 1), generator))
        output, mean, log_variance = model(crops, generator)
        error = output.float() - crops
        divergence = (
            0.5 * (mean.float().square() + log_variance.float().exp() - 1 - log_variance.float()).mean()
        )
        chroma = error - error.mean(1, keepdim=True)  # what is wrong with the colour, whatever the brightness
        absolute, squared = error.abs().mean(), error.square().mean()
        return {
            "loss": absolute
            + squared
            + self.recipe.chroma_weight * chroma.abs().mean()
            + self.recipe.kl_weight * divergence,
            "squared_error": squared.detach(),
            "chroma_error": chroma.detach().abs().mean(),
            "kl": divergence.detach(),
        }

    def _crops(
        self, pictures: UInt8[Tensor, "B 3 H W"], generator: torch.Generator
    ) -> UInt8[Tensor, "N 3 y x"]:
        height, width = self.recipe.crop or pictures.shape[-2:]
        crops = []
        for picture in pictures:
            for _ in range(self.recipe.crops_per_picture):
                draw = torch.rand(2, generator=generator, device=generator.device).tolist()
                top = int(draw[0] * (picture.shape[1] - height + 1))
                left = int(draw[1] * (picture.shape[2] - width + 1))
                crops.append(picture[:, top : top + height, left : left + width])
        return torch.stack(crops)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """PSNR in dB on unseen pictures (peak 255), people and flat garments apart and together."""
        device = next(model.parameters()).device
        errors: dict[str, list[float]] = {"person": [], "garment": []}
        for index in self.validated:
            pictures = to_signed(self.unseen[index]["pictures"].to(device))
            squared = ((model(pictures, None)[0].clamp(-1, 1) - pictures) / 2).square().mean((1, 2, 3))
            for name, value in zip(errors, squared.tolist(), strict=True):
                errors[name].append(value)
        psnr = {name: float(-10 * torch.tensor(values).log10().mean()) for name, values in errors.items()}
        return {f"psnr_{name}": value for name, value in psnr.items()} | {"psnr": sum(psnr.values()) / 2}

    def sample(self, model: nn.Module) -> Image.Image:
        """Pictures above their reconstructions."""
        pictures = to_signed(torch.cat([self.unseen[index]["pictures"] for index in self.validated[:4]]))
        pictures = pictures.to(next(model.parameters()).device)
        return tile([pictures, model(pictures, None)[0]])

    def export(self, model: nn.Module, folder: Path) -> None:
        """Save the VAE in diffusers layout, its scaling factor one over the latents' standard deviation."""
        vae: AutoencoderKL = model.vae
        pictures = torch.cat([self.unseen[index]["pictures"] for index in self.validated])
        latents = torch.cat(
            [vae.encode(to_signed(part.to(vae.device))).latent_dist.mode() for part in pictures.split(8)]
        )
        vae.register_to_config(scaling_factor=round(float(1 / latents.std()), 5))
        vae.save_pretrained(folder / "vae")


def start_plain(vae: AutoencoderKL) -> AutoencoderKL:
    """Make a VAE's first steps easy.

    Convolutions keep what they see (orthogonal weights), residual branches add nothing yet, posteriors are
    narrow (σ = 0.02). With torch's own initial weights, a thousand steps do not teach a small VAE any colour.
    """
    for module in vae.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.orthogonal_(module.weight)
            nn.init.zeros_(cast(Tensor, module.bias))
    for module in vae.modules():
        if isinstance(module, ResnetBlock2D):
            nn.init.zeros_(module.conv2.weight)
    with torch.no_grad():
        weight, bias = (half.chunk(2)[1] for half in (vae.quant_conv.weight, vae.quant_conv.bias))
        weight.zero_()
        bias.fill_(-8.0)
    return vae


def load_vae(folder: Path) -> AutoencoderKL:
    """The VAE of an earlier training's export."""
    vae: AutoencoderKL = AutoencoderKL.from_pretrained(folder, subfolder="vae")
    return vae


def train_vae(recipe: VaeRecipe, sources: Sources, run: RunSettings) -> Path:
    """Train the VAE; returns the folder of the exported model."""
    torch.manual_seed(run.seed)
    vae = start_plain(tiny.vae()) if sources.initial is None else load_vae(sources.base())
    pairs = open_run_pairs(sources, run, recipe.size)
    return train(VaeTask(recipe, vae, pairs), recipe.optimization, run, recipe, pairs.description)
