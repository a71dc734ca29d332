"""Complete settings for TWGTM: the paper's, `tiny`'s, and those of each variant of Table 4.

A recipe says everything that a training needs to know but where the pictures lie.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from toile.diffusion.optimization import Optimization
from toile.diffusion.tiny import SIZE
from toile.errors import ToileError
from toile.twgtm.extended_attention import Fusion

SD15_INPAINTING = "stable-diffusion-v1-5/stable-diffusion-inpainting"
"""Hub name of Stable Diffusion 1.5's inpainting U-Net, with nine input channels."""
CLIP_LARGE = "openai/clip-vit-large-patch14"
"""Hub name of CLIP ViT-L/14."""
SWIN = "microsoft/swin-tiny-patch4-window7-224"
"""Hub name of Swin-T. Ours: the paper names no size."""
QFORMER = "Salesforce/instructblip-flan-t5-xl"
"""Hub name of InstructBLIP, of which the Q-Former is taken."""

Tasks = Literal["both", "try_on", "take_off"]


@dataclass(frozen=True, kw_only=True)
class TWGTMRecipe:
    """How a TWGTM is trained, and how it then works.

    Raises:
        ToileError: when a value makes no sense.
    """

    stage: Literal[1, 2]
    """Paper: 1 learns to inpaint and to predict silhouettes, the U-Net without F_SRM; 2 learns the rest."""
    size: tuple[int, int]
    """Height and width of one panel, in pixels."""
    optimization: Optimization
    """Steps, batches and the optimiser's numbers."""
    base_model: str
    """Stable Diffusion to start from, VAE included: `tiny`, a folder or a hub name, inpainting or not."""
    image_encoder: str
    """CLIP image encoder with projection: `tiny`, a folder or a hub name."""
    qformer: str | None
    """Q-Former: `tiny`, a folder or a hub name of InstructBLIP or BLIP-2; None is Variant 8, without one."""
    swin: str
    """Swin: `tiny`, a folder or a hub name."""
    dim: int
    """Width of TaskFormer."""
    num_queries: int
    """N: query tokens of the Q-Former; a published one brings its own."""
    num_task_queries: int
    """K: learned queries of TaskFormer."""
    num_units: int = 3
    """Units of TaskFormer."""
    hard_masks: bool = False
    """Masked attention by a threshold, as in Mask2Former, instead of softly."""
    fusion: Fusion = "extended"
    """How F_SRM reaches the U-Net; `none`, `concatenated`, `decoupled` are Variants 1, 6 and 7 of Table 4."""
    two_panels: bool = True
    """Two panels side by side; False is Variant 2: one panel, into which the warped reference is put."""
    tasks: Tasks = "both"
    """What is trained: both directions of each pair, or one alone (Variants 4 and 5, Fig. 7 and 8)."""
    initial_weights: str | None = None
    """A folder of TWGTM weights to go on from; None starts from `base_model`."""
    drop_probability: float = 0.1
    """How often an item loses F_SAM and F_SRM together, so that guidance works."""
    mask_weight: float = 1.0
    """λ of Eq. 14; 0 in stage 2 (Eq. 16)."""
    dice_weight: float = 1.0
    """λ' of Eq. 15."""
    bce_weight: float = 1.0
    """λ'' of Eq. 15."""
    timestep_shift: float = 1.0
    """How much training prefers noisy timesteps (see `draw_timesteps`). Ours; 1 is not at all."""
    correspondence_weight: float = 0.0
    """Weight of showing self-attention where points lie in the reference (see `Correspondence`). Ours."""
    full_mask_probability: float = 0.0
    """How often taking off is trained with nothing known of the garment's place, as at inference."""
    guidance_scale: float = 2.5
    """Guidance; 1 leaves the unconditional pass away."""
    num_inference_steps: int = 30
    """DDIM steps."""
    zero_stage: Literal[0, 1, 2, 3] = 0
    """DeepSpeed's ZeRO stage for several GPUs; 0 is plain data parallelism."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot train or do anything."""
        for name in ("drop_probability", "full_mask_probability"):
            if not 0 <= getattr(self, name) <= 1:
                raise ToileError(f"{name} is {getattr(self, name)}; it must lie in [0, 1]")
        if self.correspondence_weight and not self.two_panels:
            raise ToileError("correspondence_weight needs the reference beside the picture; set it to 0")
        for name in ("mask_weight", "dice_weight", "bce_weight", "correspondence_weight"):
            if getattr(self, name) < 0:
                raise ToileError(f"{name} is {getattr(self, name)}; it must not be negative")
        if self.timestep_shift <= 0:
            raise ToileError(f"timestep_shift is {self.timestep_shift}; it must be positive")
        for name in ("dim", "num_queries", "num_task_queries", "num_units", "num_inference_steps"):
            if getattr(self, name) < 1:
                raise ToileError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.guidance_scale < 1:
            raise ToileError(f"guidance_scale is {self.guidance_scale}; it must be at least 1")
        if any(side < 8 or side % 8 for side in self.size):
            raise ToileError(f"size is {self.size[0]}x{self.size[1]}; both must be multiples of 8")


def paper_stage_1() -> TWGTMRecipe:
    """The paper's first stage, on both directions of every pair.

    Ours: all of it; the paper gives no training setting. The same as IGR's, so that the two compare.
    """
    return TWGTMRecipe(
        stage=1,
        size=(1024, 768),
        base_model=SD15_INPAINTING,
        image_encoder=CLIP_LARGE,
        qformer=QFORMER,
        swin=SWIN,
        dim=256,
        num_queries=32,
        num_task_queries=32,
        zero_stage=2,
        optimization=Optimization(
            steps=20_000,
            batch_size=32,
            learning_rate=1e-5,
            gradient_accumulation=8,
            mixed_precision="fp16",
            gradient_checkpointing=True,
        ),
    )


def tiny_stage_1() -> TWGTMRecipe:
    """The first stage of `tiny`, which two CPU cores can train.

    Ours: a higher learning rate and an average of the weights, as for every `tiny` model.
    """
    return TWGTMRecipe(
        stage=1,
        size=SIZE,
        base_model="tiny",
        image_encoder="tiny",
        qformer="tiny",
        swin="tiny",
        dim=64,
        num_queries=8,
        num_task_queries=16,
        optimization=Optimization(
            steps=4_000,
            batch_size=8,
            learning_rate=5e-4,
            final_learning_rate=2e-4,
            warmup_steps=200,
            mixed_precision="bf16",
            ema_decay=0.999,
        ),
    )


def second_stage(first: TWGTMRecipe, steps: int, final_learning_rate: float | None) -> TWGTMRecipe:
    """The second stage that follows a first one: Eq. 16, the noise's loss alone."""
    optimization = replace(first.optimization, steps=steps, final_learning_rate=final_learning_rate)
    return replace(first, stage=2, mask_weight=0.0, optimization=optimization)


def paper_stage_2() -> TWGTMRecipe:
    """The paper's second stage."""
    return second_stage(paper_stage_1(), 40_000, None)


def tiny_stage_2() -> TWGTMRecipe:
    """The second stage of `tiny`.

    Ours: now and then nothing is known of the garment's place, as at inference.
    """
    return replace(second_stage(tiny_stage_1(), 12_000, 5e-5), full_mask_probability=0.3)


def half_size(recipe: TWGTMRecipe) -> TWGTMRecipe:
    """The same at half the size and twice the batch, where a step costs half as much.

    Ours: what is learnt there is kept at the full size, as with IGR.
    """
    height, width = recipe.size
    optimization = replace(recipe.optimization, batch_size=2 * recipe.optimization.batch_size)
    return replace(recipe, size=(height // 2, width // 2), optimization=optimization)


Maker = Callable[[], TWGTMRecipe]
Change = Callable[[TWGTMRecipe], TWGTMRecipe]

VARIANTS: dict[str, Change] = {
    "variant-1": lambda recipe: replace(recipe, fusion="none"),
    "variant-2": lambda recipe: replace(recipe, two_panels=False),
    "variant-4": lambda recipe: replace(recipe, tasks="try_on"),
    "variant-5": lambda recipe: replace(recipe, tasks="take_off"),
    "variant-6": lambda recipe: replace(recipe, fusion="concatenated"),
    "variant-7": lambda recipe: replace(recipe, fusion="decoupled"),
    "variant-8": lambda recipe: replace(recipe, qformer=None),
}
"""What each variant of Table 4 changes. Variant 3 is a rectangle given at inference (`box`)."""


def fine_tuning(recipe: TWGTMRecipe, tasks: Tasks) -> TWGTMRecipe:
    """Go on with one direction from a joint checkpoint (Fig. 7 and 8)."""
    optimization = replace(recipe.optimization, steps=recipe.optimization.steps // 4)
    return replace(recipe, tasks=tasks, optimization=optimization)


def _recipes(prefix: str, first: Maker, second: Maker) -> dict[str, Maker]:
    def made(maker: Maker, change: Change) -> Maker:
        return lambda: change(maker())

    stages = {f"{prefix}-stage-1": first, f"{prefix}-stage-2": second}
    variants = {
        f"{name}-{variant}": made(maker, change)
        for name, maker in stages.items()
        for variant, change in VARIANTS.items()
    }
    return {
        **stages,
        **variants,
        f"{prefix}-fine-tune-try-on": lambda: fine_tuning(second(), "try_on"),
        f"{prefix}-fine-tune-take-off": lambda: fine_tuning(second(), "take_off"),
    }


RECIPES: dict[str, Maker] = {
    **_recipes("paper", paper_stage_1, paper_stage_2),
    **_recipes("tiny", tiny_stage_1, tiny_stage_2),
    "tiny-half-stage-1": lambda: half_size(tiny_stage_1()),
    "tiny-half-stage-2": lambda: half_size(tiny_stage_2()),
}
"""Every recipe by its name on the command line, behind `twgtm-`."""
