"""The tensors of a part in diffusers layout, read one by one, without making the part itself."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from toile.errors import ToileError

STANDARD = ("diffusion_pytorch_model.safetensors", "model.safetensors")
"""What diffusers and transformers name their weights; other names are variants."""


class WeightFiles(Mapping[str, Tensor]):
    """A folder's safetensors as a mapping; a tensor is read from its file each time it is asked for."""

    def __init__(self, folder: Path) -> None:
        """Find every tensor's file, by the index where the weights are in several.

        Args:
            folder: a part's own folder, such as a model's `unet`. Where it holds several variants of the
                weights (`fp16` and such), the one without a variant's name is taken.

        Raises:
            ToileError: when there are no safetensors, or they are incomplete or damaged.
        """
        self.folder = folder
        chosen = _weights_of(folder)
        self.files = _indexed(chosen) if chosen.suffix == ".json" else _listed(chosen)

    def __getitem__(self, name: str) -> Tensor:
        """Read one tensor, on the CPU."""
        path = self.files[name]
        try:
            with safe_open(path, framework="pt") as file:
                tensor: Tensor = file.get_tensor(name)
                return tensor
        except (OSError, SafetensorError) as error:
            raise _damaged(path, error) from error

    def __iter__(self) -> Iterator[str]:
        """The tensors' names."""
        return iter(self.files)

    def __len__(self) -> int:
        """How many tensors."""
        return len(self.files)


def _weights_of(folder: Path) -> Path:
    """The index, or else the one file, that holds a folder's weights."""
    if not folder.is_dir():
        raise ToileError(f"there is no folder {folder}; give a part of a model in diffusers layout")
    for name in STANDARD:
        for path in (folder / f"{name}.index.json", folder / name):
            if path.is_file():
                return path
    found = sorted(folder.glob("*.safetensors.index*.json")) or sorted(folder.glob("*.safetensors"))
    if len(found) == 1:
        return found[0]
    if not found:
        raise ToileError(f"{folder} holds no .safetensors weights; convert or download them")
    names = ", ".join(path.name for path in found)
    raise ToileError(f"{folder} holds several weights ({names}); keep the ones that are meant")


def _indexed(index: Path) -> dict[str, Path]:
    try:
        names: Mapping[str, str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        files = {name: index.parent / Path(file).name for name, file in names.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(index, error) from error
    missing = sorted({path.name for path in files.values() if not path.is_file()})
    if missing:
        raise ToileError(f"{index} names {missing[0]}, which is not there; download the weights again")
    return files


def _listed(path: Path) -> dict[str, Path]:
    try:
        with safe_open(path, framework="pt") as file:
            return dict.fromkeys(file.keys(), path)
    except (OSError, SafetensorError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> ToileError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return ToileError(f"{path} is damaged or cut short ({reason}); get the weights again")


def check_weights(folder: Path, part: nn.Module | None) -> None:
    """Check that the files of a part held all of its weights; diffusers draws missing ones at random.

    Args:
        folder: the part's folder, with safetensors files.
        part: what was loaded from it; None where the model does without.

    Raises:
        ToileError: when weights are missing.
    """
    if part is None:
        return
    held: set[str] = set()
    for path in folder.glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:
            held |= set(file.keys())
    missing = sorted(part.state_dict().keys() - held)
    if missing:
        raise ToileError(
            f"{folder} cannot be loaded: {len(missing)} weights are missing from its files, {missing[0]} "
            "among them; copy or save the whole model again"
        )
