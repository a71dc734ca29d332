"""`make weights`: every training behind the bundled weights, in order, each going on where it stopped.

Runs lie in `runs/`, or where TOILE_RUNS says. A finished run is not repeated, so that the chain may be
stopped and started at will. The last step gathers what is bundled into `src/toile/weights`, in float16.
"""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from toile.anydressing.pipeline import AnyDressingPipeline
from toile.bundled import weights_folder
from toile.diffusion.system_pipeline import SystemPipeline
from toile.igr.pipeline import IGRPipeline
from toile.training.registry import find_training
from toile.training.settings import RunSettings
from toile.training.sources import Sources
from toile.twgtm.pipeline import TWGTMPipeline
from toile.whole import whole_folder

RECORD = "training.json"
"""The configuration that the loop puts into each export."""
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
    Link(name="base-vae", data="dolls:1000000:1000000:mixed"),
    Link(name="base-vae-whole", data="dolls:1000000:1000000:mixed", initial="base-vae"),
    Link(name="base-clip", initial="base-vae-whole"),
    Link(name="base-half", initial="base-clip"),
    Link(name="base", initial="base-half"),
    Link(name="anydressing-tiny-half", initial="base"),
    Link(name="anydressing-tiny", initial="anydressing-tiny-half"),
    Link(name="igr-tiny-half", initial="base"),
    Link(name="igr-tiny-coarse", initial="igr-tiny-half"),
    Link(name="igr-tiny-fine", initial="igr-tiny-coarse"),
    Link(name="twgtm-tiny-half-stage-1", initial="igr-tiny-fine"),
    Link(name="twgtm-tiny-half-stage-2", initial="twgtm-tiny-half-stage-1"),
    Link(name="twgtm-tiny-stage-2", initial="twgtm-tiny-half-stage-2"),
    Link(name="doll-features"),
    Link(name="scene-scorer"),
    Link(name="parser-half"),
    Link(name="parser", initial="parser-half"),
)


SYSTEMS: dict[str, tuple[str, type[SystemPipeline]]] = {
    AnyDressingPipeline.system: ("anydressing-tiny", AnyDressingPipeline),
    IGRPipeline.system: ("igr-tiny-fine", IGRPipeline),
    TWGTMPipeline.system: ("twgtm-tiny-stage-2", TWGTMPipeline),
}
"""The last link of each system, and the pipeline that it exports."""


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
    """Copy what is bundled: the base once, of the systems their own parts, everything in half precision."""
    bundle(runs / "base" / "export", folder / "base")
    for system, (link, pipeline) in SYSTEMS.items():
        own = (*pipeline.trained_parts, "model_index.json")
        bundle(runs / link / "export", folder / system, own)
    bundle(runs / "doll-features" / "export", folder / "dists_dolls")
    bundle(runs / "scene-scorer" / "export", folder / "scene_scorer")
    bundle(runs / "parser" / "export", folder / "parser")


def bundle(source: Path, target: Path, parts: Sequence[str] | None = None) -> None:
    """Copy an export, or those `parts` of it, and put the copy in `target`'s place.

    Safetensors become float16. What tells of the machine that trained is left out.
    """
    with whole_folder(target) as beside:
        _copy_halved(source, beside, parts)


def _copy_halved(source: Path, beside: Path, parts: Sequence[str] | None) -> None:
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        if path.is_dir() or path.name == RECORD or (parts is not None and relative.parts[0] not in parts):
            continue
        (beside / relative).parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".safetensors":
            save_file(half(load_file(path)), beside / relative, metadata={"format": "pt"})
        elif path.name in ("config.json", "model_index.json"):
            settings = json.loads(path.read_text())
            settings.pop("_name_or_path", None)
            (beside / relative).write_text(json.dumps(settings, indent=2) + "\n")
        else:
            shutil.copyfile(path, beside / relative)


def half(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same tensors, those of floating point in float16."""
    return {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}


if __name__ == "__main__":
    run_chain()
