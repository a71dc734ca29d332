"""What the localization loss adds to a training step of AnyDressing, in time and in memory.

    python -m benchmarks.localization --repeats 15                    # tiny, 256×192 pixels, batches of 4
    python -m benchmarks.localization --latents 16x12 --batch 16 --dtype bfloat16

A step is forward and backward, without the optimiser and without L_texture. Time is the median of turns that
alternate. Memory is what the forward pass keeps for the backward pass, weights left out. The naive way holds
Eq. 7's P of every layer.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

import torch
from benchmarks.passes import clock
from rich.console import Console
from rich.table import Table
from torch import Tensor

from toile.anydressing import dressing_attention
from toile.anydressing.localization import Localization
from toile.anydressing.model import AnyDressingModel
from toile.anydressing.objective import anydressing_loss
from toile.diffusion import tiny
from toile.diffusion.attention import merge_heads, split_heads

MOST = 0.15
"""The share of a step's time that localization may cost at most."""
KINDS = ("upper", "lower", "hat", "shoes", "bag", "scarf", "gloves", "belt")
WITHOUT, OURS, JOINT, NAIVE = "without", "ours", "ours, joint softmax", "naive"


def naive_mapped_attention(
    query: Tensor, key: Tensor, value: Tensor, heads: int, tokens: Sequence[int], own_key: None
) -> tuple[Tensor, Tensor]:
    """Eq. 6 to 8 as they are written: P in full, for the output and for the maps."""
    queries, keys, values = (split_heads(each, heads) for each in (query, key, value))
    shares = (queries @ keys.transpose(-1, -2) * queries.shape[-1] ** -0.5).softmax(-1)  # (B heads N M)
    maps = torch.stack([each.sum(-1) for each in shares.split(list(tokens), dim=-1)], dim=2)
    return merge_heads(shares @ values), maps.float().mean(1)  # (B n N)


def batch_of(rows: int, garments: int, latents: tuple[int, int]) -> dict[str, Tensor]:
    """A batch at random in which every photo shows all garments."""
    height, width = latents
    return {
        "person_latents": torch.randn(rows, tiny.LATENT_CHANNELS, height, width),
        "garment_latents": torch.randn(rows, garments, tiny.LATENT_CHANNELS, height, width),
        "present": torch.ones(rows, garments, dtype=torch.bool),
        "worn": (torch.rand(rows, garments, 8 * height, 8 * width) > 0.5).byte() * 255,
        "prompt_embeds": torch.randn(rows, tiny.TEXT_LENGTH, tiny.EMBEDDING),
        "null_prompt_embeds": torch.randn(1, tiny.TEXT_LENGTH, tiny.EMBEDDING),
    }


def forward(model: AnyDressingModel, batch: dict[str, Tensor], localization: Localization | None) -> Tensor:
    """The loss of a step; the same noise each time."""
    generator = torch.Generator().manual_seed(0)
    settings = {"drop_probability": 0.0, "localization": localization, "texture_weight": 0.0}
    return anydressing_loss(model, batch, tiny.scheduler(), generator, **settings)["loss"]


def step(model: AnyDressingModel, loss: Callable[[], Tensor], dtype: torch.dtype) -> None:
    """Forward and backward."""
    device = next(model.parameters()).device.type
    with torch.autocast(device, dtype, enabled=dtype != torch.float32):
        value = loss()
    value.backward()
    model.zero_grad(set_to_none=True)


def kept_bytes(model: AnyDressingModel, loss: Callable[[], Tensor], dtype: torch.dtype) -> int:
    """How much the forward pass keeps for the backward pass, each memory counted once, weights not at all."""
    weights = {each.untyped_storage().data_ptr() for each in model.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        memory = tensor.untyped_storage()
        if memory.data_ptr() not in weights:
            kept[memory.data_ptr()] = memory.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        step(model, loss, dtype)
    return sum(kept.values())


@contextmanager
def naively() -> Iterator[None]:
    """Have the attention layers hold P."""
    with patch.object(dressing_attention, "mapped_attention", naive_mapped_attention):
        yield


def ways(model: AnyDressingModel, batch: dict[str, Tensor]) -> dict[str, Callable[[], Tensor]]:
    """The losses that are compared."""

    def naive() -> Tensor:
        with naively():
            return forward(model, batch, "garments")

    return {
        WITHOUT: partial(forward, model, batch, None),
        OURS: partial(forward, model, batch, "garments"),
        JOINT: partial(forward, model, batch, "joint"),
        NAIVE: naive,
    }


def table(seconds: dict[str, float], kept: dict[str, int]) -> Table:
    """Time and memory, and what is added to a step without localization."""
    drawn = Table("localization", "seconds", "added", "kept, MiB", "added, MiB")
    for name, time in seconds.items():
        added = f"{time / seconds[WITHOUT] - 1:+.1%}", f"{(kept[name] - kept[WITHOUT]) / 2**20:+.1f}"
        drawn.add_row(name, f"{time:.3f}", added[0], f"{kept[name] / 2**20:.1f}", added[1])
    return drawn


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--latents", default="32x24", help="height x width of the latents")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--garments", type=int, default=2, help="in each photo, at most 8")
    parser.add_argument("--repeats", type=int, default=15, help="timed turns")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16"), help="of autocast")
    options = parser.parse_args()
    height, width = (int(side) for side in options.latents.split("x"))
    dtype = getattr(torch, options.dtype)

    torch.manual_seed(0)
    model = AnyDressingModel.from_base(tiny.unet(), KINDS[: options.garments], trained="full")
    model.to(options.device).train()
    batch = batch_of(options.batch, options.garments, (height, width))
    losses = ways(model, {name: value.to(options.device) for name, value in batch.items()})
    kept = {name: kept_bytes(model, loss, dtype) for name, loss in losses.items()}
    seconds = clock(
        {name: partial(step, model, loss, dtype) for name, loss in losses.items()},
        options.repeats,
        options.device,
    )
    Console().print(table(seconds, kept))
    added = seconds[OURS] / seconds[WITHOUT] - 1
    if added > MOST:
        raise SystemExit(f"target missed: localization adds {added:.1%} to a step, the target is {MOST:.0%}")


if __name__ == "__main__":
    main()
