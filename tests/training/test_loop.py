import json
import os
import random
import signal
import socket
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file
from tests.training.small_task import SmallTask, small_optimization, small_run, start

from toile.diffusion.optimization import Optimization
from toile.errors import ToileError
from toile.training.checkpoint import list_checkpoints
from toile.training.loop import train
from toile.training.pairs import faults_of
from toile.training.settings import RunSettings


def lines(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def final_bytes(folder: Path) -> dict[str, bytes]:
    """All that a run ends with: exported weights, the last checkpoint, the samples."""
    last = list_checkpoints(folder / "checkpoints")[-1]
    files = [folder / "export/model.safetensors", *last.iterdir(), *(folder / "samples").iterdir()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def figures(folder: Path) -> list[dict[str, float]]:
    """The metrics without the time they took; half a line at the end is left out."""
    path = folder / "metrics.jsonl"
    whole = (
        [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
        if path.exists()
        else []
    )
    rows = [json.loads(line) for line in whole]
    return [{name: value for name, value in row.items() if not name.endswith("seconds")} for row in rows]


def assert_same_end(folder: Path, reference: Path) -> None:
    assert final_bytes(folder) == final_bytes(reference)
    steps = [line["step"] for line in lines(folder)]
    assert steps == sorted(set(steps)) == [line["step"] for line in lines(reference)]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference") / "run"
    train(SmallTask(), small_optimization(), small_run(folder))
    return folder


def test_a_run_leaves_what_it_should_and_learns(reference: Path) -> None:
    assert [path.name for path in list_checkpoints(reference / "checkpoints")] == [
        "step_00000027",
        "step_00000030",
    ]
    assert [path.name for path in sorted((reference / "samples").iterdir())] == [
        "step_000010.png",
        "step_000020.png",
        "step_000030.png",
    ]
    assert any((reference / "tensorboard").glob("events*"))
    assert json.loads((reference / "config.json").read_text())["optimization"]["batch_size"] == 8
    recorded = lines(reference)
    assert [line["step"] for line in recorded] == list(range(2, 31, 2))
    assert recorded[-1]["loss"] < 0.7 * recorded[0]["loss"]
    assert {"loss", "absolute", "gradient_norm", "learning_rate", "seconds", "waiting_seconds"} <= recorded[
        0
    ].keys()
    assert [line["step"] for line in recorded if "validation/error" in line] == [10, 20, 30]


def test_the_export_and_validation_use_the_averaged_weights(tmp_path: Path) -> None:
    task = SmallTask()
    folder = train(task, small_optimization(), small_run(tmp_path / "run"))
    exported = load_file(folder / "model.safetensors")
    last = list_checkpoints(tmp_path / "run/checkpoints")[-1]
    averaged, own = load_file(last / "average.safetensors"), load_file(last / "model.safetensors")
    assert torch.equal(exported["conv.weight"], averaged["conv.weight"])
    assert torch.equal(task.validated[-1], averaged["conv.weight"])
    assert not torch.equal(averaged["conv.weight"], own["conv.weight"])
    assert torch.equal(task.model.conv.weight, own["conv.weight"])


def test_frozen_weights_stay_and_trained_weights_move(reference: Path) -> None:
    before, after = SmallTask().model.state_dict(), load_file(reference / "export/model.safetensors")
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == before.keys() - {"frozen.weight", "frozen.bias"}


@pytest.mark.parametrize("workers", [0, 2])
def test_killed_at_random_moments_it_ends_bit_for_bit_the_same(
    tmp_path: Path, reference: Path, workers: int
) -> None:
    run, begun = small_run(tmp_path / "run", workers=workers), tmp_path / "run.begun"
    chance, kills, readers = random.Random(workers), 0, []
    for number in range(6):
        begun.unlink(missing_ok=True)
        before = len(figures(run.folder))
        process = start(small_optimization(), run)
        _wait_for(begun.exists)
        if number % 2:  # once the resumed run has got further
            _wait_for(
                lambda process=process, n=before: len(figures(run.folder)) > n or process.exitcode is not None
            )
        process.join(chance.uniform(0, 0.1))
        if process.exitcode is None:
            readers += psutil.Process(process.pid).children(recursive=True)
            os.kill(process.pid, signal.SIGKILL)
        process.join()
        kills += process.exitcode == -signal.SIGKILL
    train(SmallTask(), small_optimization(), run)
    assert kills >= 3
    assert bool(readers) == bool(workers)
    _, alive = psutil.wait_procs(readers, timeout=60)
    assert not alive, "processes that read data outlived the training"
    assert_same_end(run.folder, reference)


def test_killed_while_writing_checkpoints_it_ends_bit_for_bit_the_same(tmp_path: Path) -> None:
    wide = partial(SmallTask, wide=300_000)
    optimization, run = small_optimization(steps=16), small_run(tmp_path / "run", save_every=2)
    half_written = 0
    for _ in range(3):
        process = start(optimization, run, make_task=wide)
        half_written += _kill_in_the_middle_of_a_checkpoint(process, run.folder / "checkpoints")
    assert half_written
    train(wide(), optimization, run)
    assert not list((run.folder / "checkpoints").glob(".*"))
    other = small_run(tmp_path / "other", save_every=2)
    train(wide(), optimization, other)
    assert_same_end(run.folder, other.folder)


def _kill_in_the_middle_of_a_checkpoint(process: object, folder: Path) -> bool:
    """Let the process write two checkpoints, then kill it within one; whether a half-written one is left."""
    before = len(list_checkpoints(folder)) and int(list_checkpoints(folder)[-1].name[5:])

    def half_written() -> bool:
        complete = list_checkpoints(folder)
        further = bool(complete) and int(complete[-1].name[5:]) > before
        return further and any(folder.glob(".step_*.unfinished/*.safetensors"))

    _wait_for(lambda: half_written() or process.exitcode is not None)
    if process.exitcode is None:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return any(folder.glob(".step_*.unfinished"))


def test_ctrl_c_finishes_the_step_writes_a_checkpoint_and_says_how_to_continue(
    tmp_path: Path, reference: Path
) -> None:
    run = replace(small_run(tmp_path / "run"), save_every=1000)
    process = start(small_optimization(), run)
    _wait_for(lambda: figures(run.folder))
    os.kill(process.pid, signal.SIGINT)
    process.join()
    assert process.exitcode == 130
    steps = int(list_checkpoints(run.folder / "checkpoints")[-1].name[5:])
    assert 2 <= steps < 30
    assert f"stopped at step {steps} of 30" in (tmp_path / "run.said").read_text()
    train(SmallTask(), small_optimization(), run)
    assert_same_end(run.folder, reference)


def test_raising_steps_continues_and_repeating_does_nothing(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    constant = replace(small_optimization(steps=10), final_learning_rate=None)
    export = train(SmallTask(), constant, run)
    written = (export / "model.safetensors").stat().st_mtime_ns
    assert train(SmallTask(), constant, run) == export
    assert (export / "model.safetensors").stat().st_mtime_ns == written
    train(SmallTask(), replace(constant, steps=20), run)
    other = small_run(tmp_path / "other")
    train(SmallTask(), replace(constant, steps=20), other)
    assert_same_end(run.folder, other.folder)
    with pytest.raises(ToileError, match="20 steps already, and steps is 10"):
        train(SmallTask(), constant, run)


def test_another_configuration_is_refused_by_name(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    train(SmallTask(), small_optimization(steps=2), run)
    with pytest.raises(ToileError, match=r"optimization.learning_rate was 0.01 and is now 0.02"):
        train(SmallTask(), small_optimization(steps=2, learning_rate=0.02), run)
    with pytest.raises(ToileError, match=r"run.seed was 0 and is now 1"):
        train(SmallTask(), small_optimization(steps=2), replace(run, seed=1))
    train(SmallTask(), small_optimization(steps=3), replace(run, log_every=1, save_every=1))


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_checkpoint(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    with pytest.raises(ToileError, match=r"loss is nan at step 11.*step_00000009") as caught:
        train(SmallTask(fail_after=20), small_optimization(), run)
    assert "learning rate" in str(caught.value)
    tensors = load_file(list_checkpoints(run.folder / "checkpoints")[-1] / "model.safetensors")
    assert all(tensor.isfinite().all() for tensor in tensors.values())
    assert not (run.folder / "export").exists()
    train(SmallTask(), small_optimization(), run)  # the checkpoint that was kept is good to continue from


def test_bf16_runs_and_differs_from_float32(tmp_path: Path, reference: Path) -> None:
    optimization = replace(small_optimization(), mixed_precision="bf16")
    train(SmallTask(), optimization, small_run(tmp_path / "run"))
    half, full = lines(tmp_path / "run"), lines(reference)
    assert 0 < abs(half[-1]["loss"] - full[-1]["loss"]) < 0.05
    tensors = load_file(tmp_path / "run/export/model.safetensors")
    assert tensors["conv.weight"].dtype == torch.float32


def test_the_model_is_given_back_without_wrappers(tmp_path: Path) -> None:
    task = SmallTask()
    train(task, replace(small_optimization(steps=2), mixed_precision="bf16"), small_run(tmp_path / "run"))
    assert (
        "forward" not in vars(task.model) or vars(task.model)["forward"].__func__ is type(task.model).forward
    )
    assert task.model(torch.zeros(2, 6)).dtype == torch.float32


def test_two_processes_end_with_the_weights_of_one(tmp_path: Path) -> None:
    run = small_run(tmp_path / "two")
    assert _run_two(small_optimization(gradient_accumulation=1), run) == [0, 0]
    one = small_run(tmp_path / "one")
    train(SmallTask(), small_optimization(gradient_accumulation=2), one)
    theirs, ours = (load_file(r.folder / "export/model.safetensors") for r in (run, one))
    for name in ours.keys() - {"seen"}:  # each process counts its own calls
        assert torch.allclose(theirs[name], ours[name], atol=1e-5), name
    for theirs_line, ours_line in zip(figures(run.folder), figures(one.folder), strict=True):
        assert theirs_line == pytest.approx(ours_line, rel=1e-3, abs=1e-5)


def test_all_processes_stop_when_one_has_a_loss_that_is_not_finite(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    good, bad = SmallTask, partial(SmallTask, fail_after=4)
    assert _run_two(small_optimization(gradient_accumulation=1), run, (good, bad)) == [2, 2]
    assert [path.name for path in list_checkpoints(run.folder / "checkpoints")] == ["step_00000003"]


def _run_two(
    optimization: Optimization, run: RunSettings, makers: tuple[object, object] = (SmallTask, SmallTask)
) -> list[int | None]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    processes = [
        start(optimization, run, make_task=make, rank=rank, world=2, port=port)
        for rank, make in enumerate(makers)
    ]
    for process in processes:
        process.join(300)
    return [process.exitcode for process in processes]


def _wait_for(condition: object, seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.002)


def test_a_dataset_that_changed_is_noticed(tmp_path: Path) -> None:
    def described(count: int, source: str = "here") -> dict[str, object]:
        return {"training": {"source": source, "pairs": count, "fingerprint": f"f{count}"}}

    run, optimization = small_run(tmp_path), small_optimization()
    train(SmallTask(), optimization, run, data=described(9))
    more = replace(optimization, steps=optimization.steps + 1)
    with pytest.raises(ToileError, match=r"data\.training\.fingerprint was 'f9' and is now 'f8'"):
        train(SmallTask(), more, run, data=described(8))
    train(SmallTask(), more, run, data=described(9, "moved"))


def test_what_could_not_be_read_is_named_at_the_end(tmp_path: Path, capsys) -> None:
    run = small_run(tmp_path)
    faults_of(run.folder).note("set", "pair 7", ToileError("it is damaged"))
    train(SmallTask(), small_optimization(), run)
    assert "1 pair could not be read and gave way to others: pair 7" in capsys.readouterr().err
