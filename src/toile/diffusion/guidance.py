"""Classifier-free guidance: how far to go from the unconditional prediction through the conditional one."""

from jaxtyping import Float
from torch import Tensor


def guide(
    conditional: Float[Tensor, "B C h w"], unconditional: Float[Tensor, "B C h w"], scale: float
) -> Float[Tensor, "B C h w"]:
    """Mix the two predictions of a denoiser.

    Source: IGR, Eq. 2: ε̂(z; c, t) = s · ε(z; c, t) + (1 − s) · ε(z; t), with s = `scale`. It is linear in
    the predictions, so it is the same equation for v-prediction.
    """
    return scale * conditional + (1 - scale) * unconditional


def guided_rows(items: int) -> tuple[int, ...]:
    """Say which rows of a guided batch own which item: first every item unconditionally, then every item.

    Returns:
        As many times −1 (owns nothing) as there are items, then 0, 1, 2...
    """
    return (-1,) * items + tuple(range(items))
