"""Training DISTS-dolls's network: name a doll's attributes from the flat garment and from the person.

The task has the form that `toile.training.train` asks for.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cross_entropy
from torch.utils.data import Dataset

from toile.data.latent_cache import LatentCache, write_cache
from toile.data.tensors import to_tensor
from toile.diffusion.optimization import Optimization
from toile.dolls import Doll, draw_doll
from toile.errors import ToileError
from toile.evaluation.doll_features import DollFeatures

ABSENT = "-"
OTHER = "other"
MOST_VALUES = 24
VIEW = "view"
CATEGORY = "category"
SAMPLED = 300
"""Dolls that the vocabulary is read from."""


@dataclass(frozen=True, kw_only=True)
class DollFeaturesRecipe:
    """How DISTS-dolls's network is trained."""

    size: tuple[int, int] = (256, 192)
    """Height and width of the pictures, in pixels."""
    crop: tuple[int, int] = (160, 128)
    """Half of the batches are crops of this size; the others whole pictures at half the size."""
    first_seed: int = 3_000_000
    """The first training doll's seed."""
    count: int = 3000
    """How many dolls to train on; every second one is in street mode."""
    validation_count: int = 128
    """How many more dolls to validate on, with the seeds after those."""
    optimization: Optimization = field(
        default_factory=lambda: Optimization(
            steps=1500,
            batch_size=12,
            learning_rate=2e-3,
            final_learning_rate=2e-5,
            warmup_steps=50,
            weight_decay=1e-3,
            ema_decay=0.99,
            mixed_precision="bf16",
        )
    )
    """Steps, batches (in dolls: each gives two pictures) and AdamW's numbers."""


def attributes_of(doll: Doll) -> dict[str, str]:
    """What a doll's own garment is like: its category, and every attribute that is known."""
    return {CATEGORY: doll.category, **doll.garments[doll.category].attributes}


def read_vocabulary(dolls: Sequence[Doll]) -> dict[str, list[str]]:
    """Each attribute's values among the dolls, most frequent first; the rare ones count as `OTHER`."""
    found = [attributes_of(doll) for doll in dolls]
    names = sorted({name for attributes in found for name in attributes})
    counts = {name: Counter(attributes.get(name, ABSENT) for attributes in found) for name in names}
    common = {
        name: [
            value for value, _ in sorted(count.most_common(MOST_VALUES), key=lambda item: (-item[1], item[0]))
        ]
        for name, count in counts.items()
    }
    vocabulary = {name: [*values, OTHER] for name, values in common.items() if len(values) > 1}
    return {VIEW: ["garment", "person"], **vocabulary}


def label(attributes: Mapping[str, str], vocabulary: Mapping[str, Sequence[str]]) -> list[int]:
    """The number of each attribute's value, in the vocabulary's order; the view is filled in by the loss."""
    numbers = []
    for name, values in vocabulary.items():
        value = attributes.get(name, ABSENT)
        numbers.append(values.index(value) if value in values else len(values) - 1)
    return numbers


class SeededDolls(Sequence[Doll]):
    """Dolls of consecutive seeds, studio and street in turn, drawn when indexed."""

    def __init__(self, first: int, count: int, size: tuple[int, int]) -> None:
        """Name the dolls; nothing is drawn yet."""
        self.seeds, self.size = range(first, first + count), size

    def __len__(self) -> int:
        """How many dolls."""
        return len(self.seeds)

    def __getitem__(self, index: int) -> Doll:  # type: ignore[override]  # slices are never asked for
        """Draw one."""
        seed = self.seeds[index]
        return draw_doll(seed, size=self.size, mode="street" if seed % 2 else "studio")


def encode_dolls(dolls: list[Doll], vocabulary: Mapping[str, Sequence[str]]) -> dict[str, Tensor]:
    """Pictures (B, 3, H, W) uint8 of garments and of persons, and labels (B, attributes)."""
    return {
        "garment": torch.stack([to_tensor(Image.fromarray(doll.garment)) for doll in dolls]),
        "person": torch.stack([to_tensor(Image.fromarray(doll.person)) for doll in dolls]),
        "labels": torch.tensor([label(attributes_of(doll), vocabulary) for doll in dolls]),
    }


class DollFeaturesTask:
    """What the training loop needs to train the network; pictures are drawn once, into `cache`."""

    name = "doll-features"

    def __init__(self, recipe: DollFeaturesRecipe, cache: Path) -> None:
        """Draw the dolls (or find them in `cache`) and make a network with random weights."""
        self.recipe = recipe
        last = recipe.first_seed + recipe.count
        training = SeededDolls(recipe.first_seed, recipe.count, recipe.size)
        sampled = [training[i] for i in range(min(SAMPLED, recipe.count))]
        self.vocabulary = read_vocabulary(sampled)
        self.dataset: Dataset[dict[str, Tensor]] = self._cached(training, cache / "train")
        self.validation = self._cached(
            SeededDolls(last, recipe.validation_count, recipe.size), cache / "validation"
        )
        self.model: nn.Module = DollFeatures(vocabulary=self.vocabulary)

    def _cached(self, dolls: SeededDolls, folder: Path) -> LatentCache:
        key = repr((list(dolls.seeds)[:1], len(dolls), dolls.size, sorted(self.vocabulary.items())))
        return write_cache(folder, dolls, lambda batch: encode_dolls(batch, self.vocabulary), key=key)

    def loss(
        self, model: nn.Module, batch: dict[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Cross-entropy of every attribute, averaged; crops and half-size pictures take turns by chance."""
        pictures, labels = self._views(batch)
        if float(torch.rand((), generator=generator, device=generator.device)) < 0.5:
            pictures = avg_pool2d(pictures, 2)
        else:
            pictures = random_crop(pictures, self.recipe.crop, generator)
        logits = model(pictures)
        losses = [cross_entropy(logits[name].float(), labels[:, i]) for i, name in enumerate(self.vocabulary)]
        return {"loss": torch.stack(losses).mean()}

    def _views(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Garments, then persons, in [0, 1]; and their labels with the view filled in."""
        garments, persons, labels = batch["garment"], batch["person"], batch["labels"]
        pictures = torch.cat([garments, persons]).float() / 255  # (2B, 3, H, W)
        labels = torch.cat([labels, labels])
        labels[:, list(self.vocabulary).index(VIEW)] = torch.arange(
            2, device=labels.device
        ).repeat_interleave(len(garments))
        return pictures, labels

    @torch.no_grad()
    def validate(self, model: nn.Module) -> dict[str, float]:
        """The share of right answers on unseen dolls, for each attribute and on the average."""
        right = torch.zeros(len(self.vocabulary))
        device = next(model.parameters()).device
        for start in range(0, len(self.validation), 16):
            rows = range(start, min(start + 16, len(self.validation)))
            items = [self.validation[i] for i in rows]
            batch = {name: torch.stack([item[name] for item in items]).to(device) for name in items[0]}
            pictures, labels = self._views(batch)
            logits = model(pictures)
            answers = torch.stack([logits[name].argmax(1) for name in self.vocabulary], dim=1)
            right += (answers == labels).float().sum(0).cpu()
        shares = right / (2 * len(self.validation))
        named = {
            f"accuracy/{name}": float(share) for name, share in zip(self.vocabulary, shares, strict=True)
        }
        return {"accuracy": float(shares.mean()), **named}

    def sample(self, model: nn.Module) -> Image.Image | None:
        """Nothing to look at."""
        return None

    def export(self, model: nn.Module, folder: Path) -> None:
        """Save the network as fp16 safetensors with its configuration.

        Raises:
            ToileError: when the model is not this task's.
        """
        if not isinstance(model, DollFeatures):
            raise ToileError(f"cannot export a {type(model).__name__} as DISTS-dolls's network")
        copy = DollFeatures(channels=model.config.channels, vocabulary=model.config.vocabulary)
        copy.load_state_dict(model.state_dict())
        copy.half().save_pretrained(folder)


def random_crop(
    pictures: UInt8[Tensor, "B C H W"] | Float[Tensor, "B C H W"],
    size: tuple[int, int],
    generator: torch.Generator,
) -> UInt8[Tensor, "B C h w"] | Float[Tensor, "B C h w"]:
    """The same window of each picture, (height, width) pixels, where chance puts it."""
    spare = [max(have - want, 0) for have, want in zip(pictures.shape[2:], size, strict=True)]
    top, left = (
        int(torch.randint(room + 1, (), generator=generator, device=generator.device)) for room in spare
    )
    return pictures[:, :, top : top + size[0], left : left + size[1]]
