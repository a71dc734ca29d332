"""The wheel: built from a copy of the sources, and installed into environments of its own.

`python -m tests.packaging.wheel app serve` does it for real: an environment for each extra, every dependency
installed within `constraints.txt`, and the commands run from there.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
SOURCES = ("pyproject.toml", "README.md", "LICENSE")
SECONDS = 3600
EXTRA_IMPORTS = {
    "app": "gradio, toile.app.page",
    "serve": "fastapi, uvicorn, toile.service.application",
    "docs": "mkdocs, mkdocstrings",
    "cluster": "ray, deepspeed",
    "": "toile.igr.pipeline",
}
"""What has to be importable with each extra; without any, the library itself."""
DRAW_DOLL = """
import sys
from PIL import Image
from toile.dolls import draw_doll
Image.fromarray(draw_doll(10_000_000).person).save(sys.argv[1])
"""


def build_wheel(folder: Path) -> Path:
    """Build the wheel in a folder; the sources are copied there first, so that the tree stays as it is."""
    source = folder / "source"
    skipped = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", source / "src", ignore=skipped)
    for name in SOURCES:
        shutil.copy(ROOT / name, source)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source)
    (wheel,) = folder.glob("toile-*.whl")
    return wheel


def pip(*words: object, python: Path | None = None) -> None:
    """Run this environment's pip, for another environment where one is named."""
    where = [] if python is None else ["--python", python]
    run([sys.executable, "-m", "pip", "--quiet", *where, *words])


def run(words: Sequence[object], folder: Path | None = None) -> str:
    """Run a program and return what it prints; what it complains of is shown when it fails."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, words))} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def borrowing_environment(folder: Path, wheel: Path) -> Path:
    """A new environment with the wheel alone, which sees this one's packages for want of a network.

    A `.pth` file adds this environment's site-packages behind its own; such a path is not searched for
    further `.pth` files, so an editable install of toile there is not seen.

    Returns:
        Its Python.
    """
    run([sys.executable, "-m", "venv", "--without-pip", folder])
    python = folder / "bin" / "python"
    pip("install", "--no-deps", "--no-index", wheel, python=python)
    own = sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)})
    (Path(own) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def complete_environment(folder: Path, wheel: Path, extra: str) -> Path:
    """A new environment with the wheel, an extra and all that they need; returns its Python."""
    run([sys.executable, "-m", "venv", "--without-pip", folder])
    python = folder / "bin" / "python"
    wanted = f"{wheel}[{extra}]" if extra else str(wheel)
    pip("install", "--constraint", ROOT / "constraints.txt", wanted, python=python)
    return python


def check_extra(extra: str, wheel: Path, folder: Path) -> None:
    """Install the wheel with an extra, import what it is for, and restore a doll from there."""
    with TemporaryDirectory(dir=folder) as environment:
        python = complete_environment(Path(environment), wheel, extra)
        run([python, "-c", f"import {EXTRA_IMPORTS[extra]}"], folder)
        restore_doll(python, folder)


def restore_doll(python: Path, folder: Path) -> Path:
    """Draw a doll and restore her garment in one step with the bundled weights, by the installed command."""
    toile, photo, garment = python.with_name("toile"), folder / "photo.png", folder / "garment.png"
    run([python, "-c", DRAW_DOLL, photo], folder)
    run([toile, "restore", photo, "--steps", 1, "--device", "cpu", "-o", garment], folder)
    return garment


def main(extras: Sequence[str]) -> int:
    """Check the extras that are named, or all; returns how many failed."""
    failed = 0
    with TemporaryDirectory() as folder:
        wheel = build_wheel(Path(folder))
        for extra in extras or EXTRA_IMPORTS:
            try:
                check_extra(extra, wheel, Path(folder))
                print(f"toile[{extra}]: installed and run")
            except RuntimeError as error:
                failed += 1
                print(f"toile[{extra}]: {error}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
