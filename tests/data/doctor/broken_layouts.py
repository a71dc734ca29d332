"""Mistakes in DressCode's layout, and in a plain folder."""

import json
from pathlib import Path

import numpy as np
from PIL import Image
from tests.data.doctor.breaking import FIRST, Break, Found, pixels_of


def dresscode_label(root: Path) -> Found:
    name = next((root / "upper_body/label_maps").iterdir()).relative_to(root).as_posix()
    labels = pixels_of(root / name)
    Image.fromarray(np.where(labels == 4, 19, labels).astype(np.uint8)).save(root / name)
    return "parse-labels", name


def dresscode_pose(root: Path) -> Found:
    path = next((root / "upper_body/keypoints").iterdir())
    path.write_text(json.dumps({"keypoints": [[-1, -1, 0.0, -1]] * 18}))
    return "pose-without-people", path.relative_to(root).as_posix()


def dresscode_digit(root: Path) -> Found:
    path = root / "train_pairs.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0][:-1] + "9", *lines[1:]]))
    return "list-malformed", "train_pairs.txt:1"


def dresscode_hugging(root: Path) -> Found:
    parse = sorted((root / "upper_body/label_maps").iterdir())[0]
    name = f"upper_body/agnostic_masks/{parse.stem[:-2]}_0.png"
    Image.fromarray((pixels_of(parse) == 4).astype(np.uint8) * 255).save(root / name)
    return "mask-gives-away-shape", name


def dresscode_listed_for_both(root: Path) -> Found:
    line = (root / "upper_body/train_pairs.txt").read_text().splitlines()[0]
    with (root / "upper_body/test_pairs_paired.txt").open("a") as stream:
        stream.write(line + "\n")
    return "split-overlap", f"upper_body/images/{line.split()[0]}"


def dresscode_leak(root: Path) -> Found:
    names = [
        (root / f"upper_body/{split}_pairs_paired.txt").read_text().split()[1] for split in ("train", "test")
    ]
    train, test = (root / "upper_body/images" / name for name in names)
    train.write_bytes(test.read_bytes())
    return "leak", f"upper_body/images/{names[0]}"


def dresscode_unpaired(root: Path) -> Found:
    for path in root.rglob("*_pairs*.txt"):
        if not path.name.endswith("_unpaired.txt"):
            path.unlink()
    return "list-unpaired-only", "upper_body"


def unmatched_photo(root: Path) -> Found:
    (root / f"persons/{FIRST}.jpg").rename(root / "persons/other.jpg")
    return "person-without-garment", "persons/other.jpg"


def unmatched_garment(root: Path) -> Found:
    (root / f"garments/{FIRST}.jpg").rename(root / "garments/other.jpg")
    return "garment-without-person", "garments/other.jpg"


def no_pair_at_all(root: Path) -> Found:
    for path in (root / "persons").iterdir():
        path.rename(path.with_name(f"p{path.name}"))
    return "pairs-none", "persons"


def inverted_plain_mask(root: Path) -> Found:
    path = root / f"masks/{FIRST}_mask.png"
    Image.fromarray(255 - pixels_of(path)).save(path)
    return "mask-inverted", f"masks/{FIRST}_mask.png"


DRESSCODE: tuple[Break, ...] = (
    dresscode_label,
    dresscode_pose,
    dresscode_digit,
    dresscode_hugging,
    dresscode_listed_for_both,
    dresscode_leak,
    dresscode_unpaired,
)
PLAIN: tuple[Break, ...] = (
    unmatched_photo,
    unmatched_garment,
    no_pair_at_all,
    inverted_plain_mask,
)
