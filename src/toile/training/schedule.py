"""The learning rate of a step."""

import math

from toile.diffusion.optimization import Optimization


def learning_rate(optimization: Optimization, step: int) -> float:
    """Linear warm-up, then constant or a cosine to `final_learning_rate`.

    Args:
        optimization: gives the peak, the warm-up and the end.
        step: counted from 0; the peak is reached at `warmup_steps`, the end at the last step.
    """
    peak, final = optimization.learning_rate, optimization.final_learning_rate
    if step < optimization.warmup_steps:
        return peak * (step + 1) / (optimization.warmup_steps + 1)
    if final is None:
        return peak
    span = optimization.steps - 1 - optimization.warmup_steps
    progress = min((step - optimization.warmup_steps) / span, 1.0) if span > 0 else 1.0
    return final + (peak - final) * (1 + math.cos(math.pi * progress)) / 2
