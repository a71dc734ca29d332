"""How alike two U-Nets' parameters are, and how alike one U-Net's layers work in its two tasks.

Legend: `B` batch, `C` channels of a block, `y x` its feature map, `rows` `columns` blocks compared.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from toile.diffusion.layers import plain_name
from toile.errors import ToileError

THRESHOLDS = (0.0005, 0.001, 0.005, 0.01, 0.05)
"""Paper: from 0.0005 to 0.05. Ours: the steps between them."""
KINDS = {"self-attention": ".attn1.", "feed-forward": ".ff."}
"""What parameters' names hold, by the kind of layer that they belong to."""
BOTH = "both"


@dataclass(frozen=True, kw_only=True)
class ParameterSimilarity:
    """How many parameters of two checkpoints differ by less than each threshold."""

    thresholds: tuple[float, ...]
    """Relative errors."""
    shares: Mapping[str, tuple[float, ...]]
    """By kind of layer: the share of parameters under each threshold, 0 to 1."""
    counts: Mapping[str, int]
    """By kind of layer: how many numbers were compared."""


def parameter_similarity(
    a: Mapping[str, Tensor], b: Mapping[str, Tensor], thresholds: Sequence[float] = THRESHOLDS
) -> ParameterSimilarity:
    """Compare the self-attention and feed-forward parameters of two U-Nets of one architecture.

    Tensors are asked for one at a time, so that a mapping may read them when it is indexed.

    Args:
        a: a U-Net's parameters by diffusers' names.
        b: the other's.
        thresholds: relative errors; a parameter counts where its own is smaller.

    Raises:
        ToileError: when a threshold is not positive, or the two have no such layers, or unlike ones, or
            numbers that are not finite.

    Source: TWGTM, Fig. 1 (a).
    """
    if not thresholds or min(thresholds) <= 0:
        raise ToileError(f"the thresholds are {tuple(thresholds)}; give positive ones, for example 0.0005")
    under, counts = {}, {}
    for kind, part in KINDS.items():
        names = _shared_names(a, b, kind, part)
        found = [_count_under(name, a[name], b[name], thresholds) for name in names]
        under[kind] = [sum(column) for column in zip(*(row for row, _ in found), strict=True)]
        counts[kind] = sum(count for _, count in found)
    under[BOTH] = [sum(column) for column in zip(*under.values(), strict=True)]
    counts[BOTH] = sum(counts.values())
    shares = {kind: tuple(count / counts[kind] for count in row) for kind, row in under.items()}
    return ParameterSimilarity(thresholds=tuple(thresholds), shares=shares, counts=counts)


def _shared_names(a: Mapping[str, Tensor], b: Mapping[str, Tensor], kind: str, part: str) -> list[str]:
    first, second = ([name for name in names if part in name] for names in (a, b))
    if not first and not second:
        raise ToileError(f"no {kind} layer among the parameters (no name with {part!r}); give U-Nets")
    alone = sorted(set(first) ^ set(second))
    if alone:
        where = "first" if alone[0] in a else "second"
        raise ToileError(
            f"only the {where} model has the parameter {alone[0]}; compare models of one architecture"
        )
    return first


def _count_under(name: str, a: Tensor, b: Tensor, thresholds: Sequence[float]) -> tuple[tuple[int, ...], int]:
    if a.shape != b.shape:
        raise ToileError(
            f"{name} has the shapes {tuple(a.shape)} and {tuple(b.shape)}; compare models of one architecture"
        )
    error = relative_error(a.float(), b.float())
    if not bool(error.isfinite().all()):
        raise ToileError(f"{name} holds numbers that are not finite; one of the checkpoints is damaged")
    return tuple(int((error < threshold).sum()) for threshold in thresholds), error.numel()


def relative_error(a: Float[Tensor, "*shape"], b: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """|a - b| / max(|a|, |b|), number by number: 0 for equal ones, 1 where one is zero, at most 2.

    Source: TWGTM, Fig. 1 (a), "relative errors". Ours: relative to the larger of the two, so that neither
    checkpoint is the measure of the other and no zero divides; two zeros are equal.
    """
    scale = torch.maximum(a.abs(), b.abs())
    return torch.where(scale == 0, 0, (a - b).abs() / torch.where(scale == 0, 1, scale))


@torch.no_grad()
def record_outputs(unet: nn.Module, call: Callable[[], object]) -> dict[str, Float[Tensor, "B C y x"]]:
    """Collect what every transformer block of a U-Net puts out while `call` runs it.

    Where `call` runs the U-Net more than once, the last time counts.

    Args:
        unet: a diffusers U-Net.
        call: runs it; what it returns is not looked at.

    Returns:
        By the block's module path, in the order in which they ran: tokens laid out as the feature map that
        they came from, float32 on the CPU.

    Raises:
        ToileError: when `call` runs no transformer block.
    """
    outputs: dict[str, Tensor] = {}
    hooks = [
        hook
        for path, transformer in unet.named_modules()
        if isinstance(transformer, Transformer2DModel)
        for hook in _record(plain_name(path), transformer, outputs)
    ]
    try:
        call()
    finally:
        for hook in hooks:
            hook.remove()
    if not outputs:
        raise ToileError("no transformer block ran; `call` has to run the U-Net that is recorded")
    return outputs


def _record(
    path: str, transformer: Transformer2DModel, outputs: dict[str, Tensor]
) -> list[torch.utils.hooks.RemovableHandle]:
    """Hooks that note a transformer's grid, and unfold each of its blocks' tokens on it."""
    grid: list[int] = []

    def note(_: nn.Module, arguments: tuple[Tensor, ...], keywords: Mapping[str, Tensor]) -> None:
        grid[:] = (arguments[0] if arguments else keywords["hidden_states"]).shape[-2:]  # (B C y x)

    def keep(name: str, tokens: Tensor) -> None:
        outputs.pop(name, None)  # so that the order is that of the last run
        outputs[name] = tokens.mT.unflatten(2, grid).float().cpu().clone()  # (B C y x)

    hooks = [transformer.register_forward_pre_hook(note, with_kwargs=True)]
    for inner, block in transformer.named_modules():
        if isinstance(block, BasicTransformerBlock):
            name = f"{path}.{plain_name(inner)}"
            hooks.append(
                block.register_forward_hook(lambda _module, _inputs, tokens, name=name: keep(name, tokens))
            )
    return hooks


def short_name(path: str) -> str:
    """A module path for a figure: `down_blocks.1.attentions.0.transformer_blocks.0` becomes `down 1.0.0`."""
    first, *rest = path.split(".")
    return f"{first.partition('_')[0]} {'.'.join(part for part in rest if part.isdecimal())}"


def swapped_panels(outputs: Mapping[str, Float[Tensor, "B C y x"]]) -> dict[str, Float[Tensor, "B C y x"]]:
    """The same feature maps with their left and right halves exchanged.

    The two tasks order their panels the other way round: as they are, the person of one is compared with the
    garment of the other; with one of them swapped, like is compared with like.
    """
    return {name: maps.roll(maps.shape[-1] // 2, dims=-1) for name, maps in outputs.items()}


def feature_similarity(
    outputs_a: Mapping[str, Float[Tensor, "_ _ _ _"]],
    outputs_b: Mapping[str, Float[Tensor, "_ _ _ _"]],
    grid: tuple[int, int] | None = None,
) -> Float[Tensor, "rows columns"]:
    """Cosine similarity of every block's output in one task with every block's in the other, -1 to 1.

    Each map is pooled to one grid, the same for all, so that no two cells are read at different scales, and
    laid out as one vector an item; a cell is the mean over the items. NaN where two blocks differ in width:
    their channels mean different things, and there is nothing to compare.

    Args:
        outputs_a: what `record_outputs` gives, the matrix's rows.
        outputs_b: the same of the other task, for the same items, the matrix's columns.
        grid: height and width to pool to; None takes the smallest of all the maps.

    Raises:
        ToileError: when one side is empty, or the two were recorded with batches of different sizes.

    Source: TWGTM, Fig. 1 (b). Ours: the pooling and the NaNs; the paper does not say what it does.
    """
    maps = [*outputs_a.values(), *outputs_b.values()]
    batches = sorted({len(found) for found in maps})
    if not outputs_a or not outputs_b or len(batches) != 1:
        raise ToileError(f"outputs of one batch on each side are needed, not of batches of {batches}")
    height, width = grid or (min(m.shape[2] for m in maps), min(m.shape[3] for m in maps))
    rows, columns = (
        [_directions(found, (height, width)) for found in outputs.values()]
        for outputs in (outputs_a, outputs_b)
    )
    matrix = torch.full((len(rows), len(columns)), torch.nan)
    for row, a in enumerate(rows):
        for column, b in enumerate(columns):
            if a.shape == b.shape:
                matrix[row, column] = (a * b).sum(dim=1).mean()
    return matrix


def _directions(maps: Tensor, grid: tuple[int, int]) -> Tensor:
    pooled = adaptive_avg_pool2d(maps.double(), grid).flatten(1)  # (B C·y·x)
    return nn.functional.normalize(pooled, dim=1)
