"""Loading published transformers models by folder or hub name, and the numbers of their image processors.

The processors themselves are not used: today's want torchvision, which must not be needed here.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from huggingface_hub.errors import StrictDataclassError
from jaxtyping import Float
from PIL import Image
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoConfig
from transformers.image_processing_base import ImageProcessingMixin
from transformers.image_utils import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from transformers.utils import logging

from toile.errors import ToileError

FAILURES = (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError, StrictDataclassError)
"""What transformers raises when a folder or a hub name cannot be loaded."""


@dataclass(frozen=True, kw_only=True)
class Processor:
    """What an image processor does to photos before its network sees them."""

    size: tuple[int, int]
    """(height, width) that photos are resized to."""
    pads: bool = False
    """Whether the aspect is kept and the rest padded; else photos are squeezed."""
    mean: tuple[float, ...] = tuple(IMAGENET_DEFAULT_MEAN)
    """Subtracted from RGB in [0, 1]."""
    deviation: tuple[float, ...] = tuple(IMAGENET_DEFAULT_STD)
    """Divided by, after that."""
    resample: int = Image.Resampling.BILINEAR
    """PIL's number of the filter that resizes."""

    def pixels(self, pictures: Sequence[Image.Image]) -> Float[Tensor, "B 3 H W"]:
        """RGB pictures of one size as the network wants them."""
        values = np.stack([np.asarray(picture, np.float32) for picture in pictures]) / 255
        normal = (values - np.asarray(self.mean, np.float32)) / np.asarray(self.deviation, np.float32)
        return torch.from_numpy(np.ascontiguousarray(normal.transpose(0, 3, 1, 2)))  # (B, 3, H, W)

    def squeezed(self, photo: Image.Image) -> Image.Image:
        """A photo resized to the processor's size, whatever its aspect."""
        return photo.resize((self.size[1], self.size[0]), Image.Resampling(self.resample))


def read_processor(name: str, default_size: tuple[int, int]) -> Processor:
    """The numbers of a published model's image processor, transformers' defaults where it says none.

    Raises:
        ToileError: when they make no sense.
    """
    try:
        numbers = ImageProcessingMixin.get_image_processor_dict(name)[0]
    except OSError:  # none was published
        return Processor(size=default_size)
    try:
        normalises = numbers.get("do_normalize", True)
        return Processor(
            size=_size(numbers.get("size", default_size)),
            pads=bool(numbers.get("do_pad", False)),
            mean=_three(numbers.get("image_mean", IMAGENET_DEFAULT_MEAN)) if normalises else (0.0,) * 3,
            deviation=_three(numbers.get("image_std", IMAGENET_DEFAULT_STD)) if normalises else (1.0,) * 3,
            resample=int(numbers.get("resample", Image.Resampling.BILINEAR)),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise ToileError(
            f"the image processor of {name} has numbers that cannot be used ({error}); save it again"
        ) from error


def read_config(name: str | Path, what: str) -> Any:
    """The configuration of a model in a folder or on the hub.

    Args:
        name: a folder that a transformers model was saved into, or `owner/name`.
        what: what it is wanted as, for the message.

    Raises:
        ToileError: when there is none.
    """
    folder = Path(name)
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise ToileError(
            f"{folder} is no {what}: it has no config.json; give a folder that save_pretrained wrote"
        )
    if not folder.is_dir() and str(name).count("/") != 1:
        raise ToileError(f"{what} {str(name)!r}: no such folder; give a folder, or a hub name as owner/name")
    try:
        return AutoConfig.from_pretrained(str(name))
    except FAILURES as error:
        raise ToileError(f"the {what} {name} cannot be loaded: {first_line(error)}") from error


def load_pretrained(kind: Any, name: str | Path, what: str, device: str = "cpu") -> Any:
    """Load a transformers model in float32, ready to infer; from safetensors only, and with all its weights.

    Args:
        kind: the class, as `SegformerForSemanticSegmentation`.
        name: a folder, or `owner/name` on the hub.
        what: what it is, for messages.
        device: as torch names it.

    Raises:
        ToileError: when it cannot be loaded, or weights are missing.
    """
    try:
        with _without_progress():
            model, report = kind.from_pretrained(
                str(name), use_safetensors=True, output_loading_info=True, dtype=torch.float32
            )
    except FAILURES as error:
        raise ToileError(f"the {what} {name} cannot be loaded: {first_line(error)}") from error
    missing = sorted(report["missing_keys"])
    if missing:
        raise ToileError(
            f"the {what} {name} cannot be loaded: {len(missing)} weights are missing from its files, "
            f"{missing[0]} among them; copy or save the whole model again"
        )
    network: nn.Module = model.to(device).eval().requires_grad_(False)
    return network


@contextmanager
def _without_progress() -> Iterator[None]:
    """No progress bars of transformers meanwhile."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def first_line(error: Exception) -> str:
    """The first sentence of what transformers says, which goes on for a page."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _size(value: Any) -> tuple[int, int]:
    if isinstance(value, int):
        return value, value
    if isinstance(value, dict):
        return int(value["height"]), int(value["width"])
    height, width = value
    return int(height), int(width)


def _three(values: Any) -> tuple[float, ...]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
