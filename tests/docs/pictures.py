"""The pictures of `docs/guide/first-steps.md`, by its own commands: `python -m tests.docs.pictures`."""

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageOps
from tests.docs.blocks import COMMANDS, ROOT, blocks, command_lines

from toile.cli.main import main
from toile.files import whole_file

PAGE = ROOT / "docs/guide/first-steps.md"
IMAGES = ROOT / "docs/images"
STRIPS = {
    "dolls": ("him.jpg", "her.jpg", "pullover.jpg", "trousers.jpg"),
    "restore": ("him.jpg", "mask-preview.png", "restored.png", "dolls/upper_body/images/10000013_1.jpg"),
    "two-way": ("worn.png", "taken-off.png", "her.jpg", "swapped.png"),
    "dress": ("pullover.jpg", "trousers.jpg", "dressed.png", "studio.png"),
}
"""The pictures of each strip, from left to right."""
GAP, COLOURS = 8, 128


def draw(folder: Path) -> None:
    """Run what the page runs, with every step, in a folder."""
    for block in blocks(PAGE):
        if block.is_run and block.language in COMMANDS:
            for words in command_lines(block.text):
                done = main(words[1:]) if words[0] == "toile" else subprocess.run(words).returncode
                assert done == 0, " ".join(words)


def strip(pictures: list[Image.Image]) -> Image.Image:
    """Pictures side by side, white between them, with few colours so that the file is small."""
    width, height = pictures[0].size
    sheet = Image.new("RGB", (len(pictures) * (width + GAP) - GAP, height), "white")
    for place, picture in enumerate(pictures):
        framed = ImageOps.expand(picture.convert("RGB").resize((width - 2, height - 2)), 1, "#e4ded4")
        sheet.paste(framed, (place * (width + GAP), 0))
    return sheet.quantize(COLOURS, dither=Image.Dither.NONE)


def write() -> None:
    """Write every strip."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        draw(Path(folder))
        for name, files in STRIPS.items():
            pictures = [Image.open(file) for file in files]
            with whole_file(IMAGES / f"first-steps-{name}.png") as beside:
                strip(pictures).save(beside, format="PNG", optimize=True)


if __name__ == "__main__":
    assert shutil.which("cp"), "the page copies files with cp"
    write()
