"""The cost of jobs, counted in FLOPs or measured in seconds, so that they can be told in U-Net passes."""

import time
from collections.abc import Callable
from statistics import median

import torch
from torch.utils.flop_counter import FlopCounterMode

Work = dict[str, Callable[[], object]]
"""Jobs by name."""


def count(jobs: Work) -> dict[str, float]:
    """FLOPs of each job."""
    counted = {}
    for name, job in jobs.items():
        with FlopCounterMode(display=False) as counter:
            job()
        counted[name] = float(counter.get_total_flops())
    return counted


def clock(jobs: Work, repeats: int, device: str) -> dict[str, float]:
    """Median seconds of each job; the jobs take turns, so that a busy machine slows all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(repeats + 1):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            if device.startswith("cuda"):
                torch.cuda.synchronize()
            if turn:  # the first turn warms up
                seconds[name].append(time.perf_counter() - start)
    return {name: median(values) for name, values in seconds.items()}
