"""The wardrobe: encoded garments, as the values that attention layers take through their arguments.

`Wardrobe` holds keys and values, projected once. `GarmentFeatures` holds what they are projected from, and is
what goes into a file where it is smaller: hidden states take half the room of keys and values.

Legend: `items` garments, `N` tokens, `C` channels of a layer, `T` image tokens, `D` their width, `rows` of a
denoiser's batch.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import Literal
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float
from torch import Tensor, nn

from toile.errors import ToileError
from toile.stamped_file import load_stamped, save_stamped
from toile.wardrobe_rows import Owner, Run, find_runs, owned_items, shifted

Mode = Literal["joint", "added"]


@dataclass(frozen=True, kw_only=True)
class LinearMap:
    """The weights of a linear layer, as values."""

    weight: Float[Tensor, "out C"]
    """Multiplied from the right, as `torch.nn.functional.linear` does it."""
    bias: Float[Tensor, "out"]
    """Added."""

    def map(self, change: Callable[[Tensor], Tensor]) -> "LinearMap":
        """Apply a function to both."""
        return LinearMap(weight=change(self.weight), bias=change(self.bias))


@dataclass(frozen=True, kw_only=True)
class WardrobeLayer:
    """What one attention layer attends to besides its own tokens."""

    key: Float[Tensor, "items N C"]
    """Keys, one row of tokens for each item."""
    value: Float[Tensor, "items N C"]
    """Values, as the keys."""
    mode: Mode
    """`joint`: one softmax over [these ; own]; `added`: plus `scale` · `output`(Attn(Q, these))."""
    scale: Float[Tensor, ""] | None = None
    """Weight of an `added` term; None is one. A tensor, so that another weight needs no other graph."""
    output: LinearMap | None = None
    """What an `added` term passes through before it is added; None leaves it as it is."""

    def map(self, change: Callable[[Tensor], Tensor]) -> "WardrobeLayer":
        """Apply a function to the keys and to the values."""
        return replace(self, key=change(self.key), value=change(self.value))


@dataclass(frozen=True, kw_only=True)
class Wardrobe:
    """Encoded garments: for each attention layer of a denoiser, keys and values, and how they combine.

    Independent of the noise, of the timestep and of the denoiser's prompt, and never changed in place.
    """

    layers: Mapping[str, WardrobeLayer]
    """By the layer's module path in the U-Net: `down_blocks.0.attentions.0.transformer_blocks.0.attn1`..."""
    rows: tuple[Owner, ...]
    """For each row of the denoiser's batch, what it owns: an item, several that it sees side by side, or −1:
    the row skips the wardrobe."""
    per_picture: bool = False
    """Whether `rows` speaks of pictures: which rows of the batch are theirs is then found in each step."""
    tokens: Float[Tensor, "items T D"] | None = None
    """What a row reads in the place of text, where a system replaces the text (see `row_tokens`)."""
    categories: tuple[str, ...] = ()
    """The category that each item was encoded for, where known."""
    _runs: tuple[Run, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse rows that own what is not there, and find the runs: no compiled layer has to."""
        owned = [item for owner in self.rows for item in owned_items(owner)]
        missing = [item for item in owned if not 0 <= item < self.items]
        if (self.layers or self.tokens is not None) and missing:
            raise ToileError(
                f"a row owns item {missing[0]}, but the wardrobe has {self.items} items; use -1 for none"
            )
        object.__setattr__(self, "_runs", tuple(find_runs(self.rows)))

    @property
    def items(self) -> int:
        """How many garments there are."""
        none = 0 if self.tokens is None else len(self.tokens)
        return next((len(layer.key) for layer in self.layers.values()), none)

    @property
    def runs(self) -> tuple[Run, ...]:
        """The rows as few runs, so that slices (views) serve instead of copies by index."""
        return self._runs

    def row_tokens(self) -> Float[Tensor, "rows T D"]:
        """`tokens` for each row; rows that own nothing read zeros, which keys and values without bias stay.

        Raises:
            ToileError: when there are no tokens.
        """
        if self.tokens is None:
            raise ToileError("this wardrobe has no tokens; it was made by a system that reads text")
        return torch.cat([self._run_tokens(self.tokens, run) for run in self.runs])

    @staticmethod
    def _run_tokens(tokens: Tensor, run: Run) -> Tensor:
        if run.items is None:
            return tokens.new_zeros(run.rows.stop - run.rows.start, *tokens.shape[1:])
        return run.take(tokens)

    def for_rows(self, rows: Sequence[Owner]) -> "Wardrobe":
        """Say which rows of the denoiser's batch own which item, or which items (−1: none)."""
        return replace(self, rows=tuple(rows), per_picture=False)

    def with_scale(self, scale: float, weights: Sequence[float] = ()) -> "Wardrobe":
        """Set λ of what is added to the layers' own attention.

        Args:
            scale: λ, for all items together; it replaces the one before.
            weights: a further weight for each item, which scales its values and leaves the softmax alone;
                nothing is 1 for all. Weights that were given before stay in.

        Source: AnyDressing, Eq. 6. Ours: the weight of one garment.

        Raises:
            ToileError: when there is not one weight for each item.
        """
        if weights and len(weights) != self.items:
            raise ToileError(f"{len(weights)} weights were given for {self.items} items; give each its own")

        def scaled(layer: WardrobeLayer) -> WardrobeLayer:
            if layer.mode != "added":
                return layer
            own = layer.value.new_tensor(weights)[:, None, None] if weights else 1
            return replace(layer, value=layer.value * own, scale=layer.value.new_tensor(scale))

        return replace(self, layers={name: scaled(layer) for name, layer in self.layers.items()})

    def select(self, items: Sequence[int]) -> "Wardrobe":
        """Keep some of the items, in the order given; each then owns one row."""
        self._require(items)
        index = list(items)
        return replace(
            self,
            layers={name: layer.map(lambda tokens: tokens[index]) for name, layer in self.layers.items()},
            tokens=None if self.tokens is None else self.tokens[index],
            rows=tuple(range(len(index))),
            categories=tuple(self.categories[item] for item in index) if self.categories else (),
        )

    @classmethod
    def stack(cls, wardrobes: Sequence["Wardrobe"]) -> "Wardrobe":
        """Put wardrobes for the same layers into one: their items one after another, and so their rows.

        Raises:
            ToileError: when they were made for different U-Nets, or by different systems.
        """
        first = wardrobes[0]
        for other in wardrobes[1:]:
            if _form(other) != _form(first) or _width(other) != _width(first):
                raise ToileError(
                    "these wardrobes cannot be stacked: their layers differ; encode them with one model"
                )
        layers = {}
        for name, layer in first.layers.items():
            key = torch.cat([wardrobe.layers[name].key for wardrobe in wardrobes])
            value = torch.cat([wardrobe.layers[name].value for wardrobe in wardrobes])
            layers[name] = replace(layer, key=key, value=value)
        tokens = [wardrobe.tokens for wardrobe in wardrobes if wardrobe.tokens is not None]
        before = list(accumulate((wardrobe.items for wardrobe in wardrobes), initial=0))
        categories = sum((wardrobe.categories for wardrobe in wardrobes), ())
        return replace(
            first,
            layers=layers,
            tokens=torch.cat(tokens) if tokens else None,
            rows=tuple(
                shifted(owner, by)
                for wardrobe, by in zip(wardrobes, before, strict=False)
                for owner in wardrobe.rows
            ),
            categories=categories if len(categories) == before[-1] else (),
        )

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> "Wardrobe":
        """Move to a device, or to another kind of number."""

        def move(tensor: Tensor) -> Tensor:
            return _to(tensor, device, dtype)

        layers = {
            name: replace(
                layer.map(move),
                scale=None if layer.scale is None else move(layer.scale),
                output=None if layer.output is None else layer.output.map(move),
            )
            for name, layer in self.layers.items()
        }
        return replace(self, layers=layers, tokens=None if self.tokens is None else move(self.tokens))

    def save(self, path: Path | str, weights: str) -> None:
        """Write keys and values to a safetensors file.

        Args:
            path: the file to write.
            weights: hash of the weights that made the wardrobe (`hash_weights`).
        """
        tensors: dict[str, Tensor] = {}
        for name, layer in self.layers.items():
            tensors |= {f"{name}.key": layer.key, f"{name}.value": layer.value}
            if layer.scale is not None:
                tensors[f"{name}.scale"] = layer.scale
            if layer.output is not None:
                tensors |= {f"{name}.weight": layer.output.weight, f"{name}.bias": layer.output.bias}
        if self.tokens is not None:
            tensors["tokens"] = self.tokens
        modes = {name: layer.mode for name, layer in self.layers.items()}
        stamp = {
            "weights": weights,
            "modes": modes,
            "rows": self.rows,
            "per_picture": self.per_picture,
            "categories": self.categories,
        }
        save_stamped(Path(path), "wardrobe", tensors, stamp)

    @classmethod
    def load(cls, path: Path | str, weights: str) -> "Wardrobe":
        """Read a file that `save` wrote.

        Raises:
            ToileError: when it cannot be read, holds something else, or was made by other weights.
        """
        tensors, stamp = load_stamped(Path(path), "wardrobe", weights)
        layers = {
            name: WardrobeLayer(
                key=tensors[f"{name}.key"],
                value=tensors[f"{name}.value"],
                mode=mode,
                scale=tensors.get(f"{name}.scale"),
                output=_linear_map(tensors, name),
            )
            for name, mode in stamp["modes"].items()
        }
        return cls(
            layers=layers,
            tokens=tensors.get("tokens"),
            rows=tuple(tuple(owner) if isinstance(owner, list) else owner for owner in stamp["rows"]),
            per_picture=stamp["per_picture"],
            categories=tuple(stamp["categories"]),
        )

    def _require(self, items: Iterable[int]) -> None:
        for item in items:
            if not 0 <= item < self.items:
                raise ToileError(f"there is no item {item}; the wardrobe has items 0 to {self.items - 1}")


@dataclass(frozen=True, kw_only=True)
class GarmentFeatures:
    """What encoders say of garments, before the denoiser's own layers turn it into keys and values."""

    hidden_states: Mapping[str, Float[Tensor, "items N C"]] = field(default_factory=dict)
    """What keys and values are made of. IGR's F_hl: by the module path of the self-attention layer that it
    enters. TWGTM's F_SRM: by `level_0`, the U-Net's highest resolution, `level_1`, half of it, and so on."""
    image_tokens: Float[Tensor, "items T D"] | None = None
    """Tokens for the cross-attention layers: IGR's F_ll, TWGTM's F_SAM."""
    categories: tuple[str, ...] = ()
    """The category that each item was encoded for, where known."""

    @property
    def items(self) -> int:
        """How many garments there are."""
        tokens = [*self.hidden_states.values(), *([] if self.image_tokens is None else [self.image_tokens])]
        return len(tokens[0]) if tokens else 0

    def to(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> "GarmentFeatures":
        """Move to a device, or to another kind of number."""
        states = {name: _to(tokens, device, dtype) for name, tokens in self.hidden_states.items()}
        tokens = None if self.image_tokens is None else _to(self.image_tokens, device, dtype)
        return replace(self, hidden_states=states, image_tokens=tokens)

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor, by its name in a file."""
        named = {f"hidden_states.{name}": tokens for name, tokens in self.hidden_states.items()}
        return named if self.image_tokens is None else {**named, "image_tokens": self.image_tokens}

    def save(self, path: Path | str, weights: str, notes: Mapping[str, str] | None = None) -> None:
        """Write to a safetensors file.

        Args:
            path: the file to write.
            weights: hash of the weights that made the features (`hash_weights`).
            notes: what else the file's header is to say.

        Raises:
            ToileError: when it cannot be written.
        """
        stamp = {"weights": weights, "categories": self.categories}
        save_stamped(Path(path), "garment features", self.tensors(), stamp, notes)

    @classmethod
    def load(cls, path: Path | str, weights: str) -> "GarmentFeatures":
        """Read a file that `save` wrote.

        Raises:
            ToileError: when it cannot be read, holds something else, or was made by other weights.
        """
        tensors, stamp = load_stamped(Path(path), "garment features", weights)
        image_tokens = tensors.pop("image_tokens", None)
        states = {name.removeprefix("hidden_states."): tokens for name, tokens in tensors.items()}
        return cls(hidden_states=states, image_tokens=image_tokens, categories=tuple(stamp["categories"]))


def _linear_map(tensors: Mapping[str, Tensor], name: str) -> LinearMap | None:
    weight = tensors.get(f"{name}.weight")
    return None if weight is None else LinearMap(weight=weight, bias=tensors[f"{name}.bias"])


def _width(wardrobe: Wardrobe) -> tuple[int, ...] | None:
    return None if wardrobe.tokens is None else tuple(wardrobe.tokens.shape[1:])


def _form(wardrobe: Wardrobe) -> dict[str, tuple[object, ...]]:
    return {
        name: (
            layer.mode,
            layer.key.shape[1:],
            None if layer.scale is None else layer.scale.item(),
            layer.output is None,
        )
        for name, layer in wardrobe.layers.items()
    }


def _to(tensor: Tensor, device: torch.device | str | None, dtype: torch.dtype | None) -> Tensor:
    return tensor.to(device=device, dtype=dtype)


_HASHES: WeakKeyDictionary[nn.Module, tuple[list[tuple[int, int]], str]] = WeakKeyDictionary()


def hash_weights(module: nn.Module) -> str:
    """Hash a module's weights: names, shapes, and values as float32, so exact conversions change nothing.

    A hash is kept for as long as no weight changes, so asking again costs nothing.
    """
    state = module.state_dict()
    versions = [
        (tensor.data_ptr(), 0 if tensor.is_inference() else tensor._version) for tensor in state.values()
    ]
    known = _HASHES.get(module)
    if known is None or known[0] != versions:
        known = _HASHES[module] = (versions, _digest(state))
    return known[1]


def _digest(state: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, tensor in state.items():
        digest.update(f"{name} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().float().cpu().numpy().tobytes())
    return digest.hexdigest()
