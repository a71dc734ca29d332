"""A run in a process of its own, with the stand-in for the models, that tests can kill.

python -m tests.catalogue.coordinator_process LIST OUT '{"workers": 2, "seconds": 0.1}'
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.catalogue.stand_in import stand_in

from toile.catalogue.lists import open_list
from toile.catalogue.manifest import MANIFEST
from toile.catalogue.run import run_catalogue
from toile.catalogue.settings import CatalogueSettings
from toile.cli.main import INTERRUPTED, USAGE_ERROR
from toile.errors import ToileError

ROOT = Path(__file__).parents[2]


def main(listed: str, output: str, settings: str) -> int:
    own = json.loads(settings)
    largest = own.pop("largest_file", None)
    if largest is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    made = CatalogueSettings(drawer=stand_in(own.pop("seconds", 0.0)), **own)
    try:
        return run_catalogue("restore", open_list(listed, "restore"), Path(output), made).exit_code
    except ToileError as error:
        print("toile:", error, file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt as stop:
        print("toile:", stop, file=sys.stderr)
        return INTERRUPTED


def start(listed: Path, output: Path, **settings: object) -> subprocess.Popen[str]:
    """Start a run."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.catalogue.coordinator_process", listed, output, json.dumps(settings)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        start_new_session=True,
    )


def recorded(output: Path) -> int:
    """How many lines the manifest has."""
    path = output / MANIFEST
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something that is bound to happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def worker_processes(coordinator: int) -> list[int]:
    """The worker processes of a run on this computer."""
    found = []
    for path in Path("/proc").iterdir():
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            words = (path / "cmdline").read_bytes()
        except (OSError, ValueError, IndexError):
            continue
        if parent == coordinator and b"spawn_main" in words:
            found.append(int(path.name))
    return found


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)
