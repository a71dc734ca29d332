"""The folder that the documentation's commands are run in: what they name is there, drawn as Paper Dolls."""

import shutil
from pathlib import Path

from toile.cli.main import main

SIZE = "128x96"
FIRST = 10_000_000


def draw(folder: Path) -> None:
    """Photos, garments and masks by the names that the documentation uses, and datasets of a few dolls."""
    street = ["--mode", "street"]
    _dolls(folder / "path/to/VITON-HD", "viton-hd", "train", 6)
    _dolls(folder / "path/to/VITON-HD", "viton-hd", "test", 2)
    _dolls(folder / "path/to/DressCode", "dresscode", "train", 8)
    _dolls(folder / "path/to/DressCode", "dresscode", "test", 4, *street)
    images = folder / "path/to/VITON-HD/train"
    photos, garments = sorted((images / "image").glob("*")), sorted((images / "cloth").glob("*"))
    masks = sorted((images / "agnostic-mask").glob("*"))
    trousers = sorted((folder / "path/to/DressCode/lower_body/images").glob("*_1.jpg"))
    pictures = {
        "photo.jpg": photos[0],
        "mask.png": masks[0],
        "photos/a.jpg": photos[1],
        "photos/b.jpg": photos[2],
        "masks/a.png": masks[1],
        "masks/b.png": masks[2],
        "person.jpg": photos[1],
        "wearer.jpg": photos[0],
        "target.jpg": photos[2],
        "garment.png": garments[3],
        "shirt.png": garments[4],
        "straw.png": garments[5],
        "jeans.png": trousers[0],
    }
    for number in range(4):
        pictures[f"mine/persons/p{number}.jpg"] = photos[number]
        pictures[f"mine/garments/p{number}.jpg"] = garments[number]
    for name, source in pictures.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        _copy(source, folder / name)


def _dolls(folder: Path, layout: str, split: str, count: int, *options: str) -> None:
    seed = str(FIRST + (1000 if split == "test" else 0))
    words = ["--count", str(count), "--first-seed", seed, "--layout", layout, "--split", split]
    assert main(["dolls", "make", str(folder), *words, "--size", SIZE, *options]) == 0


def _copy(source: Path, target: Path) -> None:
    """Copy a picture, as a file of the kind that its new name says."""
    if source.suffix == target.suffix:
        shutil.copyfile(source, target)
        return
    from PIL import Image

    Image.open(source).save(target)
