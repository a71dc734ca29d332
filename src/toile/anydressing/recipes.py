"""Complete settings for AnyDressing: the paper's, `tiny`'s, and those of each row of Table 3.

A recipe says everything that a training needs to know but where the pictures lie.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from toile.anydressing.garments_net import KIND_NAME
from toile.anydressing.localization import Localization
from toile.diffusion.optimization import Optimization
from toile.diffusion.stable_diffusion import SD15
from toile.diffusion.tiny import SIZE
from toile.errors import ToileError

Trained = Literal["lora", "full"]
"""What trains of GarmentsNet: only ΔW (Section 4.1), or all of it (Section 5.1)."""
TWO_KINDS = ("upper", "lower")
VGG16 = "vgg16-397923af.pth"
"""torchvision's file of VGG-16's weights, by its published name."""
THREE_KINDS = ("upper", "lower", "hat")


@dataclass(frozen=True, kw_only=True)
class AnyDressingRecipe:
    """How an AnyDressing is trained, and how it then dresses.

    Raises:
        ToileError: when a value makes no sense.
    """

    size: tuple[int, int]
    """Height and width of the pictures, in pixels."""
    optimization: Optimization
    """Steps, batches and the optimiser's numbers."""
    base_model: str
    """Stable Diffusion to start from and to leave as it is, VAE and text encoder included: `tiny`, a folder
    or a hub name."""
    initial_weights: str | None = None
    """A folder of AnyDressing weights to go on from; None starts from `base_model`. The garments' kinds that
    it does not know are added to it."""
    kinds: tuple[str, ...] = TWO_KINDS
    """Kinds of garments, in the order of their places in a batch; garments of other kinds are left out."""
    rank: int = 16
    """Rank of each kind's LoRA matrices."""
    separate: bool = True
    """Whether each kind has its own self-attention (GFE); False is "Base" of Table 3: one reference net that
    sees the garments side by side."""
    image_prompt: bool = False
    """Train tokens made of the garments' CLIP embeddings instead of GarmentsNet and Dressing-Attention: the
    baseline that IP-Adapter stands for."""
    image_encoder: str | None = None
    """CLIP image encoder that embeds garments for `image_prompt`: `tiny`, a folder or a hub name. Where it is
    given, garments are embedded for every recipe, so that all of them share what is encoded ahead."""
    train_garments_net: Trained = "lora"
    """What trains of GarmentsNet; W_k' and W_v' always do."""
    vary_captions: bool = True
    """Whether a doll's clothes are described in some captions, only named in others, left out of the rest."""
    drop_probability: float = 0.1
    """How often an item loses text and garments together, so that guidance works."""
    localization: Localization | None = "garments"
    """What the softmax of L_loc runs over: the garments' tokens (IGL, Eq. 7), or the picture's own as well
    (ours); None leaves L_loc out."""
    localization_weight: float = 0.01
    """λ_1 of Eq. 15."""
    texture_weight: float = 0.001
    """λ_2 of Eq. 15 (GTL); 0 leaves L_texture out."""
    texture_threshold: int = 350
    """η: L_texture counts at timesteps up to it."""
    dists_backbone: str | None = None
    """Published weights of VGG-16 for the DISTS of L_texture. None takes DISTS-dolls, a network that has seen
    dolls."""
    scale: float = 0.7
    """λ of Eq. 6, when dressing; in training it is 1."""
    guidance_scale: float = 6.0
    """ω of Eq. 16, when dressing; 1 leaves the unconditional pass away."""
    num_inference_steps: int = 30
    """DDIM steps, when dressing."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot train or dress anything."""
        self._check_kinds()
        self._check_parts()
        if not 0 <= self.drop_probability < 1:
            raise ToileError(f"drop_probability is {self.drop_probability}; it must lie in [0, 1)")
        for name in ("localization_weight", "texture_weight", "scale"):
            if getattr(self, name) < 0:
                raise ToileError(f"{name} is {getattr(self, name)}; it must not be negative")
        for name in ("rank", "num_inference_steps"):
            if getattr(self, name) < 1:
                raise ToileError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if not 0 <= self.texture_threshold < 1000:
            raise ToileError(f"texture_threshold is {self.texture_threshold}; it must lie in [0, 1000)")
        if self.guidance_scale < 1:
            raise ToileError(f"guidance_scale is {self.guidance_scale}; it must be at least 1")
        if any(side < 8 or side % 8 for side in self.size):
            raise ToileError(f"size is {self.size[0]}x{self.size[1]}; both must be multiples of 8")

    def _check_kinds(self) -> None:
        wrong = next((kind for kind in self.kinds if not KIND_NAME.fullmatch(kind)), None)
        if wrong is not None:
            raise ToileError(
                f"kinds has {wrong!r}, which no garment kind can be called; write small letters, as in `hat`"
            )
        if not self.kinds or len(set(self.kinds)) < len(self.kinds):
            raise ToileError(f"kinds is {', '.join(self.kinds) or 'empty'}; name each kind of garment once")

    def _check_parts(self) -> None:
        if not self.separate and self.train_garments_net == "lora":
            raise ToileError("without separate there is no LoRA to train; set train_garments_net to full")
        if self.image_prompt and self.image_encoder is None:
            raise ToileError("image_prompt needs an image_encoder; name one")
        if self.image_prompt and self.localization is not None:
            raise ToileError(
                "image_prompt has no attention over pixels of garments; set localization to None"
            )


def paper() -> AnyDressingRecipe:
    """The paper's model for upper and lower garments.

    Paper: Section 5.1 and supplement 7.1: SD 1.5, 768×576, AdamW with a fixed learning rate of 5e-5, 100k
    steps on eight A100s, λ = 0.7, η = 350, λ_1 = 0.01, λ_2 = 0.001, ω = 6.0, DDIM with 30 steps.
    Ours: "8 NVIDIA A100 GPUs with a batch size of 4" is read as 4 on each GPU, 32 in a step: four in all
    would leave half of the GPUs idle. Ours too: fp16 and recomputed activations, rank and drop probability.
    """
    return AnyDressingRecipe(
        size=(768, 576),
        base_model=SD15,
        dists_backbone=VGG16,
        optimization=Optimization(
            steps=100_000,
            batch_size=32,
            learning_rate=5e-5,
            mixed_precision="fp16",
            gradient_checkpointing=True,
        ),
    )


def paper_hat() -> AnyDressingRecipe:
    """The paper's model for upper and lower garments and hats (supplement, Section 8)."""
    return replace(paper(), kinds=THREE_KINDS)


def tiny() -> AnyDressingRecipe:
    """The model of `tiny`, which two CPU cores can train: upper and lower garments, and hats.

    Ours: its small base has hardly seen what garments are made of, so that all of GarmentsNet trains, with a
    higher learning rate and an average of the weights.
    """
    return AnyDressingRecipe(
        size=SIZE,
        base_model="tiny",
        kinds=THREE_KINDS,
        image_encoder="tiny",
        train_garments_net="full",
        optimization=Optimization(
            steps=4_000,
            batch_size=8,
            learning_rate=4e-4,
            final_learning_rate=4e-5,
            warmup_steps=100,
            mixed_precision="bf16",
            ema_decay=0.998,
        ),
    )


def tiny_half() -> AnyDressingRecipe:
    """The start of `tiny`: pictures of half the size, of which a step costs a third."""
    whole = tiny()
    optimization = replace(
        whole.optimization,
        steps=6_000,
        batch_size=16,
        learning_rate=8e-4,
        final_learning_rate=2e-4,
        warmup_steps=200,
    )
    return replace(whole, size=(SIZE[0] // 2, SIZE[1] // 2), optimization=optimization)


def with_image_prompt(recipe: AnyDressingRecipe) -> AnyDressingRecipe:
    """Show the U-Net nothing of garments but tokens of their CLIP embeddings, as IP-Adapter does."""
    return replace(
        recipe,
        image_prompt=True,
        image_encoder=recipe.image_encoder or "tiny",
        localization=None,
        texture_weight=0.0,
    )


def without_texture(recipe: AnyDressingRecipe) -> AnyDressingRecipe:
    """Base + GFE + IGL of Table 3: leave Garment-Enhanced Texture Learning out."""
    return replace(recipe, texture_weight=0.0)


def without_localization(recipe: AnyDressingRecipe) -> AnyDressingRecipe:
    """Base + GFE of Table 3: leave Instance-Level Garment Localization out as well."""
    return replace(without_texture(recipe), localization=None)


def without_separate_garments(recipe: AnyDressingRecipe) -> AnyDressingRecipe:
    """Base of Table 3: one reference net that sees all garments side by side, all of it trained."""
    return replace(without_localization(recipe), separate=False, train_garments_net="full")


Maker = Callable[[], AnyDressingRecipe]


def _made(change: Callable[[AnyDressingRecipe], AnyDressingRecipe], maker: Maker) -> AnyDressingRecipe:
    return change(maker())


def _ablations(prefix: str, maker: Maker, suffix: str = "") -> dict[str, Maker]:
    """A recipe, which is the last row of Table 3, and the rows above it."""
    changes = {"base": without_separate_garments, "gfe": without_localization, "igl": without_texture}
    rows: dict[str, Maker] = {
        f"{prefix}-{name}{suffix}": partial(_made, change, maker) for name, change in changes.items()
    }
    return {f"{prefix}{suffix}": maker, **rows}


RECIPES: dict[str, Maker] = {
    **_ablations("paper", paper),
    "paper-hat": paper_hat,
    **_ablations("tiny", tiny_half, "-half"),
    **_ablations("tiny", tiny),
    "tiny-image-prompt-half": partial(_made, with_image_prompt, tiny_half),
    "tiny-image-prompt": partial(_made, with_image_prompt, tiny),
}
"""Every recipe by its name on the command line."""
