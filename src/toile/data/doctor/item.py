"""Examines the files of one pair together: each by itself, then each beside the picture it was made from."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from toile.data.doctor.backgrounds import CLEAN, darkest_channel, white_share, white_sides
from toile.data.doctor.files import Opened, open_picture, read_bytes
from toile.data.doctor.findings import Finding
from toile.data.doctor.fingerprints import fingerprint
from toile.data.doctor.inventory import DataFile, Item
from toile.data.doctor.layout import OF_PERSON, Role
from toile.data.doctor.masks import COVERED, HUGGING, follows, inverted, mask_oddity, share, shrunk
from toile.data.doctor.parse_maps import garment_region, labels_of, parse_oddities
from toile.data.doctor.poses import pose_oddities
from toile.data.parse_labels import LabelSet
from toile.images import MASK_THRESHOLD, as_photo

SIZE_CODES: dict[Role, str] = {
    "mask": "mask-size", "silhouette": "mask-size", "parse": "parse-size", "agnostic parse": "parse-size",
}  # fmt: skip
"""What another size than the picture's is called; other roles have `condition-size`."""
SMALLEST_REGION = 0.01
"""Ours: a garment below this share of the photo says nothing about its mask."""
COLOURED, LEFT_OUT = 225, 0.1
"""Ours: a pixel with a channel below the first is the garment's; silhouettes leave out less than that."""


class PictureFacts(NamedTuple):
    """What the whole set's census needs to know of one photo or garment."""

    name: str
    role: Role
    identifier: str
    group: str
    size: tuple[int, int]
    digest: bytes
    perceptual: int
    thumbnail: bytes
    white_sides: int


@dataclass(frozen=True, kw_only=True)
class Context:
    """What all items of a dataset share."""

    root: Path
    """The dataset's folder."""
    label_set: LabelSet | None
    """The labels of its parse maps."""
    pose_size: tuple[int, int] | None
    """(width, height) that joints are given in; None for pixels of the photo."""


@dataclass(frozen=True, kw_only=True)
class Examined:
    """What came of one item."""

    findings: list[Finding]
    """What is wrong with its files."""
    pictures: list[PictureFacts]
    """Its photo and its garment, where they could be read."""


def examine(item: Item, context: Context) -> Examined:
    """Open all files of an item, once each, and find what is wrong with them."""
    findings: list[Finding] = []
    pictures = [file for file in item.files if file.role != "pose"]
    opened = {file: open_picture(context.root, file, findings) for file in pictures}
    readable = {file: picture for file, picture in opened.items() if picture is not None}
    _sizes(item, readable, findings)
    colours = _colours(item, readable)
    _blank(colours, findings)
    _parse_and_mask(item, readable, context, findings)
    _garment(item, readable, colours, findings)
    _poses(item, readable, context, findings)
    facts = [_facts(item, readable[file], pixels) for file, pixels in colours.items()]
    return Examined(
        findings=[replace(finding, identifier=item.identifier) for finding in findings], pictures=facts
    )


def _colours(item: Item, readable: dict[DataFile, Opened]) -> dict[DataFile, np.ndarray]:
    """Photo and garment as uint8 RGB."""
    shown = (item.first("person"), item.first("garment"))
    return {file: np.asarray(as_photo(readable[file].picture)) for file in shown if file and file in readable}


def _facts(item: Item, opened: Opened, pixels: np.ndarray) -> PictureFacts:
    perceptual, thumbnail = fingerprint(pixels)
    return PictureFacts(
        name=opened.file.name,
        role=opened.file.role,
        identifier=item.identifier,
        group=item.group,
        size=opened.picture.size,
        digest=opened.digest,
        perceptual=perceptual,
        thumbnail=thumbnail.tobytes(),
        white_sides=white_sides(pixels),
    )


def _blank(colours: dict[DataFile, np.ndarray], findings: list[Finding]) -> None:
    for file, pixels in colours.items():
        extremes = [cv2.minMaxLoc(channel)[:2] for channel in cv2.split(pixels)]
        if max(high - low for low, high in extremes) <= 2:
            colour = tuple(int(low) for low, _ in extremes)
            findings.append(Finding(code="picture-blank", file=file.name, detail=f"RGB {colour}"))
        elif file.role == "person" and _like_a_mask(pixels[::4, ::4]):
            findings.append(Finding(code="mixed-up", file=file.name, detail="it is a mask, not a photo"))


def _like_a_mask(pixels: np.ndarray) -> bool:
    """Whether a picture is black and white and nothing in between."""
    darkest, brightest = pixels.min(axis=2), pixels.max(axis=2)
    black, white = share(np.asarray(brightest < 8)), share(np.asarray(darkest > 247))
    return black + white > 0.98 and min(black, white) > 0.01


def _sizes(item: Item, readable: dict[DataFile, Opened], findings: list[Finding]) -> None:
    for file, opened in readable.items():
        of = item.first("person" if file.role in OF_PERSON else "garment")
        made = file.role in OF_PERSON or file.role == "silhouette"
        if made and of in readable and opened.picture.size != readable[of].picture.size:
            own, wanted = (f"{w}×{h}" for w, h in (opened.picture.size, readable[of].picture.size))
            findings.append(
                Finding(
                    code=SIZE_CODES.get(file.role, "condition-size"),
                    file=file.name,
                    detail=f"{own} instead of {wanted}",
                    beside=(of.name,),
                )
            )


def _parse_and_mask(
    item: Item, readable: dict[DataFile, Opened], context: Context, findings: list[Finding]
) -> None:
    """The parse maps, and the agnostic mask in their light."""
    region, label_set = None, item.label_set or context.label_set
    photo = item.first("person")
    beside = (photo.name,) if photo else ()
    for file in item.files:
        if file.role not in ("parse", "agnostic parse") or file not in readable:
            continue
        labels = labels_of(readable[file].picture)
        odd = list(parse_oddities(labels, label_set))
        findings += [Finding(code=code, file=file.name, detail=detail, beside=beside) for code, detail in odd]
        if odd or labels is None or file.role != "parse" or item.category is None or not label_set:
            continue
        region = garment_region(labels, label_set, item.category)
        if share(region) < SMALLEST_REGION / 10:
            detail = f"no {item.category} garment among the labels"
            findings.append(
                Finding(code="parse-without-garment", file=file.name, detail=detail, beside=beside)
            )
    for file in item.files:
        if file.role == "mask" and file in readable:
            found = list(_mask_findings(_grey(readable[file].picture), region))
            findings += [
                Finding(code=code, file=file.name, detail=text, beside=beside) for code, text in found
            ]


def _grey(picture: Image.Image) -> np.ndarray:
    plain = picture.mode in ("L", "RGB", "P") and not picture.has_transparency_data
    return np.asarray((picture if plain else as_photo(picture)).convert("L"))


def _mask_findings(mask: np.ndarray, region: np.ndarray | None) -> Iterator[tuple[str, str]]:
    """Codes and details of an agnostic mask; `region` is where the garment is worn."""
    odd = mask_oddity(mask)
    if odd is not None:
        yield odd
        if odd[0] != "mask-not-binary":
            return
    marked = shrunk(mask >= MASK_THRESHOLD)
    garment = None
    if region is not None and region.shape == mask.shape and share(region) > SMALLEST_REGION:
        garment = shrunk(region)
    if inverted(marked, garment):
        yield "mask-inverted", f"{share(marked):.0%} of the photo is marked, its frame with it"
    elif garment is not None:
        covered, likeness = share(marked[garment]), follows(marked, garment)
        if covered < COVERED:
            yield "mask-misses-garment", f"it covers {covered:.0%} of the garment"
        elif likeness is not None and likeness >= HUGGING:
            yield "mask-gives-away-shape", f"IoU {likeness:.2f} with the garment's region, grown evenly"


def _garment(
    item: Item, readable: dict[DataFile, Opened], colours: dict[DataFile, np.ndarray], findings: list[Finding]
) -> None:
    """The garment picture's background and silhouette, and whether it has changed places with the photo."""
    garment, photo = item.first("garment"), item.first("person")
    if garment is None or garment not in colours:
        return
    pixels, background = colours[garment], None
    silhouette = item.first("silhouette")
    if silhouette is not None and silhouette in readable:
        marked = _silhouette(pixels, _grey(readable[silhouette].picture), silhouette, garment, findings)
        background = None if marked is None else ~marked
    if photo in colours and white_sides(colours[photo]) == 4 and white_sides(pixels) <= 2:
        detail = "the photo is white all around, the garment picture is not"
        findings.append(Finding(code="mixed-up", file=photo.name, detail=detail, beside=(garment.name,)))
        return
    white, median = white_share(pixels, background)
    if white < CLEAN:
        detail = f"{white:.0%} of it is white; its usual colour is RGB {median}"
        findings.append(Finding(code="background-not-white", file=garment.name, detail=detail))


def _silhouette(
    pixels: np.ndarray, mask: np.ndarray, file: DataFile, garment: DataFile, findings: list[Finding]
) -> np.ndarray | None:
    """Examines a silhouette; returns what it marks, where it can be believed."""

    def found(code: str, detail: str) -> None:
        findings.append(Finding(code=code, file=file.name, detail=detail, beside=(garment.name,)))

    odd = mask_oddity(mask)
    if odd is not None:
        found(*odd)
    if mask.shape != pixels.shape[:2] or (odd is not None and odd[0] != "mask-not-binary"):
        return None
    marked, coloured = mask >= MASK_THRESHOLD, darkest_channel(pixels) < COLOURED
    left_out = share(~marked[coloured])
    if inverted(marked, None) and left_out > 0.5:
        found("mask-inverted", f"{share(marked):.0%} of the picture is marked, its frame with it")
        return None
    if left_out > LEFT_OUT and white_share(pixels)[0] >= CLEAN:
        found("silhouette-mismatch", f"it leaves out {left_out:.0%} of what is not white")
        return None
    return marked


def _poses(item: Item, readable: dict[DataFile, Opened], context: Context, findings: list[Finding]) -> None:
    photo = item.first("person")
    size = context.pose_size or (readable[photo].picture.size if photo in readable else None)
    for file in item.files:
        if file.role == "pose":
            try:
                data = read_bytes(context.root, file)
            except OSError as error:
                findings.append(Finding(code="file-unreadable", file=file.name, detail=str(error.strerror)))
                continue
            odd = pose_oddities(data, size) if data else iter([("file-empty", "0 bytes")])
            beside = (photo.name,) if photo else ()
            findings += [Finding(code=code, file=file.name, detail=text, beside=beside) for code, text in odd]
