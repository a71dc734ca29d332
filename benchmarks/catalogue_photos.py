"""Lists of Paper Dolls for the catalogue's benchmarks: good photos, and such as are broken in many ways."""

import csv
import random
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from toile.dolls import draw_doll

FIRST_SEED = 20_000_000
"""No training has seen these dolls."""
Row = dict[str, str]


def write_photos(folder: Path, count: int, size: tuple[int, int] = (256, 192)) -> list[Row]:
    """Draw dolls as photos with masks, where they are not there yet; returns the rows of a list of them."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {path.name.split("-")[1]: path for path in folder.glob("doll-*-mask.png")}
    rows = []
    for number in tqdm(range(count), desc="drawing dolls", leave=False, disable=None):
        mask = drawn.get(f"{number:05d}") or _write_photo(folder, number, size)
        category = mask.name.split("-")[2]
        photo = f"doll-{number:05d}-{category}.jpg"
        rows.append({"photo": photo, "mask": mask.name, "category": category, "seed": str(number)})
    return rows


def _write_photo(folder: Path, number: int, size: tuple[int, int]) -> Path:
    """Draw one doll: first the photo, so that where there is a mask there is a photo. Returns the mask."""
    doll = draw_doll(FIRST_SEED + number, size=size)
    name = f"doll-{number:05d}-{doll.category}"
    Image.fromarray(doll.person).save(folder / f"{name}.jpg", quality=92)
    worn = doll.garments[doll.category].worn
    Image.fromarray(worn if worn.any() else doll.agnostic_mask).save(folder / f"{name}-mask.png")
    return folder / f"{name}-mask.png"


def write_list(rows: list[Row], path: Path) -> Path:
    """Write a CSV list."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def break_rows(rows: list[Row], folder: Path, share: float, seed: int) -> set[int]:
    """Break a share of the items, each kind of damage as often as the others; returns which are broken."""
    chance = random.Random(seed)
    broken = sorted(chance.sample(range(len(rows)), round(share * len(rows))))
    for place, number in enumerate(broken):
        damage = DAMAGES[place % len(DAMAGES)]
        damage(rows[number], folder, f"broken-{number:05d}")
    return set(broken)


def _missing(row: Row, folder: Path, name: str) -> None:
    row["photo"] = f"{name}.jpg"


def _empty(row: Row, folder: Path, name: str) -> None:
    row["photo"] = f"{name}.jpg"
    (folder / row["photo"]).write_bytes(b"")


def _cut_short(row: Row, folder: Path, name: str) -> None:
    content = (folder / row["photo"]).read_bytes()
    row["photo"] = f"{name}.jpg"
    (folder / row["photo"]).write_bytes(content[: len(content) // 3])


def _text(row: Row, folder: Path, name: str) -> None:
    row["photo"] = f"{name}.jpg"
    (folder / row["photo"]).write_text("<html>404 Not Found</html>")


def _folder(row: Row, folder: Path, name: str) -> None:
    row["photo"] = f"{name}.jpg"
    (folder / row["photo"]).mkdir(exist_ok=True)


def _damaged_png(row: Row, folder: Path, name: str) -> None:
    with Image.open(folder / row["photo"]) as picture:
        row["photo"] = f"{name}.png"
        picture.save(folder / row["photo"])
    content = bytearray((folder / row["photo"]).read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    (folder / row["photo"]).write_bytes(content)


def _huge(row: Row, folder: Path, name: str) -> None:
    row["photo"] = f"{name}.png"
    Image.new("1", (20_000, 10_000)).save(folder / row["photo"])


def _wrong_mask(row: Row, folder: Path, name: str) -> None:
    row["mask"] = f"{name}-mask.png"
    Image.new("L", (7, 5), 255).save(folder / row["mask"])


def _black_mask(row: Row, folder: Path, name: str) -> None:
    row["mask"] = f"{name}-mask.png"
    with Image.open(folder / row["photo"]) as photo:
        Image.new("L", photo.size, 0).save(folder / row["mask"])


def _wrong_category(row: Row, folder: Path, name: str) -> None:
    row["category"] = "trousers"


DAMAGES: tuple[Callable[[Row, Path, str], None], ...] = (
    _missing,
    _empty,
    _cut_short,
    _text,
    _folder,
    _damaged_png,
    _huge,
    _wrong_mask,
    _black_mask,
    _wrong_category,
)
