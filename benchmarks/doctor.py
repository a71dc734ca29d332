"""How fast the doctor examines many small files, and how much memory that takes.

    python -m benchmarks.doctor --files 100000 --workers 2

Writes a plain folder of tiny PNGs (a photo, a garment and a mask for each pair, all different), examines it,
prints files per second and the peak memory of each process, and deletes the folder. The pictures are small
on purpose: it is the doctor's own work that is measured, and what it keeps in mind, not the decoding.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from toile.data.doctor.checkup import check_dataset

HEIGHT, WIDTH = 32, 24
ROLES = ("persons", "garments", "masks")


def write_folder(root: Path, files: int) -> None:
    """Write `files` tiny PNGs, a third of them masks."""
    for role in ROLES:
        (root / role).mkdir(parents=True)
    for number in tqdm(
        range(files // len(ROLES)), desc="writing", unit="pair", disable=not sys.stderr.isatty()
    ):
        random = np.random.default_rng(number)
        photo = random.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
        garment = np.full_like(photo, 255)
        garment[6:-6, 5:-5] = random.integers(0, 200, (HEIGHT - 12, WIDTH - 10, 3), np.uint8)
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[8:24, 6:18] = 255
        for role, pixels in zip(ROLES, (photo, garment, mask), strict=True):
            Image.fromarray(pixels).save(root / role / f"{number:06d}.png", compress_level=1)


def peak(who: int) -> float:
    """Peak resident memory in MB (Linux counts in kB, macOS in bytes)."""
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(who).ru_maxrss / unit


def processor() -> float:
    """Seconds that this process and its ended children have spent on a processor."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in usage)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_folder(Path(folder) / "set", options.files)
        before, start, spent = peak(resource.RUSAGE_SELF), time.perf_counter(), processor()
        report = check_dataset(Path(folder) / "set", workers=options.workers)
        seconds, spent = time.perf_counter() - start, processor() - spent
    print(f"{report.files:,} files, {options.workers} workers: {seconds:.1f} s")
    print(f"{report.files / seconds:,.0f} files/s; {report.files / spent:,.0f} a second of processor time")
    print(f"peak memory: {peak(resource.RUSAGE_SELF):.0f} MB ({before:.0f} MB before)")
    print(f"peak memory of the largest worker: {peak(resource.RUSAGE_CHILDREN):.0f} MB")
    print("found:", {group.kind.code: group.count for group in report.groups} or "nothing")


if __name__ == "__main__":
    main()
