"""Small datasets in the real layouts, drawn by the tests themselves."""

from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (64, 48)


def picture(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (*size, 3), dtype=np.uint8))


def garment(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    pixels = np.full((*size, 3), 255, dtype=np.uint8)
    inside = pixels[size[0] // 4 : -size[0] // 4, size[1] // 4 : -size[1] // 4]
    inside[:] = np.random.default_rng(seed).integers(0, 200, 3, dtype=np.uint8)
    return Image.fromarray(pixels)


def mask(size: tuple[int, int] = SIZE) -> Image.Image:
    values = np.zeros(size, dtype=np.uint8)
    values[10:40, 8:40] = 255
    return Image.fromarray(values)


def save(picture: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


def write_viton_hd(root: Path, stems: tuple[str, ...], split: str = "test") -> Path:
    for number, stem in enumerate(stems):
        save(picture(number), root / split / "image" / f"{stem}.jpg")
        save(garment(number), root / split / "cloth" / f"{stem}.jpg")
        save(mask().convert("RGB"), root / split / "agnostic-mask" / f"{stem}_mask.png")
    (root / f"{split}_pairs.txt").write_text("".join(f"{stem}.jpg {stem}.jpg\n" for stem in stems))
    return root


def write_dresscode(root: Path, split: str = "test") -> Path:
    for number, name in enumerate(("upper_body", "lower_body", "dresses")):
        stem = f"{number:06d}"
        save(picture(number), root / name / "images" / f"{stem}_0.jpg")
        save(garment(number), root / name / "images" / f"{stem}_1.jpg")
        (root / name / f"{split}_pairs_paired.txt").write_text(f"{stem}_0.jpg\t{stem}_1.jpg\n")
    save(mask(), root / "dresses" / "agnostic_masks" / "000002_0.png")
    return root


def write_plain(root: Path, names: tuple[str, ...]) -> Path:
    for number, name in enumerate(names):
        save(picture(number), root / "persons" / f"{name}.jpg")
        save(garment(number), root / "garments" / f"{name}.png")
    save(mask(), root / "masks" / f"{names[0]}.png")
    return root


def labels(size: tuple[int, int] = SIZE) -> Image.Image:
    """A parse map in ATR's labels: an upper garment with a belt below it."""
    values = np.zeros(size, dtype=np.uint8)
    values[10:40, 8:40] = 4
    values[40:44, 8:40] = 8
    return Image.fromarray(values)


def write_street_tryon(root: Path) -> Path:
    for number, stem in enumerate(("000001", "000002")):
        save(picture(number), root / "validation" / "image" / f"{stem}.jpg")
        save(labels(), root / "validation" / "segm" / f"{stem}.png")
    path = root / "annotations" / "street2street_test_pairs_top.csv"
    path.parent.mkdir(parents=True)
    path.write_text(",from,to\n0,000002.jpg,000001.jpg\n1,000001.jpg,000002.jpg\n")
    return root
