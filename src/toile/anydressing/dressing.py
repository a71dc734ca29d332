"""The plug-in: garments in, a wardrobe out that any Stable Diffusion pipeline of diffusers can wear.

Legend: `G` garments, `C` latent channels, `h w` latent pixels.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers import AutoencoderKL, DiffusionPipeline
from jaxtyping import Float
from torch import Tensor

from toile.anydressing.dressing_attention import DressingAttention, dressed_wardrobe
from toile.anydressing.garments_net import GarmentsNet
from toile.anydressing.outfits import Garments, Outfits, Weights, item_weights
from toile.anydressing.plug_in import install, uninstall
from toile.bundled import find_model
from toile.diffusion.photos import Picture, prepare_pictures
from toile.diffusion.stable_diffusion import load_part
from toile.diffusion.system_pipeline import LOADING_ERRORS, encode_pictures, pixels_per_latent, unloadable
from toile.diffusion.weight_files import check_weights
from toile.wardrobe import GarmentFeatures, Wardrobe, hash_weights
from toile.wardrobe_store import stack_features

SYSTEM, PIPELINE = "anydressing", "AnyDressingPipeline"
"""The system's folder within the bundled weights, and the class that its folders are saved from."""
SCALE = 0.7
"""λ of Eq. 6 when dressing. Paper: Section 5.1."""
Part = TypeVar("Part", bound=torch.nn.Module)


class AnyDressing:
    """AnyDressing without a denoiser: it encodes garments, and teaches other people's pipelines to wear them.

    Source: AnyDressing (arXiv 2412.04146), Section 4.

    Args:
        garments_net: GarmentsNet.
        dressing_attention: W_k' and W_v', for U-Nets with the layers of the one that it was trained with.
        vae: of the base model.
        size: (height, width) in pixels that garments are encoded at.
    """

    def __init__(
        self,
        garments_net: GarmentsNet,
        dressing_attention: DressingAttention,
        vae: AutoencoderKL,
        size: tuple[int, int],
    ) -> None:
        self.garments_net = garments_net
        self.dressing_attention = dressing_attention
        self.vae = vae
        self.size = size

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        *,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> "AnyDressing":
        """Load `tiny` (bundled), a folder that `AnyDressingPipeline.save_pretrained` wrote, or a hub name.

        Args:
            name: which one.
            dtype: kind of number of the weights; that of the pipelines it is installed in.
            device: where to.

        Raises:
            ToileError: when there is no such model, or it is incomplete, damaged, or of another system.
        """
        folder, base = find_model(name, system=SYSTEM, pipeline=PIPELINE)
        source = folder or name
        try:
            config = DiffusionPipeline.load_config(str(source))
        except LOADING_ERRORS as error:
            raise unloadable(str(name), folder, error) from error
        vae_source = source if base is None or (Path(source) / "vae").is_dir() else base
        vae = load_part(AutoencoderKL, vae_source, "vae", dtype=dtype, use_safetensors=True)
        net = _load(GarmentsNet, source, "garments_net", dtype)
        attention = _load(DressingAttention, source, "dressing_attention", dtype)
        return cls(net, attention, vae, _size(config.get("size"), net, vae)).to(device)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of garment that it knows: the names that `wardrobe` takes garments under."""
        return self.garments_net.kinds

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> "AnyDressing":
        """Move to a device, or to another kind of number; gives back the same object."""
        for part in (self.garments_net, self.dressing_attention, self.vae):
            part.to(device=device, dtype=dtype)
        return self

    def wardrobe(
        self, scale: float = SCALE, weights: Weights | None = None, **garments: Picture | Sequence[Picture]
    ) -> Wardrobe:
        """Encode what one person wears, in one pass of GarmentsNet.

        Args:
            scale: λ of Eq. 6: 0 leaves the garments away.
            weights: further weights by kind, as {"hat": 0.5}.
            **garments: pictures on white by their kinds, as upper=picture; a list for several of a kind.

        Returns:
            A wardrobe of one row, worn by every picture of a call: `cross_attention_kwargs={"wardrobe": it}`.

        Raises:
            ToileError: when there is no garment, a kind is unknown, or a picture cannot be used.
        """
        return self.dress(garments, scale=scale, weights=weights)

    def features(self, kind: str, picture: Picture) -> GarmentFeatures:
        """Encode one garment by itself, to be kept and worn with others.

        Raises:
            ToileError: when the kind is unknown, or the picture cannot be used.
        """
        return self.encode(Outfits.of({kind: picture}))

    def outfit(
        self, features: Sequence[GarmentFeatures], scale: float = SCALE, weights: Weights | None = None
    ) -> Wardrobe:
        """Put encoded garments together as what one person wears; GarmentsNet does not run.

        Raises:
            ToileError: when there are none, or they were encoded by different models or at different sizes.
        """
        together = stack_features(features)
        return self.project(together, scale=scale, weights=weights)

    def dress(
        self,
        garments: Garments | Sequence[Garments],
        *,
        scale: float = SCALE,
        weights: Weights | None = None,
        size: tuple[int, int] | None = None,
    ) -> Wardrobe:
        """Encode what one person wears, or several, in one pass of GarmentsNet.

        Args:
            garments: of one person, or of each picture of a call.
            scale: λ of Eq. 6.
            weights: further weights by kind.
            size: (height, width) to encode at; None is the model's own.

        Returns:
            A wardrobe with a row for each person.

        Raises:
            ToileError: when there is no garment, a kind is unknown, or a picture cannot be used.
        """
        outfits = Outfits.of(garments)
        features = self.encode(outfits, size)
        return self.project(features, outfits.rows, scale=scale, weights=weights)

    @torch.no_grad()
    def encode(self, outfits: Outfits, size: tuple[int, int] | None = None) -> GarmentFeatures:
        """Encode all garments as F_i in one pass; Table 3's base sees those of one person together."""
        numbers = self.garments_net.indices(outfits.kinds)
        latents = self.latents(outfits.pictures, size)
        states = self.garments_net.encode(latents, numbers, outfits.rows)
        return GarmentFeatures(hidden_states=states, categories=outfits.kinds)

    @torch.no_grad()
    def latents(
        self, pictures: Sequence[Picture], size: tuple[int, int] | None = None
    ) -> Float[Tensor, "G C h w"]:
        """Encode the pictures of garments with the VAE, fitted into the canvas."""
        prepared = prepare_pictures(pictures, size or self.size).to(self.vae.device)  # (G 3 H W)
        return encode_pictures(self.vae, prepared).to(self.garments_net.dtype)

    @torch.no_grad()
    def project(
        self,
        features: GarmentFeatures,
        rows: Sequence[tuple[int, ...]] | None = None,
        *,
        scale: float = SCALE,
        weights: Weights | None = None,
    ) -> Wardrobe:
        """Turn features into keys and values, once.

        Args:
            features: of garments.
            rows: which of them each person wears; None is one person with all of them.
            scale: λ of Eq. 6.
            weights: further weights by kind.

        Raises:
            ToileError: when the features are another model's, or a weight's kind is not worn.
        """
        attention = self.dressing_attention
        wardrobe = dressed_wardrobe(attention, features.to(attention.device, attention.dtype), rows)
        return wardrobe.with_scale(scale, item_weights(wardrobe.categories, weights or {}))

    def weights_hash(self) -> str:
        """Hash GarmentsNet's weights: the stamp of the features that it makes, and that it reads again."""
        return hash_weights(self.garments_net)

    def install(self, pipe: Any) -> None:
        """Let a Stable Diffusion pipeline of diffusers wear wardrobes; nothing else of it changes.

        Raises:
            ToileError: when its U-Net has other layers than the one that this was trained with.
        """
        install(pipe, self.dressing_attention)

    def uninstall(self, pipe: Any) -> None:
        """Give a pipeline back as it was."""
        uninstall(pipe)


def _load(kind: type[Part], source: str | Path, part: str, dtype: torch.dtype) -> Part:
    """Load a part of the system's own, and check that its files held all of it."""
    loaded: Part = load_part(kind, source, part, dtype=dtype, use_safetensors=True)
    folder = Path(source) / part
    if folder.is_dir():
        check_weights(folder, loaded)
    return loaded


def _size(kept: Sequence[int] | None, net: GarmentsNet, vae: AutoencoderKL) -> tuple[int, int]:
    """(height, width) in pixels: the size that is kept with a model, or else that of its U-Net."""
    if kept is not None:
        return int(kept[0]), int(kept[1])
    sample = net.unet.config["sample_size"]
    height, width = (sample, sample) if isinstance(sample, int) else sample
    factor = pixels_per_latent(vae)
    return height * factor, width * factor
