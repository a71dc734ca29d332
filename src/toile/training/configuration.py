"""The resolved configuration of a run: saved with it, and compared when it is continued."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toile.diffusion.optimization import Optimization
from toile.errors import ToileError
from toile.training.settings import RunSettings
from toile.whole import write_whole

Configuration = dict[str, Any]


def resolve(
    task_name: str,
    optimization: Optimization,
    run: RunSettings,
    recipe: object = None,
    data: Mapping[str, object] | None = None,
) -> Configuration:
    """Everything that decides a run but its folder, as JSON would give it back.

    Args:
        task_name: of the task.
        optimization: steps, batches and the optimiser's numbers.
        run: how it runs.
        recipe: any dataclass.
        data: what it reads, with the fingerprint of each dataset.
    """
    parts = {
        "task": task_name,
        "optimization": dataclasses.asdict(optimization),
        "run": {name: value for name, value in dataclasses.asdict(run).items() if name != "folder"},
        "recipe": _plain(recipe),
        "data": dict(data or {}),
    }
    resolved: Configuration = json.loads(json.dumps(parts, default=str))
    return resolved


def differing_fields(old: Configuration, new: Configuration) -> list[str]:
    """Fields, as "optimization.batch_size", that would make a continued run another one.

    The number of steps may change, of the run's settings everything but the seed, and the place where the
    data lie, as long as its fingerprint is the same.
    """
    before, after = _flatten(old), _flatten(new)
    return [
        name
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name) and _decides(name)
    ]


def check_continuable(folder: Path, configuration: Configuration) -> None:
    """Refuse to continue a run under another configuration.

    Raises:
        ToileError: naming each field that differs, with both values.
    """
    saved = read_configuration(folder / "config.json")
    started = any((folder / "checkpoints").glob("step_*")) or (folder / "export").exists()
    if saved is None or not started:
        return
    before, after = _flatten(saved), _flatten(configuration)
    changes = [
        f"{name} was {before.get(name)!r} and is now {after.get(name)!r}"
        for name in differing_fields(saved, configuration)
    ]
    if changes:
        raise ToileError(
            f"{folder} holds a run with another configuration: {'; '.join(changes)}. "
            "Give the old values to continue it, or another folder to start anew"
        )


def read_configuration(path: Path) -> Configuration | None:
    """A saved configuration, or None when there is none."""
    if not path.exists():
        return None
    saved: Configuration = json.loads(path.read_text(encoding="utf-8"))
    return saved


def write_configuration(path: Path, configuration: Configuration) -> None:
    """Save a configuration as readable JSON."""
    write_whole(path, json.dumps(configuration, indent=2) + "\n")


def is_finished(export: Path, configuration: Configuration) -> bool:
    """Whether `export` is what this configuration, its number of steps included, ends with."""
    saved = read_configuration(export / "training.json")
    if saved is None or differing_fields(saved, configuration):
        return False
    return bool(saved["optimization"]["steps"] == configuration["optimization"]["steps"])


def _plain(value: object) -> object:
    return (
        dataclasses.asdict(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type)
        else value
    )


def _flatten(tree: Configuration, prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in tree.items():
        flat |= _flatten(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat


def _decides(name: str) -> bool:
    if name.startswith("run."):
        return name == "run.seed"
    if name.startswith("data."):
        return not name.endswith(".source")
    return not name.endswith("optimization.steps")
