"""Training the scene scorer: name what captions say of a doll, from pictures as spoilt as generated ones.

The task has the form that `toile.training.train` asks for. Legend: B pictures, A attributes, H W pixels.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset

from toile.data.doll_pairs import mode_of
from toile.data.latent_cache import Encodings
from toile.data.tensors import to_tensor
from toile.diffusion.optimization import Optimization
from toile.dolls import Doll
from toile.dolls.scene import Scene, sample_scene
from toile.errors import ToileError
from toile.evaluation.doll_features_task import SeededDolls, draw_ahead
from toile.evaluation.scene_scorer import ABSENT, ARMS, ATTRIBUTES, PRESENT, SIZE, SceneScorer
from toile.training.parser_augmentation import spoil

NOSE = 0
"""The joint that tells whether the head is in the frame."""
ON_THE_HEAD = ("noun", "hair", "hair colour")
"""What cannot be told of somebody whose head the frame cuts off."""
UNKNOWN = -100
"""The label of what is not asked; cross-entropy leaves it out."""
SAMPLED = 2000
"""Scenes that the frequency of each value is counted in."""


@dataclass(frozen=True, kw_only=True)
class SceneScorerRecipe:
    """How the scene scorer is trained."""

    drawn_size: tuple[int, int] = (256, 192)
    """Height and width that dolls are drawn at; the network sees them at its own, smaller size."""
    first_seed: int = 6_000_000
    """The first training doll's seed, far from those of every other training."""
    count: int = 4000
    """How many dolls to train on; every second one is in street mode."""
    validation_count: int = 512
    """How many more dolls to validate on, with the seeds after those."""
    optimization: Optimization = field(
        default_factory=lambda: Optimization(
            steps=3000,
            batch_size=32,
            learning_rate=3e-3,
            final_learning_rate=2e-5,
            warmup_steps=50,
            weight_decay=1e-3,
            ema_decay=0.99,
        )
    )
    """Steps, batches and the optimiser's numbers."""


def scene_attributes(scene: Scene) -> dict[str, str]:
    """What a caption says of a scene, and what it would say: a value of every one of `ATTRIBUTES`.

    A bald person has no hair colour.
    """
    arms = {scene.pose.right.name, scene.pose.left.name}
    hair_colour = {} if scene.look.hair == "bald" else {"hair colour": scene.look.hair_colour}
    return {
        "place": scene.mode,
        "noun": scene.look.noun,
        "hair": scene.look.hair,
        **hair_colour,
        **{arm: PRESENT if arm in arms else ABSENT for arm in ARMS},
        "bag": ABSENT if scene.bag is None else PRESENT,
    }


def scene_labels(doll: Doll) -> Int[Tensor, " A"]:
    """The number of each attribute's value, `UNKNOWN` for what cannot be seen."""
    known = scene_attributes(sample_scene(doll.seed, doll.mode, doll.category))
    hidden = () if doll.joints[NOSE, 2] else ON_THE_HEAD
    return torch.tensor(
        [
            values.index(known[name]) if name in known and name not in hidden else UNKNOWN
            for name, values in ATTRIBUTES.items()
        ]
    )


def encode_scenes(dolls: list[Doll]) -> dict[str, Tensor]:
    """The dolls' pictures (B, 3, H, W), uint8, at the network's size, and their labels (B, A)."""
    small = [Image.fromarray(doll.person).resize(SIZE[::-1], Image.Resampling.BOX) for doll in dolls]
    return {
        "picture": torch.stack([to_tensor(picture) for picture in small]),
        "labels": torch.stack([scene_labels(doll) for doll in dolls]),
    }


class SceneViews(Dataset[dict[str, Tensor]]):
    """Dolls mirrored, moved a little and spoilt: another view at each look, by torch's global generator."""

    def __init__(self, dolls: Encodings) -> None:
        """Take the drawn dolls."""
        self.dolls = dolls

    def __len__(self) -> int:
        """How many dolls."""
        return len(self.dolls)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """A view of a doll: `picture` (3, H, W), uint8, and `labels` (A,)."""
        item = self.dolls[index]
        random = np.random.default_rng(int(torch.randint(2**62, ())))
        view = spoil(moved(item["picture"].movedim(0, -1).numpy(), random), random)
        return {"picture": to_tensor(Image.fromarray(view)), "labels": item["labels"]}


def moved(picture: UInt8[np.ndarray, "H W 3"], random: np.random.Generator) -> UInt8[np.ndarray, "H W 3"]:
    """Mirror as often as not, scale by up to a tenth, shift by up to a twentieth; edges go on outwards."""
    height, width = picture.shape[:2]
    across, down = np.exp(random.uniform(-0.1, 0.1, 2)) * (1 if random.random() < 0.5 else -1, 1)
    linear = np.diag([across, down])
    middle = np.array([width - 1, height - 1]) / 2
    shift = middle - linear @ middle + random.uniform(-0.05, 0.05, 2) * (width, height)
    matrix = np.concatenate([linear, shift[:, None]], axis=1)
    return np.asarray(
        cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


class SceneScorerTask:
    """What the training loop needs to train the scene scorer; pictures are drawn once, into `cache`."""

    name = "scene-scorer"

    def __init__(self, recipe: SceneScorerRecipe, cache: Path | None) -> None:
        """Draw the dolls, or find them in `cache`, and make a network with random weights."""
        last = recipe.first_seed + recipe.count
        self.recipe = recipe
        drawn = draw_ahead(
            SeededDolls(recipe.first_seed, recipe.count, recipe.drawn_size), encode_scenes, cache
        )
        self.dataset: Dataset[dict[str, Tensor]] = SceneViews(drawn)
        self.validation = draw_ahead(
            SeededDolls(last, recipe.validation_count, recipe.drawn_size), encode_scenes, cache
        )
        self.balance = balancing_weights(
            range(recipe.first_seed, recipe.first_seed + min(SAMPLED, recipe.count))
        )
        self.model: nn.Module = SceneScorer()

    def loss(
        self, model: nn.Module, batch: dict[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Cross-entropy of every attribute that can be seen, averaged over attributes."""
        answers = model(batch["picture"].float() / 255)
        losses = [
            cross_entropy(
                answers[name].float(), batch["labels"][:, place], self.balance[place].to(generator.device)
            )
            for place, name in enumerate(ATTRIBUTES)
        ]
        return {"loss": torch.stack(losses).nan_to_num().mean()}

    @torch.no_grad()
    def validate(self, model: nn.Module) -> dict[str, float]:
        """On unseen dolls: the share of right answers, for each attribute the mean over its values.

        So an answer that is always the same scores 1 / V, however frequent it is.
        """
        device = next(model.parameters()).device
        answers, labels = [], []
        for start in range(0, len(self.validation), 32):
            items = [self.validation[i] for i in range(start, min(start + 32, len(self.validation)))]
            pictures = torch.stack([item["picture"] for item in items]).to(device).float() / 255
            logits = model(pictures)
            answers.append(torch.stack([logits[name].argmax(dim=1) for name in ATTRIBUTES], dim=1).cpu())
            labels.append(torch.stack([item["labels"] for item in items]))
        figures = balanced_accuracy(torch.cat(answers), torch.cat(labels))
        return {"accuracy": sum(figures.values()) / len(figures), **figures}

    def sample(self, model: nn.Module) -> Image.Image | None:
        """Nothing to look at."""
        return None

    def export(self, model: nn.Module, folder: Path) -> None:
        """Save the network as fp16 safetensors with its configuration.

        Raises:
            ToileError: when the model is not this task's.
        """
        if not isinstance(model, SceneScorer):
            raise ToileError(f"cannot export a {type(model).__name__} as a scene scorer")
        copy = SceneScorer(**{name: model.config[name] for name in ("channels", "cells", "attributes")})
        copy.load_state_dict(model.state_dict())
        copy.half().save_pretrained(folder)


def balancing_weights(seeds: range) -> list[Float[Tensor, " _"]]:
    """For each attribute how much each of its values weighs in the loss: 1 / √(its share), 1 in the mean.

    Ours: without it, a waving hand, which few have, is hardly ever named; 1 / share would name it too often.

    Args:
        seeds: of the dolls that the shares are counted among; nothing is drawn.
    """
    scenes = [scene_attributes(sample_scene(seed, mode_of(seed, "mixed"), None)) for seed in seeds]
    weights = []
    for name, values in ATTRIBUTES.items():
        found = Counter(scene[name] for scene in scenes if name in scene)
        balance = torch.tensor([max(found[value], 1) ** -0.5 for value in values])
        weights.append(balance / balance.mean())
    return weights


def balanced_accuracy(answers: Int[Tensor, "_ A"], labels: Int[Tensor, "_ A"]) -> dict[str, float]:
    """By attribute: how often each value that occurs is named rightly, averaged over these values."""
    figures = {}
    for place, (name, values) in enumerate(ATTRIBUTES.items()):
        right = answers[:, place] == labels[:, place]
        shares = [float(right[labels[:, place] == v].float().mean()) for v in range(len(values))]
        figures[name] = float(np.nanmean(shares)) if not np.isnan(shares).all() else float("nan")
    return figures
