"""Training DISTS-dolls's network: say what each cell shows, name each garment, and keep textures apart.

The task has the form that `toile.training.train` asks for.
Legend: B pictures, H W pixels, h w cells, G kinds of garment, A attributes, P parts.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, cross_entropy, one_hot
from torch.utils.data import Dataset

from toile.data.doll_pairs import mode_of
from toile.data.latent_cache import Encodings, open_encodings
from toile.data.parse_labels import GARMENT_LABELS, LIP
from toile.data.tensors import to_tensor
from toile.diffusion.optimization import Optimization
from toile.dolls import Doll, draw_doll
from toile.errors import ToileError
from toile.evaluation.doll_features import Answers, DollFeatures
from toile.evaluation.texture_ranking import texture_ranking

ABSENT = "-"
OTHER = "other"
MOST_VALUES = 32
CATEGORY = "category"
KINDS = ("upper", "lower", "dress", "hat")
PARTS = ("background", *KINDS, "hair", "skin", "shoes")
"""What a cell may show; the kinds of garment have the numbers 1 to 4."""
SURFACE = ("pattern", "colour", "second_colour", "detail")
"""Attributes that a part of a garment shows as well as the whole."""
NAMED = (CATEGORY, "cut", "sleeve", "neckline", "length", "fit", *SURFACE)
SAMPLED = 300
"""Dolls that the vocabulary is read from, drawn as small as can be."""
SMALL = (32, 32)
NAMING_WEIGHT = 3
"""Names weigh more than parts, which are easy."""
RANKING_WEIGHT = 3
UNKNOWN = -100
"""The label of what is not asked; cross-entropy leaves it out."""


@dataclass(frozen=True, kw_only=True)
class DollFeaturesRecipe:
    """How DISTS-dolls's network is trained."""

    size: tuple[int, int] = (256, 192)
    """Height and width of the pictures, in pixels."""
    crop: tuple[int, int] = (128, 96)
    """Half of the batches are crops of this size; the others whole pictures at half the size."""
    first_seed: int = 3_000_000
    """The first training doll's seed."""
    count: int = 3000
    """How many dolls to train on; every second one is in street mode."""
    validation_count: int = 128
    """How many more dolls to validate on, with the seeds after those."""
    ranked: int = 4
    """Flat garments in each step of which a flattened copy must lie farther away than a blurred one."""
    optimization: Optimization = field(
        default_factory=lambda: Optimization(
            steps=4000,
            batch_size=12,
            learning_rate=3e-3,
            final_learning_rate=2e-5,
            warmup_steps=100,
            weight_decay=1e-3,
            ema_decay=0.99,
            mixed_precision="bf16",
        )
    )
    """Steps, batches (in dolls: each gives two pictures) and the optimiser's numbers."""


def attributes_of(doll: Doll, kind: str) -> dict[str, str]:
    """What one of a doll's garments is like: the attributes of `NAMED` that it has."""
    known = doll.garments[kind].attributes
    detail = "word" if "word" in known else known.get("logo", ABSENT)
    everything = {CATEGORY: kind, **known, "detail": detail}
    return {name: everything[name] for name in NAMED if name in everything}


def read_vocabulary(dolls: Sequence[Doll]) -> dict[str, list[str]]:
    """Each attribute's values among the dolls' garments, most frequent first; others count as `OTHER`."""
    found = [attributes_of(doll, kind) for doll in dolls for kind in doll.garments]
    counts = {name: Counter(attributes.get(name, ABSENT) for attributes in found) for name in NAMED}
    common = {
        name: [
            value for value, _ in sorted(count.most_common(MOST_VALUES), key=lambda item: (-item[1], item[0]))
        ]
        for name, count in counts.items()
    }
    return {name: [*values, OTHER] for name, values in common.items() if len(values) > 1}


def label(attributes: Mapping[str, str], vocabulary: Mapping[str, Sequence[str]]) -> list[int]:
    """The number of each attribute's value, in the vocabulary's order."""
    numbers = []
    for name, values in vocabulary.items():
        value = attributes.get(name, ABSENT)
        numbers.append(values.index(value) if value in values else len(values) - 1)
    return numbers


def part_map(parse: UInt8[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W"]:
    """LIP's labels as numbers of `PARTS`."""
    members = {
        **{kind: GARMENT_LABELS[kind] for kind in KINDS},
        "hair": frozenset({LIP["hair"]}),
        "skin": frozenset(
            {LIP["torso skin"], LIP["face"]}
            | {LIP[f"{side} {limb}"] for side in ("left", "right") for limb in ("arm", "leg")}
        ),
        "shoes": frozenset({LIP["left shoe"], LIP["right shoe"]}),
    }
    table = np.zeros(256, np.uint8)
    for name, labels in members.items():
        table[list(labels)] = PARTS.index(name)
    return np.asarray(table[parse])


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
        return draw_doll(seed, size=self.size, mode=mode_of(seed, "mixed"))


def draw_ahead(
    dolls: SeededDolls, encode: Callable[[list[Doll]], dict[str, Tensor]], cache: Path | None
) -> Encodings:
    """Dolls as a network sees them, drawn once into `cache`, or, without one, at each look."""
    key = f"{dolls.seeds.start}-{len(dolls)}-{dolls.size[0]}x{dolls.size[1]}"
    return open_encodings(dolls, encode, cache, key)


def encode_dolls(dolls: list[Doll], vocabulary: Mapping[str, Sequence[str]]) -> dict[str, Tensor]:
    """Garments and persons (B, 4, H, W) uint8, the fourth channel their parts, and labels (B, G, A)."""
    return {
        "garment": torch.stack([_garment_and_parts(doll) for doll in dolls]),
        "person": torch.stack([_with_parts(doll.person, part_map(doll.parse)) for doll in dolls]),
        "labels": torch.stack([_labels(doll, vocabulary) for doll in dolls]),
    }


def _garment_and_parts(doll: Doll) -> Tensor:
    part = np.uint8(PARTS.index(doll.category))
    return _with_parts(doll.garment, np.asarray((doll.silhouette > 0) * part, np.uint8))


def _with_parts(picture: UInt8[np.ndarray, "H W 3"], parts: UInt8[np.ndarray, "H W"]) -> Tensor:
    return torch.cat([to_tensor(Image.fromarray(picture)), torch.from_numpy(parts)[None]])


def _labels(doll: Doll, vocabulary: Mapping[str, Sequence[str]]) -> Int[Tensor, "G A"]:
    """The labels of each kind of garment, `UNKNOWN` for those not worn."""
    labels = torch.full((len(KINDS), len(vocabulary)), UNKNOWN)
    for kind in doll.garments:
        labels[KINDS.index(kind)] = torch.tensor(label(attributes_of(doll, kind), vocabulary))
    return labels


class DollFeaturesTask:
    """What the training loop needs to train the network; pictures are drawn once, into `cache`."""

    name = "doll-features"

    def __init__(self, recipe: DollFeaturesRecipe, cache: Path | None) -> None:
        """Draw the dolls, or find them in `cache`, and make a network with random weights."""
        self.recipe = recipe
        last = recipe.first_seed + recipe.count
        training = SeededDolls(recipe.first_seed, recipe.count, recipe.size)
        self.vocabulary = read_vocabulary(SeededDolls(recipe.first_seed, min(SAMPLED, recipe.count), SMALL))
        self.dataset: Dataset[dict[str, Tensor]] = self._drawn(training, cache)
        self.validation = self._drawn(SeededDolls(last, recipe.validation_count, recipe.size), cache)
        self.model: nn.Module = DollFeatures(vocabulary=self.vocabulary, parts=len(PARTS))

    def _drawn(self, dolls: SeededDolls, cache: Path | None) -> Encodings:
        parts = (dolls.seeds[0], len(dolls), dolls.size, sorted(self.vocabulary.items()), PARTS)
        key = hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
        return open_encodings(dolls, lambda batch: encode_dolls(batch, self.vocabulary), cache, key)

    def loss(
        self, model: nn.Module, batch: dict[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Name parts and garments, and keep textures apart, in crops or in whole pictures by chance."""
        whole = float(torch.rand((), generator=generator, device=generator.device)) < 0.5
        planes, labels = _views(batch)
        if not whole:
            planes = random_crop(planes, self.recipe.crop, generator)
        pictures, parts = split_planes(planes)
        if whole:
            pictures, parts = avg_pool2d(pictures, 2), avg_pool2d(parts, 2)
        answers: Answers = model(pictures, parts[:, 1 : 1 + len(KINDS)])
        shown = adaptive_avg_pool2d(parts, (answers.parts.shape[2], answers.parts.shape[3]))  # (B, P, h, w)
        parts_loss = cross_entropy(answers.parts.float(), shown)
        naming = self._naming(answers, labels, parts, whole=whole)
        ranking = self._ranking(model, batch["garment"][: self.recipe.ranked], generator)
        return {
            "loss": parts_loss + NAMING_WEIGHT * naming + RANKING_WEIGHT * ranking,
            "parts": parts_loss,
            "naming": naming,
            "ranking": ranking,
        }

    def _naming(
        self,
        answers: Answers,
        labels: Int[Tensor, "B G A"],
        parts: Float[Tensor, "B P H W"],
        *,
        whole: bool,
    ) -> Float[Tensor, ""]:
        """Cross-entropy of the attributes of the garments that can be seen, averaged over attributes."""
        labels = labels.masked_fill(~seen(parts)[:, :, None], UNKNOWN)
        losses = []
        for i, name in enumerate(self.vocabulary):
            if whole or name in SURFACE:
                logits = answers.attributes[name].float()  # (S, B, G, V)
                expected = labels[:, :, i].expand(logits.shape[:3])
                loss = cross_entropy(logits.flatten(0, 2), expected.flatten())
                losses += [loss] * (2 if name in SURFACE else 1)
        return torch.stack(losses).nan_to_num().mean()

    def _ranking(
        self, model: nn.Module, garments: UInt8[Tensor, "B 4 H W"], generator: torch.Generator
    ) -> Float[Tensor, ""]:
        """`texture_ranking` of crops, or of whole garments at half or quarter size, with more edges."""
        scale = 2 ** int(torch.randint(3, (), generator=generator, device=generator.device))
        planes = random_crop(garments, self.recipe.crop, generator) if scale == 1 else garments
        pictures, parts = split_planes(planes)
        inside = avg_pool2d(1 - parts[:, :1], scale)
        return texture_ranking(model, avg_pool2d(pictures, scale), inside, generator)

    @torch.no_grad()
    def validate(self, model: nn.Module) -> dict[str, float]:
        """The share of right answers on unseen dolls, for each attribute, on garments and on persons."""
        device = next(model.parameters()).device
        right = torch.zeros(2, len(self.vocabulary))
        asked = torch.zeros(2, 1)
        for start in range(0, len(self.validation), 16):
            items = [self.validation[i] for i in range(start, min(start + 16, len(self.validation)))]
            batch = {name: torch.stack([item[name] for item in items]).to(device) for name in items[0]}
            planes, labels = _views(batch)
            pictures, parts = split_planes(planes)
            named = model(pictures, parts[:, 1 : 1 + len(KINDS)]).attributes
            answers = torch.stack([named[name][-1].argmax(2) for name in self.vocabulary], 2)  # (2B, G, A)
            counted = seen(parts) & (labels[:, :, 0] != UNKNOWN)
            hits = (answers == labels) & counted[:, :, None]
            right += hits.unflatten(0, (2, -1)).sum((1, 2)).cpu()
            asked += counted.unflatten(0, (2, -1)).sum((1, 2)).cpu()[:, None]
        shares = right / asked
        figures = {
            f"{view}/{name}": float(shares[v, i])
            for v, view in enumerate(("garment", "person"))
            for i, name in enumerate(self.vocabulary)
        }
        return {"accuracy": float(shares.mean()), **figures}

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
        copy = DollFeatures(**{name: model.config[name] for name in ("channels", "vocabulary", "parts")})
        copy.load_state_dict(model.state_dict())
        copy.half().save_pretrained(folder)


def _views(batch: dict[str, Tensor]) -> tuple[UInt8[Tensor, "B 4 H W"], Int[Tensor, "B G A"]]:
    """Garments, then persons, and the labels of both."""
    return torch.cat([batch["garment"], batch["person"]]), batch["labels"].repeat(2, 1, 1)


def split_planes(
    planes: UInt8[Tensor, "B 4 H W"],
) -> tuple[Float[Tensor, "B 3 H W"], Float[Tensor, "B P H W"]]:
    """The pictures in [0, 1], and each part's mask."""
    parts = one_hot(planes[:, 3].long(), len(PARTS)).movedim(-1, 1).float()
    pictures = (planes[:, :3].float() / 255).contiguous(memory_format=torch.channels_last)  # twice as quick
    return pictures, parts


def seen(parts: Float[Tensor, "B P H W"]) -> Tensor:
    """Whether a garment of each kind takes at least a hundredth of the picture, bool (B, G)."""
    return parts[:, 1 : 1 + len(KINDS)].mean(dim=(2, 3)) > 0.01


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
