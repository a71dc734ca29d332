"""Recipes of the parts that the three systems stand on: the VAE, the small CLIP, the text-to-image U-Net."""

from dataclasses import dataclass, field, replace

from toile.diffusion.optimization import Optimization
from toile.diffusion.tiny import SIZE
from toile.errors import ToileError


@dataclass(frozen=True, kw_only=True)
class VaeRecipe:
    """How the VAE of `tiny` is trained: crops of people and of flat garments, reconstructed."""

    size: tuple[int, int] = SIZE
    """Height and width of the pictures that crops are taken from, in pixels."""
    crop: tuple[int, int] | None = (64, 64)
    """Height and width of a crop, in pixels; multiples of 8. None takes whole pictures."""
    crops_per_picture: int = 2
    """Crops taken from each of the two pictures of a pair."""
    chroma_weight: float = 1.0
    """Weight of the mean absolute error of colour, brightness apart; a young VAE sees grey for long."""
    kl_weight: float = 1e-5
    """Weight of the mean Kullback-Leibler divergence between a latent and a unit Gaussian."""
    optimization: Optimization = field(
        default_factory=lambda: Optimization(
            steps=6000,
            batch_size=2,
            learning_rate=1e-3,
            final_learning_rate=5e-5,
            warmup_steps=100,
            weight_decay=1e-4,
            ema_decay=0.995,
            mixed_precision="bf16",
        )
    )
    """Steps, batches (in pairs) and the optimiser's numbers."""

    def __post_init__(self) -> None:
        """Refuse crops that do not lie in a picture.

        Raises:
            ToileError: when a crop is larger than the pictures.
        """
        if self.crop is not None and (self.crop[0] > self.size[0] or self.crop[1] > self.size[1]):
            raise ToileError(f"crop is {self.crop}, larger than the pictures, {self.size}; make it smaller")


def whole_pictures() -> VaeRecipe:
    """How that VAE goes on: on whole pictures.

    Ours: its group norms take their statistics from all they see, and a whole picture's are not a crop's: a
    VAE that saw crops alone keeps 1 dB more of a crop than of a picture.
    """
    recipe = VaeRecipe()
    optimization = replace(
        recipe.optimization, steps=1200, learning_rate=5e-4, final_learning_rate=2e-5, ema_decay=0.99
    )
    return replace(recipe, crop=None, crops_per_picture=1, optimization=optimization)


@dataclass(frozen=True, kw_only=True)
class ClipRecipe:
    """How the small CLIP is trained: flat garments, people and masked crops of people, with captions."""

    size: tuple[int, int] = SIZE
    """Height and width of the pictures, in pixels."""
    optimization: Optimization = field(
        default_factory=lambda: Optimization(
            steps=2000,
            batch_size=96,
            learning_rate=1e-3,
            final_learning_rate=1e-5,
            warmup_steps=100,
            weight_decay=0.1,
            betas=(0.9, 0.98),
            ema_decay=0.99,
            mixed_precision="bf16",
        )
    )
    """Steps, batches and the optimiser's numbers."""


@dataclass(frozen=True, kw_only=True)
class TextToImageRecipe:
    """How the base U-Net is trained: to predict the noise of people and flat garments from captions."""

    size: tuple[int, int] = SIZE
    """Height and width of the pictures, in pixels."""
    drop_probability: float = 0.1
    """How often the caption is replaced by the empty text, so that guidance works."""
    garment_share: float = 0.6
    """Share of flat garments among the training pictures; the others are people."""
    vary_captions: bool = True
    """Whether a doll's clothes are described in some captions, only named in others, left out of the rest,
    as they are by who leaves them to the garments (AnyDressing)."""
    optimization: Optimization = field(
        default_factory=lambda: Optimization(
            steps=6000,
            batch_size=16,
            learning_rate=1e-3,
            final_learning_rate=1e-4,
            warmup_steps=200,
            ema_decay=0.998,
            mixed_precision="bf16",
        )
    )
    """Steps, batches and the optimiser's numbers."""


def half_size_base() -> TextToImageRecipe:
    """The start of the base U-Net: pictures of half the size, of which a step costs a third."""
    recipe = TextToImageRecipe()
    optimization = replace(recipe.optimization, final_learning_rate=3e-4)
    return replace(recipe, size=(SIZE[0] // 2, SIZE[1] // 2), optimization=optimization)
