"""The training loop: one for every model of the project.

A run is exact: whatever is random is a function of (seed, step), so a run that was killed at any moment and
continued ends, on a CPU, with the same weights bit for bit as one that never stopped.
"""

import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sized
from pathlib import Path
from typing import cast

from accelerate import Accelerator
from torch import Tensor
from torch.utils.data import DataLoader

from toile.diffusion.optimization import Optimization
from toile.errors import ToileError
from toile.training.checkpoint import load_checkpoint, newest_checkpoint, save_checkpoint
from toile.training.configuration import (
    Configuration,
    check_continuable,
    is_finished,
    resolve,
    write_configuration,
)
from toile.training.order import SeededItems, StepSampler
from toile.training.pairs import faults_of
from toile.training.processes import Interrupt, make_accelerator
from toile.training.record import Means, Progress, Record
from toile.training.settings import RunSettings
from toile.training.step import NotFiniteError, Stepper
from toile.training.task import Task
from toile.whole import whole_folder


def train(
    task: Task,
    optimization: Optimization,
    run: RunSettings,
    recipe: object = None,
    data: Mapping[str, object] | None = None,
) -> Path:
    """Train, or continue, or do nothing if the run is finished.

    Args:
        task: model, data and loss.
        optimization: steps, batches and the optimiser's numbers. Raise `steps` to continue a finished run.
        run: where to write and how often.
        recipe: any dataclass, saved with the configuration; a run is not continued under another one.
        data: what the task reads (`RunPairs.description`), likewise; a dataset that has changed is noticed.

    Returns:
        The folder of the exported model, in diffusers layout, with the averaged weights if an average is
        kept.

    Raises:
        ToileError: when the folder holds another run, or when the loss is no longer finite.
        KeyboardInterrupt: after Ctrl-C, once the step is finished and a checkpoint is written; its text
            says how to continue.
    """
    configuration = resolve(task.name, optimization, run, recipe, data)
    check_continuable(run.folder, configuration)
    if is_finished(run.folder / "export", configuration):
        return run.folder / "export"
    training = Training(task, optimization, run, make_accelerator(optimization, run))
    try:
        training.resume(configuration)
        training.run_steps()
        return training.export(configuration)
    finally:
        training.stepper.release()
        training.report_faults()


class Training:
    """A run: steps, and what is written between them."""

    def __init__(
        self, task: Task, optimization: Optimization, run: RunSettings, accelerator: Accelerator
    ) -> None:
        """Prepare the task's model."""
        self.task, self.steps, self.run, self.accelerator = task, optimization.steps, run, accelerator
        self.checkpoints = run.folder / "checkpoints"
        self.stepper = Stepper(task, optimization, run.seed, accelerator)

    def resume(self, configuration: Configuration) -> None:
        """Continue from the newest checkpoint, if there is one.

        Raises:
            ToileError: when it is of another model, or has more steps than were asked for.
        """
        with self.accelerator.main_process_first():
            path = newest_checkpoint(self.checkpoints)
        if path is not None:
            self.stepper.restore(load_checkpoint(path))
        if self.stepper.done > self.steps:
            raise ToileError(
                f"{self.run.folder} has done {self.stepper.done} steps already, and steps is {self.steps}; "
                "give at least as many, or another folder to start anew"
            )
        if self.accelerator.is_main_process:
            write_configuration(self.run.folder / "config.json", configuration)

    def run_steps(self) -> None:
        """Train until the last step, writing what is to be written on the way."""
        if self.stepper.done == self.steps:
            return
        main = self.accelerator.is_main_process
        record = Record(self.run.folder, self.stepper.done) if main else None
        progress = Progress(self.task.name, self.stepper.done, self.steps, main)
        try:
            with Interrupt() as interrupt:
                self._run_steps(record, progress, interrupt)
        except NotFiniteError as error:
            kept = newest_checkpoint(self.checkpoints) if main else None
            raise ToileError(f"{error}. The last good checkpoint is {kept or 'none yet'}") from error
        finally:
            progress.close()
            if record is not None:
                record.close()

    def _run_steps(self, record: Record | None, progress: Progress, interrupt: Interrupt) -> None:
        batches = Timed(iter(self._loader()))
        means = Means()
        while self.stepper.done < self.steps:
            begun = time.perf_counter()
            values = self.stepper.step(batches, interrupt.asked)
            stop = values.pop("flag") > 0
            progress.advance(values["loss"])
            means.add(values | {"seconds": time.perf_counter() - begun, "waiting_seconds": batches.take()})
            if record is not None:
                self._write(record, means)
            if stop or self._due(self.run.save_every):
                self._save()
            if stop:
                raise KeyboardInterrupt(
                    f"{self.task.name} stopped at step {self.stepper.done} of {self.steps}, with a "
                    f"checkpoint in {self.run.folder}: the same command continues from it"
                )

    def _write(self, record: Record, means: Means) -> None:
        """Metrics, validation figures and the sample picture, when they are due."""
        step = self.stepper.done
        line = means.take() if self._due(self.run.log_every) else {}
        if self._due(self.run.validate_every):
            with self.stepper.evaluating():
                figures = self.task.validate(self.task.model)
            line |= {f"validation/{name}": float(value) for name, value in figures.items()}
        if self._due(self.run.sample_every):
            with self.stepper.evaluating():
                picture = self.task.sample(self.task.model)
            if picture is not None:
                record.picture(step, picture)
        if line:
            record.line(step, line)

    def _due(self, every: int) -> bool:
        return every > 0 and (self.stepper.done % every == 0 or self.stepper.done == self.steps)

    def _loader(self) -> DataLoader[dict[str, Tensor]]:
        optimization = self.stepper.optimization
        sampler = StepSampler(
            seed=self.run.seed,
            length=len(cast(Sized, self.task.dataset)),
            batch_size=optimization.batch_size,
            accumulation=optimization.gradient_accumulation,
            start=self.stepper.done,
            steps=self.steps,
            rank=self.accelerator.process_index,
            world=self.accelerator.num_processes,
        )
        return DataLoader(
            SeededItems(self.task.dataset),
            batch_sampler=sampler,
            num_workers=self.run.workers,
            pin_memory=self.accelerator.device.type == "cuda",
            worker_init_fn=_ignore_interrupts,
            multiprocessing_context=_worker_context() if self.run.workers else None,
        )

    def report_faults(self) -> None:
        """Name what could not be read, once, at the end."""
        summary = faults_of(self.run.folder).summary()
        if summary and self.accelerator.is_main_process:
            print(f"toile: {summary}", file=sys.stderr)

    def _save(self) -> None:
        if self.accelerator.is_main_process:
            save_checkpoint(self.checkpoints, self.stepper.checkpoint(), self.run.keep)
        self.accelerator.wait_for_everyone()

    def export(self, configuration: Configuration) -> Path:
        """Write the averaged weights and the configuration, in the place of an older export."""
        target = self.run.folder / "export"
        if self.accelerator.is_main_process:
            self.stepper.release()
            with self.stepper.evaluating(), whole_folder(target) as folder:
                self.task.export(self.task.model, folder)
                write_configuration(folder / "training.json", configuration)
        self.accelerator.wait_for_everyone()
        return target


class Timed(Iterator[dict[str, Tensor]]):
    """Batches, and how long they were waited for."""

    def __init__(self, batches: Iterator[dict[str, Tensor]]) -> None:
        """Wrap the batches."""
        self.batches, self._seconds = batches, 0.0

    def __next__(self) -> dict[str, Tensor]:
        """The next batch."""
        begun = time.perf_counter()
        batch = next(self.batches)
        self._seconds += time.perf_counter() - begun
        return batch

    def take(self) -> float:
        """Seconds waited since the last time this was asked."""
        seconds, self._seconds = self._seconds, 0.0
        return seconds


def _worker_context() -> str:
    """How reading processes start: as children of this process, whose end they notice, even by SIGKILL.

    Those of a fork server would outlive it for ever.
    """
    return "fork" if sys.platform == "linux" else "spawn"


def _ignore_interrupts(_worker: int) -> None:
    """Ctrl-C reaches the whole process group; the reading processes end with the training process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
