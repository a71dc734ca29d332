"""A U-Net with another number of input channels: how a system gives its denoiser more to see."""

import torch
from diffusers import UNet2DConditionModel
from torch.nn import functional

from toile.errors import ToileError


def with_input_channels(unet: UNet2DConditionModel, in_channels: int) -> UNet2DConditionModel:
    """Copy a U-Net and give the copy more input channels behind those it has, their weights zero.

    So it starts as the same function, whatever the new channels carry. With no more channels it is a plain
    copy that shares no weight.

    Args:
        unet: what is copied; it stays as it is.
        in_channels: how many channels the copy reads in all.

    Raises:
        ToileError: when the U-Net has more input channels than that.
    """
    present = int(unet.config["in_channels"])
    if in_channels < present:
        raise ToileError(
            f"in_channels is {in_channels}, but the U-Net reads {present} already; give at least {present}"
        )
    with torch.device("meta"):  # the weights come from the state: nothing is drawn at random
        copy = UNet2DConditionModel.from_config({**unet.config, "in_channels": in_channels})
    state = {name: tensor.clone() for name, tensor in unet.state_dict().items()}
    weight = state["conv_in.weight"]  # (C_out present 3 3)
    state["conv_in.weight"] = functional.pad(weight, (0, 0, 0, 0, 0, in_channels - present))
    copy.load_state_dict(state, assign=True)
    return copy
