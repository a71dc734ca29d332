"""The Spatial Refinement Module: Swin sees the reference, TaskFormer reads it, the decoder feeds the U-Net.

Legend: `B` batch, `H W` pixels of one panel, `y x` pixels of H_1 (a quarter of it each way), `N` tokens of
F_QF, `D` their width, `K` task queries, `dim` the width inside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, SwinBackbone, SwinConfig
from transformers.image_utils import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from toile.diffusion.stable_diffusion import load_part
from toile.errors import ToileError
from toile.twgtm.decoder import Decoder
from toile.twgtm.positions import sine_positions
from toile.twgtm.taskformer import TaskFormer

STAGES = 3
"""Stages of Swin in use: H_1, H_2 and H_3."""
SWIN_NUMBERS = ("embed_dim", "window_size", "mlp_ratio", "qkv_bias", "hidden_act", "layer_norm_eps")
NEW_NORMS = ("hidden_states_norms.", "swin.layernorm.")
"""What a published Swin need not hold: the norms of H start anew, and that of the last stage is not read."""
GROUPS = 8


@dataclass(frozen=True, kw_only=True)
class SpatialFeatures:
    """What the Spatial Refinement Module finds in a reference."""

    levels: tuple[Float[Tensor, "B _ _"], ...]
    """F_SRM: tokens for each resolution of the U-Net, the finest first; empty when not asked for."""
    silhouette_logits: tuple[Float[Tensor, "B 1 y x"], ...]
    """The flat garment's silhouette by each unit of TaskFormer, before the sigmoid."""

    def silhouette(self, size: tuple[int, int]) -> Float[Tensor, "B 1 H W"]:
        """Give the last unit's silhouette at a height and width, in [0, 1], 1 the garment (TFQ_0, Eq. 10)."""
        return functional.interpolate(self.silhouette_logits[-1], size, mode="bilinear").sigmoid()


class SwinFeatures(nn.Module):
    """Swin's features at a quarter, an eighth and a sixteenth of the picture each way, all of one width.

    Source: TWGTM, H = [H_1, H_2, H_3]; Liu et al. 2021 (Swin). Ours: the fourth stage is not built.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, swin: dict[str, Any], dim: int) -> None:
        super().__init__()
        self.swin = SwinBackbone(three_stages(swin))
        self.swin.swin.layernorm.requires_grad_(False)  # its result is not read
        self.projections = nn.ModuleList(nn.Conv2d(width, dim, 1) for width in self.swin.channels)
        self.register_buffer("mean", torch.tensor(IMAGENET_DEFAULT_MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_DEFAULT_STD)[:, None, None], persistent=False)

    def forward(self, reference: Float[Tensor, "B 3 H W"]) -> list[Float[Tensor, "B dim _ _"]]:
        """Find H_1, H_2 and H_3 in RGB pictures in [-1, 1]."""
        pictures = (reference / 2 + 0.5 - self.mean) / self.std
        maps = self.swin(pictures).feature_maps
        return [project(features) for project, features in zip(self.projections, maps, strict=True)]


class PixelMap(nn.Module):
    """H_1 as the queries are compared with it, enriched.

    Ours: Swin's first stage sees windows of a few pixels and not where they are, too little to draw a flat
    garment from a person; so H_1 receives H_2 and H_3, enlarged, and positions.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(dim, dim, kernel_size=3, padding=1)
        self.norm = nn.GroupNorm(GROUPS, dim)
        self.project = nn.Conv2d(dim, dim, kernel_size=1)

    def forward(self, scales: Sequence[Float[Tensor, "B dim _ _"]]) -> Float[Tensor, "B dim y x"]:
        """Merge H_1, H_2 and H_3 at H_1's size."""
        finest = scales[0]
        enlarged = [functional.interpolate(scale, finest.shape[2:], mode="bilinear") for scale in scales[1:]]
        together = sum(enlarged, finest) + sine_positions(finest)  # (B dim y x)
        pixels: Tensor = self.project(functional.gelu(self.norm(self.mix(together))))  # (B dim y x)
        return pixels


class SpatialRefinement(ModelMixin, ConfigMixin):
    """TWGTM's Spatial Refinement Module.

    Source: TWGTM, Eq. 5–12.

    Args:
        swin: arguments of transformers' `SwinConfig`; of its stages the first three are used.
        query_dim: width of F_QF, `D`.
        level_channels: channels of the U-Net at each of its resolutions, the finest first.
        dim: width inside, divisible by 8 and by `num_heads`.
        num_task_queries: K.
        num_units: TaskFormer's units.
        num_heads: heads of attention in TaskFormer and in the decoder.
        hard_masks: Mask2Former's masks instead of soft ones (`toile.twgtm.taskformer.attention_bias`).

    Raises:
        ToileError: when `dim` cannot be divided so, or Swin has other patches or too few stages.
    """

    _supports_gradient_checkpointing = False

    @register_to_config
    def __init__(
        self,
        swin: dict[str, Any],
        query_dim: int,
        level_channels: Sequence[int],
        dim: int = 256,
        num_task_queries: int = 32,
        num_units: int = 3,
        num_heads: int = 8,
        hard_masks: bool = False,
    ) -> None:
        super().__init__()
        if dim % GROUPS or dim % num_heads:
            raise ToileError(f"dim is {dim}; it should be divisible by {GROUPS} and by num_heads={num_heads}")
        self.features = SwinFeatures(swin, dim)
        self.pixels = PixelMap(dim)
        self.semantic = nn.Sequential(nn.LayerNorm(query_dim), nn.Linear(query_dim, dim))
        self.taskformer = TaskFormer(dim, num_task_queries, num_units, num_heads, hard_masks)
        self.decoder = Decoder(num_task_queries, level_channels, dim, num_heads)

    def forward(
        self,
        reference: Float[Tensor, "B 3 H W"],
        queries: Float[Tensor, "B N D"],
        decode: bool = True,
    ) -> SpatialFeatures:
        """Find F_SRM and the flat garment's silhouette.

        Args:
            reference: RGB in [-1, 1], the garment when trying on, the person when taking off.
            queries: F_QF.
            decode: False finds the silhouette alone, as in the first stage of training.

        Raises:
            ToileError: when height or width cannot be divided by 8, as latents need it.
        """
        height, width = reference.shape[2:]
        if height % 8 or width % 8:
            raise ToileError(f"the reference is {width}×{height}; both sides should be divisible by 8")
        scales = self.features(reference)  # H_1, H_2, H_3
        drawn = self.taskformer(
            self.semantic(queries), scales[1], scales[2], self.pixels(scales), refine=decode
        )
        levels = () if drawn.maps is None else self.decoder(drawn.maps)  # (B n C) each
        return SpatialFeatures(levels=levels, silhouette_logits=drawn.silhouette_logits)

    @classmethod
    def from_published(
        cls,
        swin: str | Path,
        *,
        query_dim: int,
        level_channels: Sequence[int],
        dim: int = 256,
        num_task_queries: int = 32,
        num_units: int = 3,
        num_heads: int = 8,
        hard_masks: bool = False,
    ) -> "SpatialRefinement":
        """Start from a published Swin, as `microsoft/swin-base-patch4-window7-224`; the rest is random.

        Args:
            swin: a folder, or a hub name (`owner/name`).
            query_dim: width of F_QF.
            level_channels: channels of the U-Net at each of its resolutions, the finest first.
            dim: width inside.
            num_task_queries: K.
            num_units: TaskFormer's units.
            num_heads: heads of attention.
            hard_masks: Mask2Former's masks instead of soft ones.

        Raises:
            ToileError: when there is no such folder, or what it holds is no Swin.
        """
        config = _published_config(swin)
        refinement: SpatialRefinement = cls(
            swin=config,
            query_dim=query_dim,
            level_channels=level_channels,
            dim=dim,
            num_task_queries=num_task_queries,
            num_units=num_units,
            num_heads=num_heads,
            hard_masks=hard_masks,
        )
        refinement.features.swin.load_state_dict(_published_weights(swin, config))
        return refinement


def three_stages(swin: dict[str, Any]) -> SwinConfig:
    """Complete the numbers of a Swin that ends after H_3.

    Ours: no stochastic depth unless it is asked for.

    Raises:
        ToileError: when its patches are not of 4×4 pixels, or it has fewer than three stages.
    """
    config = SwinConfig(**{"drop_path_rate": 0.0, **swin})
    if config.patch_size != 4 or len(config.depths) < STAGES:
        raise ToileError(
            f"this Swin has patches of {config.patch_size} pixels and {len(config.depths)} stages; "
            f"it should have patches of 4 and at least {STAGES} stages"
        )
    numbers = {
        **swin,
        "drop_path_rate": config.drop_path_rate,
        "depths": list(config.depths[:STAGES]),
        "num_heads": list(config.num_heads[:STAGES]),
        "out_features": [f"stage{index + 1}" for index in range(STAGES)],
    }
    return SwinConfig(**numbers)


def _published_config(name: str | Path) -> dict[str, Any]:
    config = load_part(AutoConfig, name)
    if not isinstance(config, SwinConfig) or config.use_absolute_embeddings:
        raise ToileError(f"{name} is no Swin with relative positions, but {config.model_type}; give one")
    numbers = {key: getattr(config, key) for key in SWIN_NUMBERS}
    stages = {key: list(getattr(config, key)[:STAGES]) for key in ("depths", "num_heads")}
    return {**numbers, **stages, "patch_size": config.patch_size}


def _published_weights(name: str | Path, config: dict[str, Any]) -> dict[str, Tensor]:
    swin, report = load_part(
        SwinBackbone,
        name,
        config=three_stages(config),
        dtype=torch.float32,
        use_safetensors=True,
        output_loading_info=True,
        ignore_mismatched_sizes=True,
    )
    lost = [*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])]
    wanted = [key for key in lost if not key.startswith(NEW_NORMS)]
    if wanted:
        raise ToileError(f"{name} lacks {wanted[0]}; it should be a Swin as transformers saves it, whole")
    state: dict[str, Tensor] = swin.state_dict()
    return state
