"""Brings a prediction and its truth to the form that the protocol compares them in.

Legend: sizes are (height, width), those of Pillow's pictures (width, height).
"""

from io import BytesIO

import cv2
import numpy as np
from PIL import Image

from toile.errors import ToileError
from toile.evaluation.metrics.sample import Sample, WornGarment
from toile.evaluation.protocols.protocol import MetricUse, PictureRules, Resizing
from toile.evaluation.protocols.truths import Shown

FILTERS: dict[Resizing, Image.Resampling] = {
    "none": Image.Resampling.BICUBIC,  # only reached where a wrong size was allowed
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
THUMBNAIL = (32, 32)
"""Height and width at which a prediction is compared with what the method was given."""
UNCHANGED = 0.5
"""Mean difference of such small copies, of 255, below which the two are one picture, saved twice."""
REPAINT_MARGIN = 0.1
"""Share of the width around the mask that a soft paste may have changed."""


def with_cut(prediction: Image.Image, cut: Image.Image | None) -> Image.Image:
    """The prediction where the mask is white, on white elsewhere; the prediction itself without a mask.

    Raises:
        ToileError: when the mask has another size.
    """
    if cut is None:
        return prediction
    if cut.size != prediction.size:
        raise ToileError(
            f"a mask that cuts out has {cut.size[1]}×{cut.size[0]} pixels and its prediction "
            f"{prediction.size[1]}×{prediction.size[0]}; give masks of the predictions' size"
        )
    return Image.composite(prediction, Image.new("RGB", prediction.size, "white"), cut)


def compared(
    identifier: str,
    prediction: Image.Image,
    known: Shown,
    rules: PictureRules,
    use: MetricUse,
    regions: dict[str, Image.Image] | None = None,
) -> Sample:
    """Make the sample that a metric looks at.

    Args:
        identifier: of the item.
        prediction: RGB, as it was written.
        known: the truth.
        rules: how pictures are compared.
        use: the metric, which may ask for a size of its own.
        regions: by kind, where garments are worn in the prediction, "L", of its size.

    Raises:
        ToileError: when the truth is not of the protocol's size and the protocol does not resize.
    """
    size = use.size or rules.size or _own_size(known, prediction)
    target = None if known.target is None else _target(identifier, known.target, size, rules, use)
    silhouette = None
    if known.region is not None and target is not None:
        silhouette = resized(known.region, size, rules, Image.Resampling.NEAREST)
    worn = tuple(
        WornGarment(kind=kind, picture=picture, region=_region(kind, regions, size, rules))
        for kind, picture in known.garments
    )
    return Sample(
        identifier=identifier,
        prediction=_grey(resized(prediction, size, rules), use),
        target=target,
        silhouette=silhouette,
        prompt=known.prompt,
        garments=worn,
        category=known.category,
        labels=frozenset(known.labels),
    )


def resized(
    picture: Image.Image, size: tuple[int, int], rules: PictureRules, how: Image.Resampling | None = None
) -> Image.Image:
    """Bring a picture to a size as the rules say; what is of that size stays as it is.

    Args:
        picture: RGB or "L".
        size: (height, width).
        rules: filter, and what happens to the aspect.
        how: another filter.
    """
    height, width = size
    if picture.size == (width, height):
        return picture
    method = FILTERS[rules.resizing] if how is None else how
    if rules.shape == "stretch":
        return picture.resize((width, height), method)
    choose = max if rules.shape == "crop" else min
    scale = choose(width / picture.width, height / picture.height)
    inner = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    canvas = Image.new(picture.mode, (width, height), (255,) * 3 if picture.mode == "RGB" else 0)
    canvas.paste(picture.resize(inner, method), ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return canvas


def _target(
    identifier: str, target: Image.Image, size: tuple[int, int], rules: PictureRules, use: MetricUse
) -> Image.Image:
    if rules.resizing == "none" and use.size is None and target.size != (size[1], size[0]):
        raise ToileError(
            f"{identifier}: the truth has {target.height}×{target.width} pixels; the protocol compares at "
            f"{size[0]}×{size[1]} without resizing; give the data in that size"
        )
    return _grey(_jpeg(resized(target, size, rules), rules.truth_jpeg_quality), use)


def _own_size(known: Shown, prediction: Image.Image) -> tuple[int, int]:
    picture = known.target or prediction
    return picture.height, picture.width


def _region(
    kind: str, regions: dict[str, Image.Image] | None, size: tuple[int, int], rules: PictureRules
) -> Image.Image | None:
    found = (regions or {}).get(kind)
    return None if found is None else resized(found, size, rules, Image.Resampling.NEAREST)


def _grey(picture: Image.Image, use: MetricUse) -> Image.Image:
    return picture.convert("L").convert("RGB") if use.grey else picture


def _jpeg(picture: Image.Image, quality: int | None) -> Image.Image:
    """What is left of a picture that was saved as JPEG once."""
    if quality is None:
        return picture
    written = BytesIO()
    picture.save(written, format="JPEG", quality=quality)
    return Image.open(written).convert("RGB")


def is_input(prediction: Image.Image, known: Shown) -> bool:
    """Whether the prediction is one of the pictures that the method was given, perhaps saved or scaled anew.

    The photo that is itself the truth of a paired try-on is not looked at: being like it is the aim.
    """
    small = _thumbnail(prediction)
    given = [picture for picture in known.inputs if not _same(picture, known.target)]
    return any(float(np.abs(small - _thumbnail(picture)).mean()) < UNCHANGED for picture in given)


def is_truth(prediction: Image.Image, known: Shown) -> bool:
    """Whether the prediction is the truth, pixel for pixel."""
    return _same(prediction, known.target)


def is_repainted(prediction: Image.Image, known: Shown) -> bool | None:
    """Whether the photo's own pixels stand outside of the mask; None where there is no mask to tell."""
    mask, photo = known.mask, known.inputs[0] if known.inputs else None
    if mask is None or photo is None or photo.size != prediction.size or mask.size != photo.size:
        return None
    margin = 2 * int(REPAINT_MARGIN * mask.width / 2) + 1
    outside = np.asarray(_grown(mask, margin)) == 0
    if outside.mean() < 0.02:
        return None
    equal = (np.asarray(prediction) == np.asarray(photo)).all(axis=2)
    return bool(equal[outside].mean() > 0.99)


def _grown(mask: Image.Image, pixels: int) -> Image.Image:
    """The mask, larger by so many pixels on each side."""
    kernel = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
    return Image.fromarray(np.asarray(cv2.dilate(np.asarray(mask), kernel), dtype=np.uint8))


def _thumbnail(picture: Image.Image) -> np.ndarray:
    small = picture.resize((THUMBNAIL[1], THUMBNAIL[0]), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float64)


def _same(first: Image.Image, second: Image.Image | None) -> bool:
    return second is not None and first.size == second.size and first.tobytes() == second.tobytes()
