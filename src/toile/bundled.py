"""Which folder a model's name means: `tiny` is bundled, anything else is a path or a hub name."""

import json
from collections.abc import Mapping
from pathlib import Path

from toile.errors import ToileError

TINY = "tiny"
BASE = "base"
"""The bundled folder with the parts that the systems share."""
USUAL_STEPS: Mapping[str, int] = {"igr": 25, "twgtm": 30, "anydressing": 30}
"""Denoising steps of a system's model that keeps no number of its own: the papers', and ours for TWGTM."""


def weights_folder() -> Path:
    """The folder of the bundled weights: `base`, and one folder for each system."""
    return Path(__file__).parent / "weights"


def is_bundled(system: str) -> bool:
    """Whether the bundled weights of a system ("igr") and of the shared base are there."""
    folder = weights_folder()
    return (folder / system / "model_index.json").is_file() and (folder / BASE).is_dir()


def find_model(name: str | Path, *, system: str, pipeline: str) -> tuple[Path | None, Path | None]:
    """Find the folders that a model's name means, and check that they hold what is wanted.

    Args:
        name: `tiny`, a folder, or a hub name (`owner/name`).
        system: folder of the system within the bundled weights, as `igr`.
        pipeline: the class that the folder has to be saved from, as `IGRPipeline`.

    Returns:
        The system's folder and, for `tiny`, the folder of the shared parts. (None, None) for a hub name.

    Raises:
        ToileError: when there is no such folder, or it is incomplete or of another system.
    """
    if str(name) == TINY:
        folder, base = weights_folder() / system, weights_folder() / BASE
        if not is_bundled(system):
            raise ToileError(
                f"the weights of `tiny` are missing from {folder}; run `make weights`, or name another"
            )
        check_model(folder, pipeline=pipeline, base=base)
        return folder, base
    if str(name) and Path(name).is_dir():
        check_model(Path(name), pipeline=pipeline)
        return Path(name), None
    if not _may_be_on_hub(str(name)):
        raise ToileError(
            f"model {str(name)!r}: no such folder; give `tiny`, a folder, or a hub name as owner/name"
        )
    return None, None


def usual_steps(name: str | Path, *, system: str, pipeline: str) -> int:
    """The denoising steps that a model takes when it is told nothing else; it is not loaded for that.

    Of a model of the hub nothing is known before it is loaded: it counts as one without a number of its own.

    Args:
        name: as for `find_model`, and so are the others.
        system: likewise.
        pipeline: likewise.

    Raises:
        ToileError: when there is no such model.
    """
    folder, _ = find_model(name, system=system, pipeline=pipeline)
    own = None if folder is None else _read_index(folder).get("num_inference_steps")
    return own if isinstance(own, int) else USUAL_STEPS[system]


def check_model(folder: Path, *, pipeline: str, base: Path | None = None) -> None:
    """Check that a folder was saved from a pipeline, and that none of its parts is missing.

    Args:
        folder: in diffusers layout.
        pipeline: the class's name.
        base: a second folder in which parts may lie.

    Raises:
        ToileError: when it was not, or one is.
    """
    index = _read_index(folder)
    found = index.get("_class_name")
    if found != pipeline:
        raise ToileError(f"{folder} holds a {found}; a folder saved from {pipeline} is needed here")
    for part, library_and_class in index.items():
        if part.startswith("_") or not isinstance(library_and_class, list) or library_and_class[:1] == [None]:
            continue
        if all(isinstance(word, str) for word in library_and_class):
            _check_part(part, [folder] if base is None else [folder, base])


def _read_index(folder: Path) -> dict[str, object]:
    path = folder / "model_index.json"
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ToileError(
            f"{folder} is no model: it has no model_index.json; save one with save_pretrained"
        ) from error
    except (OSError, ValueError) as error:
        raise ToileError(f"{path} cannot be read ({error}); save the model again") from error
    if not isinstance(index, dict):
        raise ToileError(f"{path} is not a JSON object; save the model again")
    return index


def _check_part(part: str, folders: list[Path]) -> None:
    """A part has its folder, and a model (anything with a config.json) its weights as safetensors."""
    places = [folder / part for folder in folders if (folder / part).is_dir()]
    if not places:
        raise ToileError(
            f"{folders[0]} is incomplete: the part {part} is missing; copy or save the whole model again"
        )
    place = places[0]
    files = {path.name for path in place.iterdir()}
    if not any(name.endswith(".json") for name in files):
        raise ToileError(
            f"{place} is incomplete: it has no configuration; copy or save the whole model again"
        )
    if "config.json" in files and not any(name.endswith(".safetensors") for name in files):
        raise ToileError(
            f"{place} is incomplete: it has no .safetensors file; copy or save the whole model again"
        )


def _may_be_on_hub(name: str) -> bool:
    owner, slash, model = name.partition("/")
    return bool(owner and slash and model) and "/" not in model and not name.startswith((".", "~"))
