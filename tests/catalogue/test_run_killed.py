"""Runs that are killed, interrupted or out of room, and taken up again; the stand-in draws."""

import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest
from tests.catalogue.coordinator_process import recorded, start, wait_until, worker_processes
from tests.catalogue.stand_in import open_photos, stand_in, write_photos
from tests.catalogue.test_run import pictures, rows, run

from toile.catalogue.lists import open_list

COUNT = 40
SPECIAL = {number: "missing" for number in range(5, COUNT, 10)}


@pytest.fixture(scope="module")
def listed(tmp_path_factory) -> Path:
    return write_photos(tmp_path_factory.mktemp("photos"), COUNT, SPECIAL)


@pytest.fixture(scope="module")
def clean(listed, tmp_path_factory) -> dict[str, str]:
    """The pictures of a run that nothing happens to."""
    output = tmp_path_factory.mktemp("clean") / "out"
    run(open_list(str(listed), "restore"), output)
    return pictures(output)


def is_running(process: int) -> bool:
    return Path(f"/proc/{process}/cmdline").exists()


def is_complete(output: Path, clean: dict[str, str]) -> None:
    found = rows(output)
    assert [row["number"] for row in found] == list(range(COUNT))
    assert {row["number"] for row in found if row["state"] == "failed"} == set(SPECIAL)
    assert pictures(output) == clean and len(clean) == COUNT - len(SPECIAL)
    assert not list(output.rglob("*.part")) and not (output / ".unfinished").exists()


def test_workers_that_are_killed_lose_nothing(listed, clean, tmp_path):
    output, chance, killed = tmp_path / "out", random.Random(0), []

    def kill_two() -> None:
        for after in (4, 20):
            wait_until(lambda after=after: recorded(output) >= after)
            time.sleep(chance.random() * 0.05)
            victim = chance.choice(worker_processes(os.getpid()))
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)

    thread = threading.Thread(target=kill_two)
    thread.start()
    items = open_list(str(listed), "restore")
    summary = run(items, output, drawer=stand_in(0.05), workers=2)
    thread.join()
    assert len(killed) == summary.deaths == 2
    is_complete(output, clean)


def test_a_run_that_is_killed_goes_on(listed, clean, tmp_path):
    output = tmp_path / "out"
    for after in (4, 16):
        process = start(listed, output, workers=2, batch=2, seconds=0.05)
        wait_until(lambda after=after: recorded(output) >= after)
        workers = worker_processes(process.pid)
        process.kill()
        process.wait()
        assert workers
        wait_until(lambda workers=workers: not any(is_running(worker) for worker in workers))
    before = recorded(output)
    assert 16 <= before < COUNT
    assert run(open_list(str(listed), "restore"), output).recorded == COUNT - before
    is_complete(output, clean)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_finishes_what_is_being_drawn(listed, clean, tmp_path, number):
    output = tmp_path / "out"
    process = start(listed, output, workers=2, batch=2, seconds=0.3)
    wait_until(lambda: recorded(output) >= 2)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does it: workers hear it as well
    else:
        process.send_signal(number)
    before = time.monotonic()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and time.monotonic() - before < 20
    assert (
        "Ctrl-C again stops at once" in said
        and "the same command goes on" in said
        and "Traceback" not in said
    )
    done = recorded(output)
    assert 2 <= done < COUNT and f"interrupted with {done} of {COUNT}" in said
    assert len(pictures(output)) == sum(row["state"] == "done" for row in rows(output))
    run(open_list(str(listed), "restore"), output)
    is_complete(output, clean)


def test_a_second_ctrl_c_stops_at_once(listed, tmp_path):
    output = tmp_path / "out"
    process = start(listed, output, workers=1, batch=4, seconds=30)
    wait_until(lambda: (output / ".lock").exists() and bool(worker_processes(process.pid)))
    time.sleep(1)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.7)
    process.wait(timeout=15)
    assert process.returncode == 130 and recorded(output) == 0 and worker_processes(process.pid) == []


def test_on_a_full_disk_the_run_stops_and_goes_on_when_there_is_room(listed, clean, tmp_path):
    """No file may grow beyond some bytes, which the manifest is the first to do."""
    output = tmp_path / "out"
    process = start(listed, output, workers=2, batch=2, largest_file=4000)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2 and "manifest.jsonl cannot be written" in said and "Traceback" not in said
    before = recorded(output)
    assert 2 <= before < COUNT and (output / "manifest.jsonl").read_bytes().endswith(b"\n")
    assert run(open_list(str(listed), "restore"), output).recorded == COUNT - before
    is_complete(output, clean)


def test_pictures_that_have_no_room_stop_the_run(listed, clean, tmp_path):
    """As before, but not even a picture has room."""
    output = tmp_path / "out"
    process = start(listed, output, workers=1, batch=2, sink="shards", shard_size=10, largest_file=10_000)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2 and "cannot be written" in said and "Traceback" not in said
    assert rows(output) == [] and not list(output.glob("*.tar"))


def test_a_second_run_on_one_output_is_refused(listed, clean, tmp_path):
    output = tmp_path / "out"
    first = start(listed, output, workers=1, batch=2, seconds=0.2)
    wait_until(lambda: recorded(output) >= 2)
    second = start(listed, output, workers=1, batch=2)
    _, said = second.communicate(timeout=60)
    assert second.returncode == 2 and "another run is at work in" in said
    first.kill()
    first.wait()


def test_items_are_read_as_they_are_needed(tmp_path, monkeypatch):
    """Of a list that is interrupted early, only a few blocks have been asked for."""
    items = open_photos(tmp_path / "in", 30)
    asked: list[int] = []
    read = type(items).read

    def watched(self, begin, end):
        asked.append(begin)
        return read(self, begin, end)

    monkeypatch.setattr(type(items), "read", watched)

    def stop() -> None:
        wait_until(lambda: recorded(tmp_path / "out") >= 2)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=stop).start()
    with pytest.raises(KeyboardInterrupt, match="the same command goes on"):
        run(items, tmp_path / "out", batch=1, drawer=stand_in(0.1))
    assert len(asked) < 15
