"""Human parsing: what each pixel of a photo is, by a Segformer for clothes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import interpolate
from transformers import SegformerForSemanticSegmentation

from toile.bundled import TINY, weights_folder
from toile.data.parse_labels import ATR, LIP, WITHOUT_LIP
from toile.data.pretrained import Processor, load_pretrained, read_config, read_processor
from toile.errors import ToileError
from toile.images import Box, as_photo, fit

FOLDER = "parser"
"""The folder of the bundled parser within the weights."""
SYNONYMS: Mapping[str, str] = {
    "upper clothes": "upper",
    "upperclothes": "upper",
    "pants": "trousers",
    "jumpsuits": "dress",
}
"""Names of published parsers that differ from ours. Ours: a jumpsuit, of one piece, counts as a dress."""
DEFAULT_SIZE = (512, 512)
"""What transformers' Segformer processor resizes to when a checkpoint does not say."""
LARGEST_SIDE = 1536
"""Logits are enlarged to at most this; labels of larger photos are enlarged further pixel by pixel."""
WHAT = "parser"


class Parser:
    """Says what each pixel of a photo is.

    The checkpoint's `id2label` names its labels: those of LIP and of ATR are understood, whatever their
    numbers, and come out as LIP's. Photos are fitted to the checkpoint's size and padded with white when its
    processor says `do_pad`, as the bundled one does; else they are squeezed into it, as published Segformers
    were trained.
    """

    def __init__(
        self, model: nn.Module, labels: UInt8[np.ndarray, " L"], processor: Processor, device: str = "cpu"
    ) -> None:
        """Keep the parts; `from_pretrained` makes them.

        Args:
            model: a `SegformerForSemanticSegmentation` on `device`.
            labels: LIP's number of each of its labels.
            processor: how photos are brought to it.
            device: as torch names it.
        """
        self.model, self.labels, self.processor, self.device = model, labels, processor, device

    @classmethod
    def from_pretrained(cls, name: str | Path = TINY, *, device: str = "cpu") -> "Parser":
        """Load a parser.

        Args:
            name: `tiny`, which is bundled; a folder that a Segformer was saved into; or a hub name, as
                `mattmdjaga/segformer_b2_clothes` (ATR's labels).
            device: as torch names it.

        Raises:
            ToileError: when there is no such model, it is no Segformer, its labels are no clothes, or its
                weights are damaged.
        """
        place = _bundled_folder() if str(name) == TINY else name
        config = read_config(place, WHAT)
        if config.model_type != "segformer":
            raise ToileError(
                f"the {WHAT} {place} is a {config.model_type}; give a Segformer that was trained on clothes"
            )
        labels = lip_numbers(config.id2label, str(place))
        processor = read_processor(str(place), DEFAULT_SIZE)
        return cls(
            load_pretrained(SegformerForSemanticSegmentation, place, WHAT, device), labels, processor, device
        )

    def __call__(self, photos: Sequence[Image.Image], *, batch: int = 8) -> list[Image.Image]:
        """Parse photos of any size and aspect.

        Args:
            photos: of any mode.
            batch: how many go through the network at once.

        Returns:
            For each photo an "L" picture of its size, holding LIP's labels.
        """
        return [
            parse
            for start in range(0, len(photos), batch)
            for parse in self._parse([as_photo(photo) for photo in photos[start : start + batch]])
        ]

    @torch.inference_mode()
    def _parse(self, photos: Sequence[Image.Image]) -> list[Image.Image]:
        height, width = self.processor.size
        if self.processor.pads:
            canvases, boxes = zip(*(fit(photo, self.processor.size) for photo in photos), strict=True)
        else:
            canvases = tuple(self.processor.squeezed(photo) for photo in photos)
            boxes = ((0, 0, width, height),) * len(photos)
        pixels = self.processor.pixels(canvases).to(self.device)
        logits = self.model(pixel_values=pixels).logits.float()  # (B, L, h, w), a quarter of the size
        return [
            self._labelled(item, box, photo.size)
            for item, box, photo in zip(logits, boxes, photos, strict=True)
        ]

    def _labelled(self, logits: Float[Tensor, "L h w"], box: Box, size: tuple[int, int]) -> Image.Image:
        """The most likely label of each pixel of a photo that fills `box` of the network's canvas."""
        most = LARGEST_SIDE / max(*size, LARGEST_SIDE)
        inner = max(1, round(size[1] * most)), max(1, round(size[0] * most))
        likely = enlarge(_cut(logits, box, self.processor.size), inner).argmax(0)  # (H, W)
        labels = Image.fromarray(self.labels[likely.cpu().numpy()])
        return labels if labels.size == size else labels.resize(size, Image.Resampling.NEAREST)


def enlarge(logits: Float[Tensor, "L h w"], size: tuple[int, int]) -> Float[Tensor, "L H W"]:
    """Logits at another size (height, width), as transformers enlarges them."""
    return interpolate(logits[None], size=size, mode="bilinear", align_corners=False)[0]


def lip_numbers(names: Mapping[int, str], place: str) -> UInt8[np.ndarray, " L"]:
    """LIP's number of each label of a checkpoint, by its name.

    Args:
        names: the checkpoint's `id2label`.
        place: where the checkpoint is from, for the message.

    Raises:
        ToileError: when neither LIP nor ATR has such a label.
    """
    numbers = np.zeros(len(names), np.uint8)
    for number in range(len(names)):
        plain = names[number].lower().replace("-", " ").replace("_", " ").strip()
        plain = SYNONYMS.get(plain, plain)
        if plain not in LIP and plain not in ATR:
            raise ToileError(
                f"the {WHAT} {place} has a label {names[number]!r}, which neither LIP nor ATR has; "
                "give a Segformer for clothes, as mattmdjaga/segformer_b2_clothes"
            )
        numbers[number] = LIP[WITHOUT_LIP.get(plain, plain)]
    return numbers


def _cut(logits: Float[Tensor, "L h w"], box: Box, canvas: tuple[int, int]) -> Float[Tensor, "L H W"]:
    """The part of the logits that is the photo's, at the canvas's size unless it is all of them."""
    left, top, right, bottom = box
    if (top, left, bottom, right) == (0, 0, *canvas):
        return logits
    return enlarge(logits, canvas)[:, top:bottom, left:right]


def _bundled_folder() -> Path:
    folder = weights_folder() / FOLDER
    if not (folder / "config.json").is_file():
        raise ToileError(
            f"the weights of the tiny parser are missing from {folder}; run `make weights`, or name another"
        )
    return folder
