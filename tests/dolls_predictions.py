"""Predictions for a few dolls, as a user might have drawn them."""

from pathlib import Path

from PIL import ImageFilter

from toile.data.doll_pairs import doll_pair


def write_doll_predictions(folder: Path, first: int, count: int) -> Path:
    """The blurred garments of studio dolls, as `studio-SEED.png`."""
    folder.mkdir(parents=True)
    for seed in range(first, first + count):
        garment = doll_pair(seed, (256, 192), "studio").garment
        garment.filter(ImageFilter.GaussianBlur(2)).save(folder / f"studio-{seed:08d}.png")
    return folder
