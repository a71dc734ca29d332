"""The node that names the models: the bundled ones, and those that lie in ComfyUI's `models/toile`."""

import json
from pathlib import Path
from typing import ClassVar

from toile.bundled import TINY
from toile.comfyui.host import default_device, model_folders
from toile.comfyui.node import MODELS, Node, Sockets, choice_socket
from toile.errors import ToileError
from toile.tasks.atelier import Atelier
from toile.tasks.models import DTYPES, Models

MADE_BY = {
    "igr": "IGRPipeline",
    "twgtm": "TWGTMPipeline",
    "anydressing": "AnyDressingPipeline",
    "parser": "SegformerForSemanticSegmentation",
}
"""The class that the folder of each kind of model was saved from."""
DEVICES = ("auto", "cpu", "cuda", "mps")
KEPT = 64
"""Encoded garments that are kept, so that another seed or prompt does not encode them again. Ours."""


class ToileModels(Node):
    """Load Models: says which models work, and on what; each is loaded when it is first needed."""

    TITLE = "Load Models (toile)"
    DESCRIPTION = "Which models work, and on what. Each is loaded when it is first needed, and then kept."
    RETURN_TYPES = (MODELS,)
    RETURN_NAMES = ("models",)
    OUTPUT_TOOLTIPS = ("For every other node of toile.",)
    WHAT: ClassVar[dict[str, str]] = {
        "igr": "Restores garments from photos with masks.",
        "twgtm": "Tries garments on and takes them off.",
        "anydressing": "Dresses somebody by a prompt.",
        "parser": "Finds masks.",
    }

    @classmethod
    def INPUT_TYPES(cls) -> Sockets:
        """See `Node`."""
        chosen = {
            kind: choice_socket(
                list(models_of(kind)), f"{what} Folders of models/toile, or the bundled tiny."
            )
            for kind, what in cls.WHAT.items()
        }
        device = choice_socket(DEVICES, "auto is the device that ComfyUI computes on.")
        dtype = choice_socket(DTYPES, "Kind of number to compute with.")
        return {"required": {**chosen, "device": device, "dtype": dtype}}

    @classmethod
    def IS_CHANGED(cls, igr: str, twgtm: str, anydressing: str, parser: str, **others: str) -> str:
        """When the chosen folders were last written: a model that was trained on is loaded again."""
        chosen = {"igr": igr, "twgtm": twgtm, "anydressing": anydressing, "parser": parser}
        return " ".join(last_written(found_model(kind, name)) for kind, name in chosen.items())

    def run(
        self, igr: str, twgtm: str, anydressing: str, parser: str, device: str, dtype: str
    ) -> tuple[Atelier]:
        """Name the models."""
        models = Models(
            igr=found_model("igr", igr),
            twgtm=found_model("twgtm", twgtm),
            anydressing=found_model("anydressing", anydressing),
            parser=found_model("parser", parser),
            device=default_device() if device == "auto" else device,
            dtype=dtype,
        )
        return (Atelier(models, keep=KEPT),)


def models_of(kind: str) -> dict[str, str]:
    """The models of a kind: what to call each, and what to load."""
    found = {TINY: TINY}
    for folder in model_folders():
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            if MADE_BY[kind] in _saved_from(path):
                found.setdefault(path.name, str(path))
    return found


def found_model(kind: str, name: str) -> str:
    """What to load for a model.

    Raises:
        ToileError: when there is no such model any more.
    """
    models = models_of(kind)
    if name not in models:
        raise ToileError(f"there is no model {name!r} for {kind} in models/toile; choose {', '.join(models)}")
    return models[name]


def last_written(model: str) -> str:
    """When the newest file of a model's folder was written, in nanoseconds; bundled ones stay as they are."""
    if model == TINY:
        return TINY
    return str(max((path.stat().st_mtime_ns for path in Path(model).rglob("*")), default=0))


def _saved_from(folder: Path) -> list[str]:
    """The classes that a folder names as its own."""
    for name in ("model_index.json", "config.json"):
        try:
            index = json.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(index, dict):
            return [str(index.get("_class_name")), *map(str, index.get("architectures") or [])]
    return []
