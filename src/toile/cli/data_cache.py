"""`toile data cache NAME`: encode what a training reads, ahead of it and with several processes."""

import signal
from multiprocessing import get_context
from typing import Any

from toile.cli.train import TrainArguments, parse_training
from toile.errors import ToileError
from toile.training.registry import TRAININGS, find_training

USAGE = "usage: toile data cache NAME [--workers N] [the settings of `toile train NAME`]"


def cache_command(arguments: list[str]) -> int:
    """Parse and encode; returns the exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        names = ", ".join(name for name, training in TRAININGS.items() if training.encode is not None)
        print(f"{USAGE}\n\nLatents and embeddings are computed once, in folders that trainings share.")
        print(
            f"A training without them computes them first; Ctrl-C loses one shard at most.\n\nNAME: {names}"
        )
        return 0
    name, *rest = arguments
    workers = take_workers(rest)
    check_encodes(name)
    parsed = parse_training(f"toile data cache {name}", "Encode what this training reads.", name, rest)
    if parsed.sources.cache is None:
        raise ToileError("cache is None, which keeps nothing; give a folder")
    encode_with_workers(name, parsed, workers)
    print(parsed.sources.cache)
    return 0


def take_workers(arguments: list[str]) -> int:
    """Take `--workers N` out of the arguments: here it means processes that encode, and not that read.

    Raises:
        ToileError: when N is no number of processes.
    """
    if "--workers" not in arguments:
        return 1
    place = arguments.index("--workers")
    text = arguments[place + 1] if place + 1 < len(arguments) else ""
    del arguments[place : place + 2]
    if not text.isdecimal() or int(text) < 1:
        raise ToileError(f"workers is {text!r}; write a number of processes, at least 1")
    return int(text)


def check_encodes(name: str) -> None:
    """Refuse a training of which nothing can be encoded ahead.

    Raises:
        ToileError: when it is one, or there is none of that name.
    """
    if find_training(name).encode is None:
        raise ToileError(f"{name} reads pictures as they are; there is nothing to encode ahead")


def encode_with_workers(name: str, parsed: TrainArguments[Any], workers: int) -> None:
    """Encode together: each process takes shards that no other one is at work on.

    Raises:
        ToileError: when a process fails; what is encoded stays.
    """
    if workers == 1:
        _encode(name, parsed)
        return
    processes = [
        get_context("spawn").Process(target=_encode_quietly, args=(name, parsed), daemon=True)
        for _ in range(workers - 1)
    ]
    for process in processes:
        process.start()
    _encode(name, parsed)
    for process in processes:
        process.join()
    failed = sum(process.exitcode != 0 for process in processes)
    if failed:
        raise ToileError(f"{failed} of {workers} processes failed; run the same command again to go on")


def _encode(name: str, parsed: TrainArguments[Any]) -> None:
    import torch

    if parsed.run.threads is not None:
        torch.set_num_threads(parsed.run.threads)
    encode = find_training(name).encode
    assert encode is not None  # checked before
    encode(parsed.recipe, parsed.sources, parsed.run)


def _encode_quietly(name: str, parsed: TrainArguments[Any]) -> None:
    """In a process beside: Ctrl-C is for the main one, at whose end this one ends too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _encode(name, parsed)
