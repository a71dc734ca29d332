"""Training the tiny parser: name what each pixel of a person is, from Paper Dolls alone.

B: batch, L: labels, H W: pixels.
"""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import Dataset
from transformers import SegformerConfig, SegformerForSemanticSegmentation

from toile.data.latent_cache import Encodings
from toile.data.parse_labels import GARMENT_LABELS, LIP
from toile.data.tensors import to_tensor
from toile.diffusion.optimization import Optimization
from toile.dolls import Doll
from toile.dolls.layouts import LIP_PALETTE
from toile.errors import ToileError
from toile.evaluation.doll_features_task import SeededDolls, draw_ahead
from toile.files import write_text
from toile.training.loop import train
from toile.training.parser_augmentation import augment
from toile.training.parser_network import (
    StandingSegformer,
    normalised,
    predicted,
    processor_numbers,
    start_lively,
)
from toile.training.parser_scores import confusion, garment_iou, label_iou
from toile.training.pictures import tile
from toile.training.settings import RunSettings
from toile.training.sources import Sources

SHOWN = 8
"""Unseen dolls on a sample picture."""


@dataclass(frozen=True, kw_only=True)
class ParserRecipe:
    """The tiny parser and how it is trained."""

    size: tuple[int, int] = (256, 192)
    """Height and width of the pictures, in pixels."""
    hidden_sizes: tuple[int, int, int, int] = (24, 48, 96, 160)
    """The width of each of Segformer's four stages."""
    depths: tuple[int, int, int, int] = (2, 2, 2, 2)
    """Blocks in each stage."""
    heads: tuple[int, int, int, int] = (1, 2, 4, 5)
    """Attention heads in each stage."""
    decoder_hidden_size: int = 128
    """The width at which the stages are joined."""
    first_seed: int = 4_000_000
    """The first training doll's seed."""
    count: int = 4000
    """How many dolls to train on; every second one is in street mode."""
    validation_count: int = 128
    """How many more dolls to validate on, with the seeds after those."""
    optimization: Optimization = field(
        default_factory=lambda: Optimization(
            steps=900,
            batch_size=8,
            learning_rate=7e-4,
            final_learning_rate=1e-5,
            warmup_steps=60,
            weight_decay=0.01,
            ema_decay=0.995,
            mixed_precision="bf16",
        )
    )
    """Steps, batches and the optimiser's numbers."""


def half_size() -> ParserRecipe:
    """What comes before: at half the size a step costs a quarter, and most can be learnt there."""
    recipe = ParserRecipe(size=(128, 96))
    optimization = replace(
        recipe.optimization, steps=1500, batch_size=16, learning_rate=1.2e-3, final_learning_rate=6e-4
    )
    return replace(recipe, optimization=optimization)


class ParserViews(Dataset[dict[str, Tensor]]):
    """Dolls as the parser sees them: another view at each look, decided by torch's global generator."""

    def __init__(self, dolls: Encodings) -> None:
        """Take the drawn dolls."""
        self.dolls = dolls

    def __len__(self) -> int:
        """How many dolls."""
        return len(self.dolls)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """A view of a doll: `picture` (3, H, W) and `parse` (H, W), uint8."""
        item = self.dolls[index]
        random = np.random.default_rng(int(torch.randint(2**62, ())))
        picture, parse = augment(item["picture"].movedim(0, -1).numpy(), item["parse"].numpy(), random)
        return {"picture": to_tensor(Image.fromarray(picture)), "parse": torch.from_numpy(parse)}


class ParserTask:
    """What the training loop needs; dolls are drawn once into `cache`, or, without one, at each look."""

    name = "parser"

    def __init__(self, recipe: ParserRecipe, cache: Path | None, initial: Path | None = None) -> None:
        """Draw the dolls, or find them in `cache`; go on from the Segformer in `initial`, or from chance."""
        last = recipe.first_seed + recipe.count
        self.recipe = recipe
        drawn = draw_ahead(
            SeededDolls(recipe.first_seed, recipe.count, recipe.size), _picture_and_parse, cache
        )
        self.dataset: Dataset[dict[str, Tensor]] = ParserViews(drawn)
        self.validation = draw_ahead(
            SeededDolls(last, recipe.validation_count, recipe.size), _picture_and_parse, cache
        )
        model = start_lively(StandingSegformer(parser_config(recipe)))
        if initial is not None:
            start = SegformerForSemanticSegmentation.from_pretrained(initial, use_safetensors=True)
            model.load_state_dict(start.state_dict())
        self.model: nn.Module = model

    def loss(
        self, model: nn.Module, batch: dict[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Cross-entropy of each pixel's label, the logits enlarged to the picture as transformers does it."""
        output = model(pixel_values=normalised(batch["picture"]), labels=batch["parse"].long())
        return {"loss": output.loss}

    @torch.no_grad()
    def validate(self, model: nn.Module) -> dict[str, float]:
        """IoU on unseen dolls: the mean over the labels that they have, and of each kind of garment."""
        counts = np.zeros((len(LIP), len(LIP)), np.int64)
        for start in range(0, len(self.validation), 8):
            pictures, true = self._unseen(range(start, min(start + 8, len(self.validation))))
            counts += confusion(true.numpy(), predicted(model, pictures).numpy())
        figures = {"mean_iou": float(np.nanmean(label_iou(counts)))}
        return figures | {f"iou/{kind}": garment_iou(counts, kind) for kind in GARMENT_LABELS}

    @torch.no_grad()
    def sample(self, model: nn.Module) -> Image.Image | None:
        """Unseen dolls, what the parser says they are, and what they are."""
        pictures, true = self._unseen(range(min(SHOWN, len(self.validation))))
        rows = [pictures, coloured(predicted(model, pictures)), coloured(true)]
        return tile([row.float() / 127.5 - 1 for row in rows])

    def _unseen(self, rows: range) -> tuple[UInt8[Tensor, "B 3 H W"], UInt8[Tensor, "B H W"]]:
        items = [self.validation[row] for row in rows]
        return torch.stack([item["picture"] for item in items]), torch.stack(
            [item["parse"] for item in items]
        )

    def export(self, model: nn.Module, folder: Path) -> None:
        """Save the parser as transformers saves a Segformer, with its processor's numbers.

        Raises:
            ToileError: when the model is not this task's.
        """
        if not isinstance(model, SegformerForSemanticSegmentation):
            raise ToileError(f"cannot export a {type(model).__name__} as a parser")
        plain = SegformerForSemanticSegmentation(model.config)
        plain.load_state_dict(model.state_dict())
        plain.save_pretrained(folder)
        write_text(json.dumps(processor_numbers(self.recipe.size), indent=2) + "\n", folder / PROCESSOR)


PROCESSOR = "preprocessor_config.json"


def parser_config(recipe: ParserRecipe) -> SegformerConfig:
    """Segformer's configuration with a recipe's numbers, and LIP's labels by name."""
    return SegformerConfig(
        hidden_sizes=list(recipe.hidden_sizes),
        depths=list(recipe.depths),
        num_attention_heads=list(recipe.heads),
        decoder_hidden_size=recipe.decoder_hidden_size,
        id2label={number: name for name, number in LIP.items()},
        label2id=dict(LIP),
        drop_path_rate=0.0,
        classifier_dropout_prob=0.0,
    )


def coloured(parse: UInt8[Tensor, "B H W"]) -> UInt8[Tensor, "B 3 H W"]:
    """Parse maps in the colours of LIP's palette."""
    palette = torch.tensor(LIP_PALETTE, dtype=torch.uint8).view(-1, 3)
    return palette[parse.long()].movedim(-1, 1)


def train_parser(recipe: ParserRecipe, sources: Sources, run: RunSettings) -> Path:
    """Train the parser; returns the folder of the exported model."""
    torch.manual_seed(run.seed)
    cache = None if sources.cache is None else sources.cache / "parser"
    initial = None if sources.initial is None else sources.base()
    return train(ParserTask(recipe, cache, initial), recipe.optimization, run, recipe)


def _picture_and_parse(dolls: list[Doll]) -> dict[str, Tensor]:
    """The dolls' pictures (B, 3, H, W) and parse maps (B, H, W)."""
    return {
        "picture": torch.stack([to_tensor(Image.fromarray(doll.person)) for doll in dolls]),
        "parse": torch.stack([torch.from_numpy(doll.parse) for doll in dolls]),
    }
