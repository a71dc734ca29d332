"""TWGTM's two modules with a handful of channels and random weights, and a reference for them."""

import torch
from tests.small_models import IMAGE, TEXT

from toile.twgtm.semantic import SemanticAbstraction
from toile.twgtm.spatial import SpatialRefinement

CLIP, PATCHES, WORDS = 20, 6, 4
QFORMER = {
    "vocab_size": 30,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 8,
    "encoder_hidden_size": 28,
}
SWIN = {"embed_dim": 8, "depths": [2, 2, 2], "num_heads": [1, 2, 4], "window_size": 3, "mlp_ratio": 2.0}
CHANNELS = (16, 32, 32)


def small_semantic(qformer: dict | None = QFORMER, queries: int = 5, seed: int = 0) -> SemanticAbstraction:
    """A Semantic Abstraction Module whose weights all differ, as after some training."""
    torch.manual_seed(seed)
    module = SemanticAbstraction(CLIP, IMAGE, TEXT, num_queries=queries, qformer=qformer)
    return _shaken(module, seed)


def small_spatial(seed: int = 0, *, hard_masks: bool = False) -> SpatialRefinement:
    """A Spatial Refinement Module whose weights all differ, as after some training."""
    torch.manual_seed(seed)
    module = SpatialRefinement(
        SWIN, TEXT, CHANNELS, dim=16, num_task_queries=4, num_units=2, num_heads=2, hard_masks=hard_masks
    )
    return _shaken(module, seed)


def references(batch: int = 2, size: tuple[int, int] = (64, 48), seed: int = 1) -> dict[str, torch.Tensor]:
    """Pictures, what CLIP would say of them, and a text, at random."""
    draw = torch.Generator().manual_seed(seed)
    return {
        "reference": torch.rand(batch, 3, *size, generator=draw) * 2 - 1,
        "clip_tokens": torch.randn(batch, PATCHES, CLIP, generator=draw),
        "clip_embeds": torch.randn(batch, IMAGE, generator=draw),
        "tokens": torch.randint(1, 30, (batch, WORDS), generator=draw),
    }


def _shaken(module: torch.nn.Module, seed: int):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.05 * torch.randn(parameter.shape, generator=generator)
    return module.eval()
