"""The two public layouts that a dataset of dolls can be written in: which files a doll becomes, and where."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Literal

import numpy as np
from PIL import Image

from toile.dolls.doll import Category, Doll
from toile.dolls.masks import LIP
from toile.dolls.poses import dresscode_json, openpose_json, skeleton_picture

Layout = Literal["viton-hd", "dresscode"]
Split = Literal["train", "test"]
LAYOUTS: tuple[Layout, ...] = ("viton-hd", "dresscode")
SPLITS: tuple[Split, ...] = ("train", "test")

Content = Image.Image | str

CATEGORY_FOLDERS: dict[str, str] = {"upper": "upper_body", "lower": "lower_body", "dress": "dresses"}
CATEGORY_DIGITS: dict[str, int] = {"upper": 0, "lower": 1, "dress": 2}

GREY = 128
"""What the agnostic picture shows where the garment was."""

# The colours with which VITON-HD's parse maps show LIP's 20 labels.
LIP_PALETTE = (
    0, 0, 0, 128, 0, 0, 254, 0, 0, 0, 85, 0, 169, 0, 51, 254, 85, 0, 0, 0, 85, 0, 119, 220, 85, 85, 0, 0,
    85, 85,
    85, 51, 0, 52, 86, 128, 0, 128, 0, 0, 0, 254, 51, 169, 220, 0, 254, 254, 85, 254, 169, 169, 254, 85,
    254, 254, 0,
    254, 169, 0,
)  # fmt: skip

# DressCode's own 18 labels; it counts the neck as part of the head.
DRESSCODE_LABELS = {
    "background": 0, "hat": 1, "hair": 2, "upper": 4, "skirt": 5, "trousers": 6, "dress": 7, "left shoe": 9,
    "right shoe": 10, "face": 11, "torso skin": 11, "left leg": 12, "right leg": 13, "left arm": 14,
    "right arm": 15,
}  # fmt: skip


def stem(seed: int, layout: Layout) -> str:
    """The part of the file names that says which doll it is."""
    return f"{seed:08d}" if layout == "viton-hd" else f"{seed:06d}"


def person_name(seed: int, layout: Layout) -> str:
    """Name of the person's file, as in the lists of pairs."""
    return f"{stem(seed, layout)}_00.jpg" if layout == "viton-hd" else f"{stem(seed, layout)}_0.jpg"


def garment_name(seed: int, layout: Layout) -> str:
    """Name of the garment's file, as in the lists of pairs."""
    return f"{stem(seed, layout)}_00.jpg" if layout == "viton-hd" else f"{stem(seed, layout)}_1.jpg"


def file_names(seed: int, layout: Layout, split: Split, category: Category) -> dict[str, PurePosixPath]:
    """Every file of a doll by its role, relative to the dataset's folder."""
    if layout == "viton-hd":
        name = f"{stem(seed, layout)}_00"
        folder = PurePosixPath(split)
        return {
            "person": folder / "image" / f"{name}.jpg",
            "garment": folder / "cloth" / f"{name}.jpg",
            "silhouette": folder / "cloth-mask" / f"{name}.jpg",
            "agnostic mask": folder / "agnostic-mask" / f"{name}_mask.png",
            "agnostic": folder / "agnostic-v3.2" / f"{name}.jpg",
            "parse": folder / "image-parse-v3" / f"{name}.png",
            "agnostic parse": folder / "image-parse-agnostic-v3.2" / f"{name}.png",
            "joints": folder / "openpose_json" / f"{name}_keypoints.json",
            "skeleton": folder / "openpose_img" / f"{name}_rendered.png",
        }
    name, folder = stem(seed, layout), PurePosixPath(CATEGORY_FOLDERS[category])
    return {
        "person": folder / "images" / f"{name}_0.jpg",
        "garment": folder / "images" / f"{name}_1.jpg",
        "silhouette": folder / "masks" / f"{name}_1.png",
        "agnostic mask": folder / "agnostic_masks" / f"{name}_0.png",
        "label map": folder / "label_maps" / f"{name}_4.png",
        "dresscode joints": folder / "keypoints" / f"{name}_2.json",
        "skeleton": folder / "skeletons" / f"{name}_5.jpg",
    }


def file_contents(doll: Doll, roles: Mapping[str, PurePosixPath]) -> dict[PurePosixPath, Content]:
    """What is written into each of a doll's files."""
    return {path: _content(doll, role) for role, path in roles.items()}


def _content(doll: Doll, role: str) -> Content:
    if role == "joints":
        return openpose_json(doll.joints)
    if role == "dresscode joints":
        return dresscode_json(doll.joints, doll.size)
    if role in ("parse", "agnostic parse"):
        labels = (
            doll.parse
            if role == "parse"
            else np.where(doll.agnostic_mask > 0, 0, doll.parse).astype(np.uint8)
        )
        picture = Image.fromarray(labels).convert("P")
        picture.putpalette(LIP_PALETTE)
        return picture
    return Image.fromarray(_picture(doll, role))


def _picture(doll: Doll, role: str) -> np.ndarray:
    if role == "agnostic":
        return np.where(doll.agnostic_mask[..., None] > 0, np.uint8(GREY), doll.person)
    if role == "skeleton":
        return skeleton_picture(doll.joints, doll.size)
    if role == "label map":
        return dresscode_labels(doll.parse)
    pictures = {
        "person": doll.person,
        "garment": doll.garment,
        "silhouette": doll.silhouette,
        "agnostic mask": doll.agnostic_mask,
    }
    return pictures[role]


def dresscode_labels(parse: np.ndarray) -> np.ndarray:
    """Translates LIP's labels into DressCode's."""
    table = np.zeros(256, np.uint8)
    for name, label in LIP.items():
        table[label] = DRESSCODE_LABELS[name]
    return np.asarray(table[parse])
