"""Writes any pairs as WebDataset shards, which `shards` reads at random and WebDataset as a stream."""

import json
import shutil
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from tqdm import tqdm
from webdataset import ShardWriter

from toile.data.picture_files import FilePictures
from toile.data.record import GarmentPair
from toile.data.shard_index import shard_index
from toile.data.shards import TEXTS
from toile.errors import ToileError
from toile.files import check_writable

NAME = "{split}-%06d.tar"
LOSSLESS: dict[str, Any] = {"format": "PNG", "compress_level": 4}


def write_shards(
    pairs: Sequence[GarmentPair],
    folder: Path,
    *,
    split: str = "train",
    shard_bytes: int = 10**9,
    quality: int | None = None,
    progress: bool = True,
) -> list[Path]:
    """Write pairs as `SPLIT-000000.tar` and so on, each with its index, all of them or none.

    Photos and garments that are files go in as they are; others become PNGs. Masks, silhouettes and parse
    maps (LIP's labels) become PNGs. The same pairs give the same bytes.

    Args:
        pairs: what to write, in their order.
        folder: made when missing; other splits in it stay.
        split: "train" or "test".
        shard_bytes: a shard is closed once it holds so many bytes.
        quality: writes photos and garments as JPEGs of this quality, 1 to 100, files too.
        progress: whether a progress bar is shown.

    Returns:
        The shards.

    Raises:
        ToileError: when a pair cannot be read, the split is there already, or nothing can be written.
    """
    if quality is not None and not 1 <= quality <= 100:
        raise ToileError(f"quality is {quality}; it must lie between 1 and 100")
    if shard_bytes < 1:
        raise ToileError(f"a shard of {shard_bytes} bytes holds nothing; give at least 1")
    if any(folder.glob(f"{split}-*.tar")):
        raise ToileError(f"{folder} holds shards of {split!r} already; delete them or give another folder")
    check_writable(folder)
    unfinished = folder / f".{split}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir()
        return _moved(_written(pairs, unfinished, split, shard_bytes, quality, progress), folder)
    except OSError as error:
        raise ToileError(f"{folder} cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _written(
    pairs: Sequence[GarmentPair],
    folder: Path,
    split: str,
    shard_bytes: int,
    quality: int | None,
    progress: bool,
) -> list[Path]:
    """The shards in `folder`, with their indices."""
    pattern = str(folder.resolve()).replace("%", "%%") + "/" + NAME.format(split=split)
    with ShardWriter(pattern, maxsize=shard_bytes, verbose=0, encoder=False, mtime=0) as writer:
        bar = tqdm(range(len(pairs)), desc="writing shards", unit="pair", disable=None if progress else True)
        for number in bar:
            writer.write({"__key__": f"{number:08d}"} | sample(pairs[number], quality))
    shards = sorted(folder.glob("*.tar"))
    for shard in shards:
        shard_index(shard)
    return shards


def _moved(shards: list[Path], folder: Path) -> list[Path]:
    for shard in shards:
        for path in (shard.with_name(f"{shard.name}.index"), shard):
            path.replace(folder / path.name)
    return [folder / shard.name for shard in shards]


def sample(pair: GarmentPair, quality: int | None = None) -> dict[str, bytes]:
    """A pair as WebDataset's sample: file names without their key, and contents.

    Raises:
        ToileError: when a picture cannot be read.
    """
    parse = pair.parse
    contents = {
        "json": json.dumps(_texts(pair)).encode(),
        **_picture(pair, "person", quality),
        **_picture(pair, "garment", quality),
        "silhouette.png": _encoded(pair.silhouette, **LOSSLESS),
    }
    if pair.has_mask:
        contents["mask.png"] = _encoded(pair.mask, **LOSSLESS)
    if parse is not None:
        contents["parse.png"] = _encoded(parse, **LOSSLESS)
    return contents


def _texts(pair: GarmentPair) -> dict[str, object]:
    pose = pair.pose
    return {
        **{name: getattr(pair, name) for name in TEXTS},
        "paired": pair.paired,
        "reasons": None if pair.reasons is None else sorted(pair.reasons),
        "hardness": dict(pair.hardness),
        "pose": None if pose is None else pose.keypoints.tolist(),
    }


def _picture(pair: GarmentPair, name: str, quality: int | None) -> dict[str, bytes]:
    """A photo or a garment under its name with the suffix of its format, once it is known to be readable."""
    picture: Image.Image = getattr(pair, name)
    if quality is not None:
        return {f"{name}.jpg": _encoded(picture, format="JPEG", quality=quality)}
    if isinstance(pair.pictures, FilePictures):
        path: Path = getattr(pair.pictures, f"{name}_file")
        return {f"{name}{path.suffix.lower()}": path.read_bytes()}
    return {f"{name}.png": _encoded(picture, **LOSSLESS)}


def _encoded(picture: Image.Image, **settings: Any) -> bytes:
    content = BytesIO()
    picture.save(content, **settings)
    return content.getvalue()
