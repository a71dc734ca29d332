"""Complete settings for IGR: the paper's, `tiny`'s, and those of each ablation in Tables 2 and 3.

A recipe says everything that a training needs to know but where the pictures lie.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from toile.diffusion.optimization import Optimization
from toile.diffusion.stable_diffusion import IP_ADAPTER, SD15
from toile.diffusion.tiny import SIZE
from toile.errors import ToileError

GUIDANCE_SCALES = (1.0, 1.5, 2.0, 2.5, 3.0)
"""Paper: the scales of Section 4.3 and Fig. 6."""


@dataclass(frozen=True, kw_only=True)
class IGRRecipe:
    """How an IGR is trained, and how it then restores.

    Raises:
        ToileError: when a value makes no sense.
    """

    stage: Literal["coarse", "fine"]
    """`coarse` starts from the base model; `fine` goes on from a coarse stage's weights."""
    size: tuple[int, int]
    """Height and width of the pictures, in pixels."""
    optimization: Optimization
    """Steps, batches and the optimiser's numbers."""
    base_model: str
    """Stable Diffusion to start from, VAE and text encoder included: `tiny`, a folder or a hub name."""
    image_encoder: str
    """CLIP image encoder with projection: `tiny`, a folder or a hub name."""
    ip_adapter: str | None = None
    """Published IP-Adapter weights (.safetensors) to start the extractor from; None starts it afresh."""
    initial_weights: str | None = None
    """A folder of IGR weights to go on from; None starts from `base_model`."""
    garment_net: bool = True
    """Whether there is a GarmNet; False is "w/o GarmNet" of Table 2."""
    curated: bool = False
    """Train on the pairs that are not hard alone: no inappropriate occlusion, truncation or side view."""
    pad_extremes: bool = False
    """Resize and pad garments of extreme proportions to a suitable proportion."""
    drop_probability: float = 0.1
    """How often an item loses text, F_ll and F_hl together, so that guidance works."""
    timestep_shift: float = 1.0
    """How much training prefers noisy timesteps (see `draw_timesteps`). Paper: 1, an even draw."""
    copy_probability: float = 0.0
    """How often the flat garment itself stands in the photo's place, to be copied (see `copies`). Ours."""
    correspondence_weight: float = 0.0
    """Weight of showing self-attention where the garment's points lie (see `Correspondence`). Ours."""
    guidance_scale: float = 1.5
    """s of Eq. 2, when restoring; 1 leaves the unconditional pass away."""
    num_inference_steps: int = 25
    """DDIM steps, when restoring."""
    zero_stage: Literal[0, 1, 2, 3] = 0
    """DeepSpeed's ZeRO stage for several GPUs; 0 is plain data parallelism."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot train or restore anything."""
        if not 0 <= self.drop_probability < 1:
            raise ToileError(f"drop_probability is {self.drop_probability}; it must lie in [0, 1)")
        if self.timestep_shift <= 0:
            raise ToileError(f"timestep_shift is {self.timestep_shift}; it must be positive")
        if not 0 <= self.copy_probability <= 1:
            raise ToileError(f"copy_probability is {self.copy_probability}; it must lie in [0, 1]")
        if self.correspondence_weight < 0:
            raise ToileError(f"correspondence_weight is {self.correspondence_weight}; it must be at least 0")
        if self.guidance_scale < 1:
            raise ToileError(f"guidance_scale is {self.guidance_scale}; it must be at least 1")
        if self.num_inference_steps < 1:
            raise ToileError(f"num_inference_steps is {self.num_inference_steps}; it must be at least 1")
        if any(side < 8 or side % 8 for side in self.size):
            raise ToileError(f"size is {self.size[0]}x{self.size[1]}; both must be multiples of 8")


def paper_coarse() -> IGRRecipe:
    """The paper's coarse stage, on every pair.

    Paper: Section 4.1: SD 1.5, 1024×768, batch 32, AdamW, 1e-5, four A100s with ZeRO-2, DDIM with 25 steps,
    and s = 1.5 by Section 4.3. Ours: the number of steps, fp16 and recomputed activations.
    """
    return IGRRecipe(
        stage="coarse",
        size=(1024, 768),
        base_model=SD15,
        image_encoder=IP_ADAPTER,
        zero_stage=2,
        optimization=Optimization(
            steps=40_000,
            batch_size=32,
            learning_rate=1e-5,
            gradient_accumulation=4,
            mixed_precision="fp16",
            gradient_checkpointing=True,
        ),
    )


def paper_fine() -> IGRRecipe:
    """The paper's high-quality fine-tuning (HQFT), on the curated fifth of the pairs.

    Paper: Sections 3.2 and 4.1: the setting of the coarse stage. Ours: a fifth of its steps, as of the data.
    """
    coarse = paper_coarse()
    optimization = replace(coarse.optimization, steps=coarse.optimization.steps // 5)
    return replace(coarse, stage="fine", curated=True, pad_extremes=True, optimization=optimization)


def tiny_coarse() -> IGRRecipe:
    """The coarse stage of `tiny`, which two CPU cores can train.

    Ours: a model that starts from random weights on small pictures wants a higher learning rate, an average
    of its weights, and to be shown what a pretrained one knows: to look things up in its reference. It
    restores better in three steps than in 25: docs/benchmark.md, "The bundled weights".
    """
    return IGRRecipe(
        stage="coarse",
        size=SIZE,
        base_model="tiny",
        image_encoder="tiny",
        timestep_shift=6.0,
        copy_probability=0.1,
        correspondence_weight=0.2,
        num_inference_steps=3,
        optimization=Optimization(
            steps=8_000,
            batch_size=16,
            learning_rate=1e-3,
            optimizer="muon",
            final_learning_rate=1e-4,
            warmup_steps=100,
            mixed_precision="bf16",
            ema_decay=0.998,
        ),
    )


def tiny_half() -> IGRRecipe:
    """The start of `tiny`'s coarse stage: pictures of half the size, of which a step costs a quarter.

    Ours: where a garment's parts lie on a person is learnt as well from small pictures, and from four times
    as many in the same time; it is decided at the noisiest timesteps. Patterns are not learnt there: they are
    finer than a latent pixel.
    """
    coarse = tiny_coarse()
    optimization = replace(coarse.optimization, steps=2_000)
    return replace(
        coarse,
        size=(SIZE[0] // 2, SIZE[1] // 2),
        timestep_shift=30.0,
        optimization=optimization,
    )


def tiny_fine() -> IGRRecipe:
    """The fine stage of `tiny`, on dolls that are not hard by their own labels.

    Ours: nothing is copied or shown any more; timesteps are drawn more evenly, for outlines and small parts.
    """
    coarse = tiny_coarse()
    optimization = replace(
        coarse.optimization,
        steps=coarse.optimization.steps // 4,
        learning_rate=1e-4,
        final_learning_rate=1e-5,
    )
    return replace(
        coarse,
        stage="fine",
        curated=True,
        pad_extremes=True,
        timestep_shift=2.0,
        copy_probability=0.0,
        correspondence_weight=0.0,
        optimization=optimization,
    )


def without_garment_net(recipe: IGRRecipe) -> IGRRecipe:
    """Leave GarmNet out: the low-level extractor alone (Table 2, "w/o GarmNet")."""
    return replace(recipe, garment_net=False)


def without_fine_stage(recipe: IGRRecipe) -> IGRRecipe:
    """Go on training on every pair where `recipe` would curate (Table 2, "w/o HQFT").

    Ours: the same number of steps, so that only the data differ.
    """
    return replace(recipe, curated=False, pad_extremes=False)


def with_guidance(recipe: IGRRecipe, scale: float) -> IGRRecipe:
    """Restore with another guidance scale (Table 3 and Fig. 6)."""
    return replace(recipe, guidance_scale=scale)


Maker = Callable[[], IGRRecipe]


def _ablations(prefix: str, coarse: Maker, fine: Maker) -> dict[str, Maker]:
    def guided(scale: float) -> IGRRecipe:
        return with_guidance(fine(), scale)

    guidance: dict[str, Maker] = {
        f"{prefix}-guidance-{scale}": partial(guided, scale) for scale in GUIDANCE_SCALES
    }
    return {
        f"{prefix}-coarse": coarse,
        f"{prefix}-fine": fine,
        f"{prefix}-coarse-without-garment-net": lambda: without_garment_net(coarse()),
        f"{prefix}-fine-without-garment-net": lambda: without_garment_net(fine()),
        f"{prefix}-without-fine-stage": lambda: without_fine_stage(fine()),
        **guidance,
    }


RECIPES: dict[str, Maker] = {
    **_ablations("paper", paper_coarse, paper_fine),
    **_ablations("tiny", tiny_coarse, tiny_fine),
    "tiny-half": tiny_half,
    "tiny-half-without-garment-net": lambda: without_garment_net(tiny_half()),
}
"""Every recipe by its name on the command line."""
