"""What a training holds before it sees a picture, at Stable Diffusion 1.5's shapes: counted, on no GPU.

    python -m benchmarks.training_memory

Weights are kept in float32 whatever `mixed_precision` says. One that trains has a gradient and AdamW's two
moments beside it, 16 bytes in all; a frozen one takes 4. Activations come on top: they depend on the size of
the pictures, on how many a micro-batch holds, and on `gradient_checkpointing`.
"""

from collections.abc import Iterator

import torch
from benchmarks import igr, twgtm
from diffusers import UNet2DConditionModel
from torch import nn

from toile.anydressing.model import AnyDressingModel
from toile.anydressing.recipes import Trained
from toile.diffusion.stable_diffusion import sd15_unet_config
from toile.training.twgtm_start import mark_trained
from toile.twgtm.recipes import TWGTMRecipe, paper_stage_1, paper_stage_2

TRAINED_BYTES, FROZEN_BYTES = 16, 4
MEGA, GIBI = 1e6, 2**30


def count(model: nn.Module) -> tuple[int, int]:
    """How many parameters train, and how many there are."""
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return sum(size for size, trains in sizes if trains), sum(size for size, _ in sizes)


def models() -> Iterator[tuple[str, nn.Module]]:
    """Each system as its paper's recipe trains it, with no numbers in its weights."""
    yield "igr-paper-coarse", igr.build("sd15", "meta", torch.float32)[0]
    for recipe in (paper_stage_1(), paper_stage_2()):
        yield f"twgtm-paper-stage-{recipe.stage}", two_way(recipe)
    yield "anydressing-paper", dressing("lora")
    yield "anydressing-paper --train-garments-net full", dressing("full")


def two_way(recipe: TWGTMRecipe) -> nn.Module:
    """A TWGTM, with what a stage trains marked."""
    model = twgtm.Contestants("sd15", (64, 48), "meta", torch.float32).model.requires_grad_(True)
    mark_trained(model, recipe)
    return model


def dressing(trained: Trained) -> nn.Module:
    """An AnyDressing for upper and lower garments."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(**sd15_unet_config())
        model: nn.Module = AnyDressingModel.from_base(unet, ("upper", "lower"), 16, True, trained)
    return model


def main() -> None:
    print("| training | million parameters that train | million in all | GiB |\n|---|---:|---:|---:|")
    for name, model in models():
        trains, every = count(model)
        held = trains * TRAINED_BYTES + (every - trains) * FROZEN_BYTES
        print(f"| `{name}` | {trains / MEGA:.0f} | {every / MEGA:.0f} | {held / GIBI:.1f} |")


if __name__ == "__main__":
    main()
