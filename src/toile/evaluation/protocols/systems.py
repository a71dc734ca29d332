"""What a benchmark compares: the systems of this library, and the baselines that they have to beat."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from toile.bundled import TINY, usual_steps, weights_folder
from toile.data.curation import bounding_box
from toile.data.open import open_pairs
from toile.data.record import GarmentPair
from toile.diffusion.noise import item_generators
from toile.errors import ToileError
from toile.evaluation.baselines import (
    colour_filled_oracle,
    crop_and_paste,
    crop_and_place,
    mean_garment,
    nearest_garment,
    study,
)
from toile.evaluation.protocols.protocol import FLAT, Task
from toile.evaluation.try_on import Fitting
from toile.evaluation.try_on_baselines import exact_warp, paste_flat
from toile.igr.pipeline import IGRPipeline
from toile.images import fit_mask
from toile.twgtm.boxes import PREDICTED
from toile.twgtm.pipeline import TWGTMPipeline

Draw = Callable[[Sequence[GarmentPair], Sequence[int]], list[Image.Image]]
"""Gives one RGB picture for each pair, drawn from the noise of each pair's own seed."""
SYSTEMS: Mapping[str, frozenset[Task]] = {
    "igr": FLAT,
    "twgtm": frozenset({"restore", "takeoff", "tryon"}),
    "twgtm-predicted-box": FLAT,
    "twgtm-true-box": FLAT,
    "twgtm-repainted": frozenset({"tryon"}),
}
"""Models, and the tasks that they do. `twgtm-true-box` is told the true rectangle: an oracle."""
BASELINES: Mapping[str, frozenset[Task]] = {
    "crop-and-paste": FLAT,
    "crop-and-place": FLAT,
    "mean-garment": FLAT,
    "nearest-garment": FLAT,
    "colour-oracle": FLAT,
    "paste-flat": frozenset({"tryon"}),
    "exact-warp-oracle": frozenset({"tryon"}),
}
"""Baselines, and their tasks; what is called an oracle knows what no method could."""
GUIDANCE = {"igr": 1.5, "twgtm": 2.5}
PIPELINES: Mapping[str, Any] = {"igr": IGRPipeline, "twgtm": TWGTMPipeline}


@dataclass(frozen=True, kw_only=True)
class SystemName:
    """A contender as it is named on the command line: `NAME` or `NAME:MODEL`.

    Raises:
        ToileError: when there is none of that name.
    """

    name: str
    """Of `SYSTEMS` or `BASELINES`."""
    model: str = TINY
    """`tiny`, a folder, or a hub name; baselines have none."""

    def __post_init__(self) -> None:
        """Refuse what does not exist."""
        if self.name not in SYSTEMS and self.name not in BASELINES:
            known = ", ".join([*SYSTEMS, *BASELINES])
            raise ToileError(
                f"there is no system {self.name!r}; name a folder of predictions, or one of {known}, "
                "a model as NAME:PATH"
            )
        if self.name in BASELINES and self.model != TINY:
            raise ToileError(f"{self.name} is a baseline and has no model; leave {self.model!r} out")

    @property
    def learnt(self) -> bool:
        """Whether seeds and guidance change its pictures."""
        return self.name in SYSTEMS

    @property
    def family(self) -> str:
        """Which pipeline draws: igr or twgtm."""
        return self.name.partition("-")[0]

    @property
    def label(self) -> str:
        """What it is called in tables."""
        return self.name if self.model == TINY else f"{self.name} {Path(self.model).name}"

    def check(self, task: Task) -> None:
        """Refuse a task that it does not do.

        Raises:
            ToileError: naming the tasks that it does.
        """
        tasks = {**SYSTEMS, **BASELINES}[self.name]
        if task not in tasks:
            raise ToileError(f"{self.name} does {' and '.join(sorted(tasks))}, not {task}; leave it out")


def parse_system(text: str) -> SystemName:
    """Read `NAME` or `NAME:MODEL`.

    Raises:
        ToileError: when there is no such system.
    """
    name, _, model = text.partition(":")
    return SystemName(name=name, model=model or TINY)


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """How pictures are drawn."""

    size: tuple[int, int]
    """Height and width."""
    steps: int | None = None
    """Denoising steps; None takes the system's own."""
    guidance: float | None = None
    """Guidance scale; None takes the system's own."""
    device: str = "cpu"
    """Where models run."""
    training: str = "dolls:0:2000"
    """Where baselines have seen garments before."""

    def resolved(self, system: SystemName) -> dict[str, Any]:
        """Everything that decides a picture besides its pair and its seed."""
        if not system.learnt:
            studied = {"training": self.training} if system.name in STUDIED else {}
            return {"system": system.name, "size": list(self.size), **studied}
        return {
            "system": system.name,
            "model": system.model,
            "weights": weights_fingerprint(system),
            "steps": self.steps or _own_steps(system),
            "guidance": GUIDANCE[system.family] if self.guidance is None else self.guidance,
            "size": list(self.size),
        }


STUDIED = ("crop-and-place", "mean-garment", "nearest-garment")


def weights_fingerprint(system: SystemName) -> str:
    """Twelve digits of the hash of a model's weights; a hub's name stands for itself."""
    folders = [Path(system.model)]
    if system.model == TINY:
        folders = [weights_folder() / system.family, weights_folder() / "base"]
    digest = hashlib.sha256(system.model.encode())
    for path in sorted(path for folder in folders for path in folder.rglob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _own_steps(system: SystemName) -> int:
    family = system.family
    return usual_steps(system.model, system=family, pipeline=PIPELINES[family].__name__)


def open_system(system: SystemName, task: Task, drawing: Drawing) -> Draw:
    """Load a system, ready to draw.

    Raises:
        ToileError: when it does not do the task, or its weights are not there.
    """
    system.check(task)
    if not system.learnt:
        return _baseline(system.name, drawing)
    how = drawing.resolved(system)
    call = {
        "num_inference_steps": how["steps"],
        "guidance_scale": how["guidance"],
        "height": drawing.size[0],
        "width": drawing.size[1],
    }
    pipeline = PIPELINES[system.family].from_pretrained(system.model).to(drawing.device)
    pipeline.set_progress_bar_config(disable=True)
    if system.family == "igr":
        return _igr(pipeline, call)
    return _try_on(pipeline, call, system) if task == "tryon" else _take_off(pipeline, call, system, drawing)


def _igr(pipeline: Any, call: Mapping[str, Any]) -> Draw:
    def draw(pairs: Sequence[GarmentPair], seeds: Sequence[int]) -> list[Image.Image]:
        output = pipeline(
            [pair.person for pair in pairs],
            [pair.mask if pair.has_mask else None for pair in pairs],
            [pair.category for pair in pairs],
            generator=item_generators(seeds),
            **call,
        )
        return list(output.images)

    return draw


def _try_on(pipeline: Any, call: Mapping[str, Any], system: SystemName) -> Draw:
    def draw(pairs: Sequence[GarmentPair], seeds: Sequence[int]) -> list[Image.Image]:
        output = pipeline.try_on(
            [pair.person for pair in pairs],
            [pair.garment for pair in pairs],
            [pair.mask for pair in pairs],
            [pair.category for pair in pairs],
            generator=item_generators(seeds),
            repaint=system.name == "twgtm-repainted",
            **call,
        )
        return list(output.images)

    return draw


def _take_off(pipeline: Any, call: Mapping[str, Any], system: SystemName, drawing: Drawing) -> Draw:
    def box(pair: GarmentPair) -> Any:
        if system.name == "twgtm-true-box":
            return bounding_box(np.asarray(fit_mask(pair.silhouette, drawing.size)))
        return PREDICTED if system.name == "twgtm-predicted-box" else None

    def draw(pairs: Sequence[GarmentPair], seeds: Sequence[int]) -> list[Image.Image]:
        output = pipeline.take_off(
            [pair.person for pair in pairs],
            [pair.category for pair in pairs],
            box=[box(pair) for pair in pairs],
            generator=item_generators(seeds),
            **call,
        )
        return list(output.images)

    return draw


def _baseline(name: str, drawing: Drawing) -> Draw:
    if name in ("paste-flat", "exact-warp-oracle"):
        dress = (paste_flat if name == "paste-flat" else exact_warp)(drawing.size)
        return lambda pairs, _: dress([Fitting(wearer=pair, garment=pair) for pair in pairs])
    if name == "crop-and-paste":
        restore = crop_and_paste(drawing.size)
    elif name == "colour-oracle":
        restore = colour_filled_oracle(drawing.size)
    else:
        training = study(open_pairs(drawing.training), drawing.size)
        makers = {
            "crop-and-place": lambda: crop_and_place(training, drawing.size),
            "mean-garment": lambda: mean_garment(training),
            "nearest-garment": lambda: nearest_garment(training, drawing.size),
        }
        restore = makers[name]()
    return lambda pairs, _: restore(pairs)
