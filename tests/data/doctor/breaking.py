"""What the functions that break a healthy dataset share, and the tests that call them.

Each function gets the dataset's folder, breaks one thing in it, and gives the code that has to be found and
the file that has to be named.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from toile.data.doctor.verdict import Report

Found = tuple[str, str]
Break = Callable[[Path], Found]

FIRST = "00000000_00"
"""The stem of the first training doll in VITON-HD's layout."""


def edit(path: Path, change: Callable[[Image.Image], Image.Image], **options: object) -> None:
    with Image.open(path) as picture:
        changed = change(picture.copy())
    changed.save(path, **options)


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.array(picture)


def found(report: Report) -> set[tuple[str, str]]:
    return {(finding.code, finding.file) for group in report.groups for finding in group.findings}


def codes(report: Report) -> set[str]:
    return {group.kind.code for group in report.groups}
