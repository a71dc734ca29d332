"""A real parser that can tell the clothes of one drawn figure: a small Segformer, overfitted to it."""

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tests.data.small_networks import segformer

from toile.data.parse_labels import LIP

NAMES = ("Background", "Face", "Upper-clothes", "Pants")
COLOURS = ((230, 230, 230), (240, 190, 160), (200, 30, 40), (30, 40, 160))
SIZE = (96, 64)
BOXES = {1: (24, 6, 40, 22), 2: (16, 22, 48, 54), 3: (20, 54, 44, 90)}


def figure(worn: tuple[int, ...] = (1, 2, 3)) -> tuple[Image.Image, np.ndarray]:
    """A figure with a face, a red shirt and blue trousers, as far as `worn` has them, and its labels."""
    labels = np.zeros(SIZE, np.uint8)
    for number in worn:
        left, top, right, bottom = BOXES[number]
        labels[top:bottom, left:right] = number
    noise = np.random.default_rng(0).normal(0, 4, (*SIZE, 3))
    pixels = np.array(COLOURS)[labels] + noise
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8)), labels


def lip_labels(labels: np.ndarray) -> np.ndarray:
    """The figure's labels as LIP numbers them."""
    names = ("background", "face", "upper", "trousers")
    return np.array([LIP[name] for name in names], np.uint8)[labels]


def overfitted_parser(folder: Path, steps: int = 60) -> Path:
    """Train the Segformer on the figure, with and without its clothes, and save it."""
    model = segformer(folder, NAMES).train()
    (folder / "preprocessor_config.json").write_text(
        json.dumps({"size": {"height": SIZE[0], "width": SIZE[1]}})
    )
    shown = [figure(worn) for worn in ((1, 2, 3), (1, 3), (1, 2), ())]
    pixels = np.stack([np.asarray(photo, np.float32) / 255 for photo, _ in shown])
    mean, deviation = (
        np.array(values, np.float32) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    inputs = torch.from_numpy(((pixels - mean) / deviation).transpose(0, 3, 1, 2).copy())
    targets = torch.from_numpy(np.stack([labels for _, labels in shown]).astype(np.int64))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        model(pixel_values=inputs, labels=targets).loss.backward()
        optimizer.step()
    model.eval().save_pretrained(folder)
    return folder
