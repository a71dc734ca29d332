"""Workers as processes of this computer."""

import os
import signal
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Lock, RLock

from tqdm import tqdm

from toile.catalogue.draft import one_line
from toile.catalogue.engine import Dropped, Event, Finished, Lost, Ready, Refused
from toile.catalogue.job import Report, WorkerSettings
from toile.catalogue.plan import Block
from toile.errors import ToileError

SPAWN = get_context("spawn")
BROKEN = 70
"""Exit code of a worker that met an error that is nobody's mistake."""
THREADS = "OMP_NUM_THREADS"


@dataclass
class _Worker:
    """A worker process, seen from outside."""

    process: BaseProcess
    """The process."""
    connection: Connection
    """Our end of the pipe."""
    last_words: Lost | None = None
    """Why it ended, when it had the time to say so."""


class LocalEngine:
    """Spawns worker processes, and talks with each by a pipe of its own, which no death can block.

    Args:
        settings: what workers are made from.
        threads: of each worker; the environment's OMP_NUM_THREADS counts more.
    """

    def __init__(self, settings: WorkerSettings, *, threads: int = 1) -> None:
        """Nothing is started yet."""
        self.settings, self.threads = settings, threads
        self._workers: dict[int, _Worker] = {}

    def start(self, worker: int) -> None:
        """See `Engine.start`."""
        ours, theirs = SPAWN.Pipe()
        process = SPAWN.Process(
            target=work,
            args=(theirs, self.settings, worker, self.threads),
            name=f"worker {worker}",
            daemon=True,
        )
        try:
            process.start()
        except OSError as error:
            raise ToileError(
                f"no worker can be started ({error.strerror or error}); lower --workers"
            ) from error
        theirs.close()  # so that the worker's death ends the pipe
        self._workers[worker] = _Worker(process, ours)

    def give(self, worker: int, block: Block) -> None:
        """See `Engine.give`."""
        with suppress(OSError):  # it has died, which is about to be told
            self._workers[worker].connection.send(block)

    def drop(self) -> None:
        """See `Engine.drop`."""
        for worker in self._workers.values():
            with suppress(OSError):
                worker.connection.send(None)

    def kill(self, worker: int) -> None:
        """See `Engine.kill`."""
        self._workers[worker].process.kill()

    def events(self, timeout: float) -> Sequence[Event]:
        """See `Engine.events`."""
        numbers = {worker.connection: number for number, worker in self._workers.items()}
        if not numbers:
            time.sleep(timeout)
        found = (self._received(numbers[connection]) for connection in wait(list(numbers), timeout))  # type: ignore[index]
        return [event for event in found if event is not None]

    def close(self) -> None:
        """See `Engine.close`."""
        for worker in self._workers.values():
            worker.process.kill()
        for worker in self._workers.values():
            worker.process.join()
            worker.connection.close()
        self._workers.clear()

    def _received(self, number: int) -> Event | None:
        worker = self._workers[number]
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            return self._lost(number)
        if isinstance(message, Lost):  # it says why it is about to end
            worker.last_words = message
            return None
        event: Event = message
        return event

    def _lost(self, number: int) -> Lost:
        worker = self._workers.pop(number)
        worker.process.kill()
        worker.process.join()
        worker.connection.close()
        code = worker.process.exitcode or 0
        how = f"ended by {_signal_name(-code)}" if code < 0 else f"exit code {code}"
        return worker.last_words or Lost(number, how)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def threads_each(workers: int) -> int:
    """Threads of each of several workers that share this computer."""
    allowed = getattr(os, "sched_getaffinity", None)
    cores = len(allowed(0)) if allowed else os.cpu_count() or 1
    return max(1, cores // workers)


def work(connection: Connection, settings: WorkerSettings, number: int, threads: int) -> None:
    """The life of a worker process: blocks come by the pipe, events go back, and its end ends the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's to answer
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.setdefault(THREADS, str(threads))  # before torch is imported, which reads it once
    tqdm.set_lock(RLock())  # its own would outlive a worker that is killed
    from toile.catalogue.worker import Worker

    answers = _Answers(connection, number)
    try:
        worker = Worker(replace(settings, number=number))
    except ToileError as error:
        answers.send(Refused(number, error))
        return
    except Exception as error:
        answers.give_up(one_line(error))
    answers.send(Ready(number))
    while True:
        try:
            block: Block | None = connection.recv()
        except (EOFError, OSError):
            os._exit(0)  # whoever wanted the pictures is gone
        if block is None:
            worker.drop()
        else:
            worker.submit(block).add_done_callback(partial(answers.tell, block.number))


class _Answers:
    """What a worker process sends, from whichever thread."""

    def __init__(self, connection: Connection, worker: int) -> None:
        self.connection, self.worker, self.lock = connection, worker, Lock()

    def tell(self, block: int, future: Future[Report]) -> None:
        """Say what came of a block; after an error that is nobody's mistake the process ends."""
        error = None if future.cancelled() else future.exception()
        if future.cancelled():
            self.send(Dropped(self.worker, block))
        elif error is None:
            self.send(Finished(self.worker, future.result()))
        elif isinstance(error, ToileError):
            self.send(Refused(self.worker, error))
        else:
            self.give_up(one_line(error), block)

    def send(self, message: Event) -> None:
        """Send something; a coordinator that is gone needs nothing any more."""
        with self.lock:
            try:
                self.connection.send(message)
            except OSError:
                os._exit(0)

    def give_up(self, reason: str, block: int | None = None) -> None:
        """Say why, and end the process."""
        self.send(Lost(self.worker, reason, block))
        os._exit(BROKEN)
