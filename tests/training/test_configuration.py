from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.training.small_task import small_optimization, small_run

from toile.errors import ToileError
from toile.training.configuration import (
    check_continuable,
    differing_fields,
    is_finished,
    read_configuration,
    resolve,
    write_configuration,
)


@dataclass(frozen=True)
class Recipe:
    """Any dataclass."""

    size: tuple[int, int] = (256, 192)
    inference_steps: int = 25


def test_a_saved_configuration_is_the_same_when_read(tmp_path: Path) -> None:
    configuration = resolve("small", small_optimization(), small_run(tmp_path), Recipe())
    write_configuration(tmp_path / "config.json", configuration)
    assert read_configuration(tmp_path / "config.json") == configuration
    assert configuration["recipe"] == {"size": [256, 192], "inference_steps": 25}
    assert str(tmp_path) not in (tmp_path / "config.json").read_text()


def test_only_what_decides_the_result_differs(tmp_path: Path) -> None:
    optimization, run = small_optimization(), small_run(tmp_path)
    first = resolve("small", optimization, run, Recipe())
    harmless = replace(run, folder=tmp_path / "b", save_every=9, keep=9, log_every=9, workers=9, threads=9)
    assert (
        differing_fields(first, resolve("small", replace(optimization, steps=99), harmless, Recipe())) == []
    )
    changed = replace(optimization, batch_size=16, betas=(0.8, 0.9))
    other = resolve("large", changed, replace(run, seed=5), Recipe(inference_steps=30))
    assert differing_fields(first, other) == [
        "optimization.batch_size",
        "optimization.betas",
        "recipe.inference_steps",
        "run.seed",
        "task",
    ]


def test_a_folder_without_a_checkpoint_takes_any_configuration(tmp_path: Path) -> None:
    write_configuration(tmp_path / "config.json", resolve("small", small_optimization(), small_run(tmp_path)))
    other = resolve("large", small_optimization(), small_run(tmp_path))
    check_continuable(tmp_path, other)
    (tmp_path / "checkpoints/step_00000001").mkdir(parents=True)
    with pytest.raises(ToileError, match="task was 'small' and is now 'large'"):
        check_continuable(tmp_path, other)


def test_a_run_is_finished_with_its_own_number_of_steps_only(tmp_path: Path) -> None:
    configuration = resolve("small", small_optimization(steps=3), small_run(tmp_path))
    assert not is_finished(tmp_path, configuration)
    write_configuration(tmp_path / "training.json", configuration)
    assert is_finished(tmp_path, configuration)
    assert not is_finished(tmp_path, resolve("small", small_optimization(steps=4), small_run(tmp_path)))
