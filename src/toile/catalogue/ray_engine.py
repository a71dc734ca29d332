"""Workers as actors of a Ray cluster, or of a Ray that is started on this computer."""

import logging
import os
import socket
import time
from collections.abc import Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from toile.catalogue.coordinator import AT_HAND
from toile.catalogue.draft import one_line
from toile.catalogue.engine import Dropped, Event, Finished, Lost, Ready, Refused
from toile.catalogue.job import Report, WorkerSettings
from toile.catalogue.local_engine import THREADS, threads_each
from toile.catalogue.plan import Block
from toile.errors import ToileError

OBJECT_STORE = 128 * 2**20
"""Bytes of shared memory of a Ray that is started here: pictures never travel through it."""


class RayWorker:
    """What runs in an actor: the same worker as in a process of this computer."""

    def open(self, settings: WorkerSettings, threads: int, folder: str) -> ToileError | None:
        """Load the model, in a working directory; returns why no worker can."""
        os.environ[THREADS] = str(threads)  # before torch is imported, which reads it once
        with suppress(OSError):  # where it is missing, so are the files, which is said of each
            os.chdir(folder)
        from toile.catalogue.worker import Worker

        try:
            self.worker = Worker(settings)
        except ToileError as error:
            return error
        return None

    def do(self, block: Block) -> Report | ToileError | None:
        """Do a block; None when it was dropped, an error when no worker would do better.

        Raises:
            RuntimeError: after an error that is nobody's mistake.
        """
        try:
            return self.worker.submit(block).result()
        except CancelledError:
            return None
        except ToileError as error:
            return error
        except Exception as error:
            raise RuntimeError(one_line(error)) from None

    def drop(self) -> None:
        """Give back what the model has not begun."""
        self.worker.drop()


@dataclass(frozen=True)
class _Call:
    """An answer that is waited for."""

    worker: int
    """Who gives it."""
    block: int | None
    """Of which block; None is whether the worker is ready."""


class RayEngine:
    """Keeps workers as Ray actors. List, pictures and output lie where every node of the cluster sees them.

    Args:
        settings: what workers are made from.
        workers: how many there will be.
        address: of a cluster, `auto` for the one that this computer belongs to; None starts Ray here.
        threads: of each worker; None divides the processors there are.

    Raises:
        ToileError: when Ray is not installed, or the cluster does not answer or is too small.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        *,
        workers: int = 1,
        address: str | None = None,
        threads: int | None = None,
    ) -> None:
        """Connect to the cluster, or start it."""
        self._ray = _started(address, workers)
        there = self._ray.cluster_resources()
        largest = max(node["Resources"].get("CPU", 1) for node in self._ray.nodes() if node["Alive"])
        self.threads = threads or int(max(1, min(there.get("CPU", 1) // workers, largest)))
        gpus = 0 if settings.models.device == "cpu" else int(there.get("GPU", 0))
        self._gpus = 1 / ceil(workers / gpus) if gpus else 0.0
        self.settings = replace(settings, number=0)
        self._actors: dict[int, Any] = {}
        self._calls: dict[Any, _Call] = {}

    def start(self, worker: int) -> None:
        """See `Engine.start`."""
        kind = self._ray.remote(
            num_cpus=self.threads,
            num_gpus=self._gpus,
            max_restarts=0,
            max_concurrency=AT_HAND + 2,
        )(RayWorker)
        actor = self._actors[worker] = kind.remote()
        self._calls[actor.open.remote(self.settings, self.threads, os.getcwd())] = _Call(worker, None)

    def give(self, worker: int, block: Block) -> None:
        """See `Engine.give`."""
        self._calls[self._actors[worker].do.remote(block)] = _Call(worker, block.number)

    def drop(self) -> None:
        """See `Engine.drop`."""
        for actor in self._actors.values():
            actor.drop.remote()

    def kill(self, worker: int) -> None:
        """See `Engine.kill`."""
        self._ray.kill(self._actors[worker])

    def events(self, timeout: float) -> Sequence[Event]:
        """See `Engine.events`."""
        if not self._calls:
            time.sleep(timeout)
            return []
        answered, _ = self._ray.wait(list(self._calls), timeout=timeout)
        events = (self._event(reference) for reference in answered if reference in self._calls)
        return [event for event in events if event is not None]

    def close(self) -> None:
        """See `Engine.close`."""
        self._ray.shutdown()

    def _event(self, reference: Any) -> Event | None:
        call = self._calls.pop(reference)
        try:
            answer = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            return self._lost(call.worker, str(error.cause), call.block)
        except self._ray.exceptions.RayError as error:
            return self._lost(call.worker, _first_line(error))
        if isinstance(answer, ToileError):
            return Refused(call.worker, answer)
        if call.block is None:
            return Ready(call.worker)
        return Dropped(call.worker, call.block) if answer is None else Finished(call.worker, answer)

    def _lost(self, worker: int, reason: str, block: int | None = None) -> Lost:
        """A worker is gone, and with it every answer that it owes."""
        self._ray.kill(self._actors.pop(worker))
        self._calls = {ref: call for ref, call in self._calls.items() if call.worker != worker}
        return Lost(worker, reason.rstrip("."), block)


def _started(address: str | None, workers: int) -> Any:
    """Ray's module, connected."""
    try:
        import ray
    except ImportError as error:
        raise ToileError(
            "--engine ray needs Ray, which is not installed; pip install 'toile[cluster]'"
        ) from error
    if address is not None:
        _reach(address)
    own = _here(workers) if address is None else {"address": address}
    try:
        ray.init(**own, log_to_driver=False, logging_level=logging.CRITICAL)  # the bar is ours
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        raise _unanswered(address, error) from error
    return ray


def _here(workers: int) -> dict[str, Any]:
    """How a Ray is started on this computer: with the priority of this process, and telling nobody of it."""
    for name, value in {"RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0"}.items():
        os.environ.setdefault(name, value)
    return {
        "address": "local",
        "num_cpus": max(workers, threads_each(1)),
        "object_store_memory": OBJECT_STORE,
        "include_dashboard": False,
    }


def _reach(address: str) -> None:
    """See that somebody listens there: Ray itself would try for minutes.

    Raises:
        ToileError: when nobody does.
    """
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        try:
            socket.create_connection((host, int(port)), timeout=10).close()
        except (OSError, OverflowError) as error:
            raise _unanswered(address, error) from error


def _unanswered(address: str | None, error: Exception) -> ToileError:
    place = f"the Ray cluster {address!r}" if address else "Ray"
    return ToileError(f"{place} does not answer ({_first_line(error)}); see `ray status`")


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
