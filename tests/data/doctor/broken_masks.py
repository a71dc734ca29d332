"""Masks, silhouettes, parse maps and poses with mistakes."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tests.data.doctor.breaking import FIRST, Break, Found, edit, pixels_of


def _mask(root: Path, change: Callable[[np.ndarray], np.ndarray]) -> str:
    name = f"train/agnostic-mask/{FIRST}_mask.png"
    Image.fromarray(change(pixels_of(root / name)).astype(np.uint8)).save(root / name)
    return name


def empty_mask(root: Path) -> Found:
    return "mask-empty", _mask(root, np.zeros_like)


def faint_mask(root: Path) -> Found:
    return "mask-empty", _mask(root, lambda mask: mask // 4)


def full_mask(root: Path) -> Found:
    return "mask-full", _mask(root, lambda mask: np.full_like(mask, 255))


def inverted_mask(root: Path) -> Found:
    return "mask-inverted", _mask(root, lambda mask: 255 - mask)


def mask_of_ones(root: Path) -> Found:
    return "mask-zero-one", _mask(root, lambda mask: mask // 255)


def grey_mask(root: Path) -> Found:
    ramp = np.linspace(60, 210, 96)[None]
    return "mask-not-binary", _mask(root, lambda mask: np.where(mask > 0, ramp, 0))


def small_mask(root: Path) -> Found:
    return "mask-size", _mask(root, lambda mask: mask[::2, ::2])


def _worn(root: Path) -> np.ndarray:
    return np.isin(pixels_of(root / f"train/image-parse-v3/{FIRST}.png"), (5, 6, 7))


def hugging_mask(root: Path) -> Found:
    return "mask-gives-away-shape", _mask(root, lambda mask: _worn(root) * 255)


def dilated_hugging_mask(root: Path) -> Found:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    grown = cv2.dilate(_worn(root).astype(np.uint8), disc) * 255
    return "mask-gives-away-shape", _mask(root, lambda mask: grown)


def mask_of_another(root: Path) -> Found:
    return "mask-misses-garment", _mask(
        root, lambda mask: np.roll(mask, 50, axis=0) * (np.arange(128) > 70)[:, None]
    )


def inverted_silhouette(root: Path) -> Found:
    name = f"train/cloth-mask/{FIRST}.jpg"
    Image.fromarray(255 - pixels_of(root / name)).save(root / name, quality=100)
    return "mask-inverted", name


def silhouette_with_holes(root: Path) -> Found:
    name = f"train/cloth-mask/{FIRST}.jpg"
    silhouette = pixels_of(root / name)
    silhouette[40:90] = 0
    Image.fromarray(silhouette).save(root / name, quality=100)
    return "silhouette-mismatch", name


def unknown_labels(root: Path) -> Found:
    name = f"train/image-parse-v3/{FIRST}.png"
    edit(
        root / name, lambda picture: Image.fromarray(np.where(np.array(picture) == 13, 27, np.array(picture)))
    )
    return "parse-labels", name


def coloured_parse(root: Path) -> Found:
    name = f"train/image-parse-v3/{FIRST}.png"
    edit(root / name, lambda picture: picture.convert("RGB"))
    return "parse-coloured", name


def empty_parse(root: Path) -> Found:
    name = f"train/image-parse-v3/{FIRST}.png"
    edit(root / name, lambda picture: Image.new("L", picture.size))
    return "parse-empty", name


def parse_without_garment(root: Path) -> Found:
    name = f"train/image-parse-v3/{FIRST}.png"
    Image.fromarray(np.where(_worn(root), 0, pixels_of(root / name)).astype(np.uint8)).save(root / name)
    return "parse-without-garment", name


def small_parse(root: Path) -> Found:
    name = f"train/image-parse-v3/{FIRST}.png"
    edit(root / name, lambda picture: picture.resize((48, 64)))
    return "parse-size", name


def parse_as_jpeg(root: Path) -> Found:
    name = f"train/image-parse-v3/{FIRST}.png"
    edit(root / name, lambda picture: Image.fromarray(np.array(picture)), format="JPEG")
    return "parse-lossy", name


def small_agnostic(root: Path) -> Found:
    name = f"train/agnostic-v3.2/{FIRST}.jpg"
    edit(root / name, lambda picture: picture.resize((48, 64)))
    return "condition-size", name


def _pose(root: Path, change: Callable[[dict], object]) -> str:
    name = f"train/openpose_json/{FIRST}_keypoints.json"
    content = json.loads((root / name).read_text())
    (root / name).write_text(json.dumps(change(content)))
    return name


def nobody(root: Path) -> Found:
    return "pose-without-people", _pose(root, lambda pose: {**pose, "people": []})


def no_joints(root: Path) -> Found:
    return "pose-without-people", _pose(root, lambda pose: {"people": [{"pose_keypoints_2d": [0] * 75}]})


def crowd(root: Path) -> Found:
    return "pose-several-people", _pose(root, lambda pose: {**pose, "people": pose["people"] * 3})


def missing_numbers(root: Path) -> Found:
    return "pose-damaged", _pose(root, lambda pose: {"people": [{"pose_keypoints_2d": [1.0] * 70}]})


def broken_json(root: Path) -> Found:
    name = f"train/openpose_json/{FIRST}_keypoints.json"
    (root / name).write_text((root / name).read_text()[:100])
    return "pose-damaged", name


def joints_of_a_larger_photo(root: Path) -> Found:
    def scaled(pose: dict) -> object:
        return {"people": [{"pose_keypoints_2d": [8 * v for v in pose["people"][0]["pose_keypoints_2d"]]}]}

    return "pose-outside", _pose(root, scaled)


MASKS: tuple[Break, ...] = (
    empty_mask,
    faint_mask,
    full_mask,
    inverted_mask,
    mask_of_ones,
    grey_mask,
    small_mask,
    hugging_mask,
    dilated_hugging_mask,
    mask_of_another,
    inverted_silhouette,
    silhouette_with_holes,
    unknown_labels,
    coloured_parse,
    empty_parse,
    parse_without_garment,
    small_parse,
    parse_as_jpeg,
    small_agnostic,
    nobody,
    no_joints,
    crowd,
    missing_numbers,
    broken_json,
    joints_of_a_larger_photo,
)
