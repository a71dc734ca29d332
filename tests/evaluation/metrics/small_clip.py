"""A CLIP and a DINO with random weights, in their real layouts, for the tests of metrics."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import CLIPConfig, CLIPModel, ViTConfig, ViTModel

from toile.diffusion import tiny
from toile.evaluation.metrics.sample import Sample, WornGarment

WORDS = ("a person in a red dress", "a blue shirt")
SIZE = (36, 48)


def save_clip(folder: Path) -> Path:
    torch.manual_seed(0)
    tokenizer = tiny.tokenizer(WORDS)
    text = {
        "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
        "vocab_size": len(tokenizer), "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": tokenizer.bos_token_id, "pad_token_id": tokenizer.pad_token_id,
        "max_position_embeddings": tokenizer.model_max_length,
    }  # fmt: skip
    vision = {
        "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
        "image_size": 32, "patch_size": 8,
    }  # fmt: skip
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=12)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_dino(folder: Path) -> Path:
    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=224,
        patch_size=56,
    )  # fmt: skip
    ViTModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


def picture(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """Blotches of colour, RGB; `size` is (width, height)."""
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(0, 256, (6, 4, 3), dtype=np.uint8))
    return small.resize(size, Image.Resampling.BILINEAR)


def region(box: tuple[int, int, int, int] | None) -> Image.Image:
    mask = Image.new("L", SIZE, 0)
    if box is not None:
        mask.paste(255, box)
    return mask


def sample(seed: int, garments: int = 2) -> Sample:
    boxes = ((4, 4, 30, 24), (8, 24, 28, 46))
    worn = tuple(
        WornGarment(kind=kind, picture=picture(100 + 10 * seed + i), region=region(boxes[i]))
        for i, kind in enumerate(("upper", "lower")[:garments])
    )
    return Sample(
        identifier=f"{seed:03d}",
        prediction=picture(seed),
        target=picture(seed + 50),
        prompt=WORDS[seed % 2],
        garments=worn,
    )
