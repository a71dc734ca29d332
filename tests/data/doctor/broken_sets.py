"""Lists with mistakes, missing and doubled files, leaks, and names that make trouble."""

import os
from pathlib import Path

from PIL import Image
from tests.data.doctor.breaking import FIRST, Break, Found, pixels_of


def _list(root: Path, text: str) -> None:
    with (root / "train_pairs.txt").open("a") as stream:
        stream.write(text)


def no_list(root: Path) -> Found:
    (root / "train_pairs.txt").unlink()
    return "list-missing", "train_pairs.txt"


def empty_list(root: Path) -> Found:
    (root / "train_pairs.txt").write_text("\n\n")
    return "list-empty", "train_pairs.txt"


def one_name(root: Path) -> Found:
    _list(root, "00000001_00.jpg\n")
    return "list-malformed", "train_pairs.txt:6"


def no_text(root: Path) -> Found:
    (root / "train_pairs.txt").write_bytes(b"\xff\xfe\x00\x01 \x80\x81\n")
    return "list-malformed", "train_pairs.txt:1"


def listed_without_file(root: Path) -> Found:
    _list(root, "00000777_00.jpg 00000000_00.jpg\n")
    return "list-names-missing", "train_pairs.txt:6"


def listed_outside(root: Path) -> Found:
    _list(root, "../../secret.jpg 00000000_00.jpg\n")
    return "list-escapes", "train_pairs.txt:6"


def listed_twice(root: Path) -> Found:
    _list(root, "00000000_00.jpg 00000000_00.jpg\n")
    return "list-repeats", "train_pairs.txt:6"


def not_listed(root: Path) -> Found:
    for path in root.glob("train_pairs*.txt"):
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if not line.startswith(FIRST)))
    return "list-leaves-out", f"train/image/{FIRST}.jpg"


# Pairs


def no_photo(root: Path) -> Found:
    (root / f"train/image/{FIRST}.jpg").unlink()
    return "condition-orphan", f"train/agnostic-mask/{FIRST}_mask.png"


def no_garment(root: Path) -> Found:
    (root / f"train/cloth/{FIRST}.jpg").unlink()
    return "person-without-garment", f"train/image/{FIRST}.jpg"


def no_mask(root: Path) -> Found:
    (root / f"train/agnostic-mask/{FIRST}_mask.png").unlink()
    return "condition-missing", f"train/image/{FIRST}.jpg"


def changed_places(root: Path) -> Found:
    photo, garment = root / f"train/image/{FIRST}.jpg", root / f"train/cloth/{FIRST}.jpg"
    photo.rename(root / "aside")
    garment.rename(photo)
    (root / "aside").rename(garment)
    return "mixed-up", f"train/image/{FIRST}.jpg"


def photo_as_garment(root: Path) -> Found:
    (root / f"train/cloth/{FIRST}.jpg").write_bytes((root / "train/image/00000001_00.jpg").read_bytes())
    return "mixed-up", f"train/cloth/{FIRST}.jpg"


def mask_as_photo(root: Path) -> Found:
    mask = pixels_of(root / f"train/agnostic-mask/{FIRST}_mask.png")
    Image.fromarray(mask).convert("RGB").save(root / f"train/image/{FIRST}.jpg", quality=100)
    return "mixed-up", f"train/image/{FIRST}.jpg"


def grey_background(root: Path) -> Found:
    name = f"train/cloth/{FIRST}.jpg"
    pixels = pixels_of(root / name)
    pixels[pixels.min(axis=2) > 245] = (190, 200, 205)
    Image.fromarray(pixels).save(root / name, quality=95)
    return "background-not-white", name


# Duplicates


def copied(root: Path) -> Found:
    (root / "train/image/00000003_00.jpg").write_bytes((root / "train/image/00000001_00.jpg").read_bytes())
    return "duplicate", "train/image/00000003_00.jpg"


def saved_again(root: Path) -> Found:
    with Image.open(root / "train/image/00000001_00.jpg") as picture:
        picture.save(root / "train/image/00000003_00.jpg", quality=60)
    return "near-duplicate", "train/image/00000003_00.jpg"


def in_both_splits(root: Path) -> Found:
    (root / "train/image/00000002_00.jpg").write_bytes((root / "test/image/00000101_00.jpg").read_bytes())
    return "leak", "train/image/00000002_00.jpg"


def nearly_in_both_splits(root: Path) -> Found:
    with Image.open(root / "test/cloth/00000101_00.jpg") as picture:
        small = picture.resize((72, 96)).resize(picture.size)
        Image.eval(small, lambda value: min(255, value + 2)).save(
            root / "train/cloth/00000002_00.jpg", quality=70
        )
    return "near-leak", "train/cloth/00000002_00.jpg"


# Names and links


def line_break(root: Path) -> Found:
    (root / f"train/image/{FIRST}.jpg").rename(root / "train/image/a\nb.jpg")
    return "name-newline", "train/image/a\\nb.jpg"


def space(root: Path) -> Found:
    (root / f"train/image/{FIRST}.jpg").rename(root / "train/image/my photo.jpg")
    return "name-with-space", "train/image/my photo.jpg"


def no_utf8(root: Path) -> Found:
    os.rename(root / f"train/image/{FIRST}.jpg", os.fsencode(root / "train/image") + b"/\xff\xfe.jpg")
    return "name-undecodable", "train/image/\\xff\\xfe.jpg"


def upper_and_lower_case(root: Path) -> Found:
    (root / "train/image/shirt.jpg").write_bytes((root / f"train/image/{FIRST}.jpg").read_bytes())
    (root / "train/image/Shirt.JPG").write_bytes((root / "train/image/00000001_00.jpg").read_bytes())
    return "name-collision", "train/image/shirt.jpg"


def link_out(root: Path) -> Found:
    outside = root.parent / f"{root.name}-secret.jpg"
    (root / f"train/image/{FIRST}.jpg").rename(outside)
    (root / f"train/image/{FIRST}.jpg").symlink_to(outside)
    return "link-outside", f"train/image/{FIRST}.jpg"


def folder_link_out(root: Path) -> Found:
    outside = root.parent / f"{root.name}-masks"
    (root / "train/agnostic-mask").rename(outside)
    (root / "train/agnostic-mask").symlink_to(outside)
    return "link-outside", "train/agnostic-mask"


def broken_link(root: Path) -> Found:
    (root / f"train/image/{FIRST}.jpg").unlink()
    (root / f"train/image/{FIRST}.jpg").symlink_to("gone.jpg")
    return "link-broken", f"train/image/{FIRST}.jpg"


def strange_file(root: Path) -> Found:
    (root / "train/cloth/Thumbs.db").write_bytes(b"1")
    return "file-unknown", "train/cloth/Thumbs.db"


def empty_folder(root: Path) -> Found:
    for path in (root / "test/cloth").iterdir():
        path.unlink()
    return "folder-empty", "test/cloth"


def misspelt_folder(root: Path) -> Found:
    (root / "train/cloth").rename(root / "train/cloths")
    return "layout-unknown", root.name


SETS: tuple[Break, ...] = (
    no_list,
    empty_list,
    one_name,
    no_text,
    listed_without_file,
    listed_outside,
    listed_twice,
    not_listed,
    no_photo,
    no_garment,
    no_mask,
    changed_places,
    photo_as_garment,
    mask_as_photo,
    grey_background,
    copied,
    saved_again,
    in_both_splits,
    nearly_in_both_splits,
    line_break,
    space,
    no_utf8,
    upper_and_lower_case,
    link_out,
    folder_link_out,
    broken_link,
    strange_file,
    empty_folder,
    misspelt_folder,
)
