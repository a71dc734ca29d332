"""The optimisers of a recipe: one, or one for matrices and one for everything else."""

from collections.abc import Iterable

import torch
from torch import nn
from torch.optim import AdamW, Muon, Optimizer

from toile.diffusion.optimization import Optimization


def make_optimizers(
    optimization: Optimization, parameters: Iterable[nn.Parameter], device: torch.device
) -> list[Optimizer]:
    """Make what updates the parameters; each of them belongs to one optimiser.

    Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; its steps are
    scaled to AdamW's mean size (Liu et al. 2025, "Muon is scalable for LLM training"), so that one learning
    rate serves both. Ours: matrices are the weights of linear layers and embeddings; the filters of
    convolutions stay with AdamW.
    """
    every = list(parameters)
    chosen = [p for p in every if p.ndim == 2] if optimization.optimizer == "muon" else []
    matrices = {id(p) for p in chosen}
    others = [p for p in every if id(p) not in matrices]
    rate, decay = optimization.learning_rate, optimization.weight_decay
    fused = device.type in ("cpu", "cuda") and optimization.mixed_precision != "fp16"
    optimizers: list[Optimizer] = []
    if others:
        optimizers.append(AdamW(others, lr=rate, betas=optimization.betas, weight_decay=decay, fused=fused))
    if chosen:
        optimizers.append(Muon(chosen, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw"))
    return optimizers
