"""`make weights`: every training behind the bundled weights, in order, each going on where it stopped.

Runs lie in `runs/`, or where TOILE_RUNS says. A finished run is not repeated, so that the chain may be
stopped and started at will. The last step gathers what is bundled into `src/toile/weights`, in float16.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from toile.bundled import weights_folder
from toile.training.registry import find_training
from toile.training.settings import RunSettings
from toile.training.sources import Sources

RUNS = Path(os.environ.get("TOILE_RUNS", "runs"))


@dataclass(frozen=True, kw_only=True)
class Link:
    """One training of the chain."""

    name: str
    """A name that `toile train` knows."""
    data: str = Sources().data
    """What it trains on."""
    initial: str | None = None
    """The link whose export it starts from."""


CHAIN = (
    Link(name="base-vae", data="dolls:1000000:1000000"),
    Link(name="base-clip", initial="base-vae"),
    Link(name="base", initial="base-clip"),
    Link(name="igr-tiny-coarse", initial="base"),
    Link(name="igr-tiny-fine", initial="igr-tiny-coarse"),
    Link(name="doll-features"),
)


def run_chain(runs: Path = RUNS) -> None:
    """Train everything and gather the weights."""
    for link in CHAIN:
        print(f"── {link.name}", flush=True)
        initial = str(runs / link.initial / "export") if link.initial else None
        sources = Sources(data=link.data, initial=initial, cache=runs / "cache")
        run = RunSettings(folder=runs / link.name, validate_every=500, sample_every=1000)
        training = find_training(link.name)
        training.start(training.recipe(), sources, run)
    gather(runs, weights_folder())


def gather(runs: Path, folder: Path) -> None:
    """Copy what is bundled: the base once, of IGR only its own parts, everything in half precision."""
    bundle(runs / "base" / "export", folder / "base", keep=lambda name: True)
    own = ("garment_net", "unet", "low_level_extractor", "model_index.json")
    bundle(runs / "igr-tiny-fine" / "export", folder / "igr", keep=lambda name: name in own)
    bundle(runs / "doll-features" / "export", folder / "dists_dolls", keep=lambda name: True)


def bundle(source: Path, target: Path, *, keep: Callable[[str], bool]) -> None:
    """Copy a folder's parts, safetensors in half precision, and put the copy in `target`'s place."""
    beside = target.with_name(target.name + ".part")
    shutil.rmtree(beside, ignore_errors=True)
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        if path.is_dir() or not keep(relative.parts[0]):
            continue
        (beside / relative).parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".safetensors":
            save_file(half(load_file(path)), beside / relative, metadata={"format": "pt"})
        else:
            shutil.copyfile(path, beside / relative)
    shutil.rmtree(target, ignore_errors=True)
    beside.rename(target)


def half(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same tensors, those of floating point in float16."""
    return {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}


if __name__ == "__main__":
    run_chain()
