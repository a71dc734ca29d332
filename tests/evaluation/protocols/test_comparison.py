from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from toile.errors import ToileError
from toile.evaluation.protocols.comparison import (
    compared,
    is_input,
    is_repainted,
    is_truth,
    resized,
    with_cut,
)
from toile.evaluation.protocols.protocol import MetricUse, PictureRules
from toile.evaluation.protocols.truths import Shown

RULES = PictureRules(size=(40, 30), prediction_size=None, resizing="lanczos")
SSIM = MetricUse(name="ssim")


def noise(seed: int, size: tuple[int, int] = (40, 30)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8))


def blob(size: tuple[int, int] = (40, 30)) -> Image.Image:
    mask = Image.new("L", (size[1], size[0]), 0)
    mask.paste(255, (10, 10, 20, 30))
    return mask


def shown(target: Image.Image | None, *inputs: Image.Image, mask: Image.Image | None = None) -> Shown:
    return Shown(
        category="upper",
        labels=(),
        target=target,
        target_name="",
        region=None if target is None else blob((target.height, target.width)),
        inputs=inputs,
        input_names=(),
        mask=mask,
    )


def test_pictures_of_the_right_size_are_not_touched() -> None:
    sample = compared("a", noise(0), shown(noise(1)), RULES, SSIM)
    assert sample.target is not None
    assert sample.prediction.tobytes() == noise(0).tobytes() and sample.target.tobytes() == noise(1).tobytes()


def test_both_are_resized_as_the_rules_say() -> None:
    large = noise(0, (80, 60))
    sample = compared("a", large, shown(noise(1, (120, 90))), RULES, SSIM)
    assert sample.prediction.tobytes() == large.resize((30, 40), Image.Resampling.LANCZOS).tobytes()
    assert sample.target is not None and sample.target.size == (30, 40)
    assert sample.silhouette is not None and set(np.unique(np.asarray(sample.silhouette))) <= {0, 255}


def test_without_resizing_a_truth_of_another_size_is_refused() -> None:
    with pytest.raises(ToileError, match="120×90 pixels"):
        compared("a", noise(0), shown(noise(1, (120, 90))), replace(RULES, resizing="none"), SSIM)


def test_aspects() -> None:
    square = Image.new("RGB", (20, 20), "black")
    padded = np.asarray(resized(square, (40, 30), replace(RULES, shape="pad")))
    assert (padded[[0, -1]] == 255).all() and (padded[5:35] == 0).all()
    cropped = np.asarray(resized(square, (40, 30), replace(RULES, shape="crop")))
    assert cropped.shape == (40, 30, 3) and (cropped == 0).all()


def test_a_metric_may_have_its_own_size_and_see_grey() -> None:
    sample = compared("a", noise(0), shown(noise(1)), RULES, MetricUse(name="x", size=(20, 20), grey=True))
    assert sample.prediction.size == (20, 20)
    pixels = np.asarray(sample.target)
    assert (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 0] == pixels[..., 2]).all()


def test_a_truth_that_was_saved_as_jpeg() -> None:
    rules = replace(RULES, truth_jpeg_quality=75)
    sample = compared("a", noise(0), shown(noise(1)), rules, SSIM)
    difference = np.abs(np.asarray(sample.target, dtype=int) - np.asarray(noise(1), dtype=int)).mean()
    assert 1 < difference < 100 and sample.prediction.tobytes() == noise(0).tobytes()


def test_the_input_is_recognised_whatever_its_size_but_not_when_it_is_the_truth() -> None:
    photo = Image.fromarray(np.linspace(0, 255, 160 * 120 * 3).reshape(160, 120, 3).astype(np.uint8))
    scaled = photo.resize((96, 128), Image.Resampling.BICUBIC)
    assert is_input(photo, shown(noise(1), photo)) and is_input(scaled, shown(noise(1), photo))
    assert not is_input(noise(2), shown(noise(1), photo))
    assert not is_input(photo, shown(photo, photo)) and is_truth(photo, shown(photo, photo))
    assert not is_truth(scaled, shown(photo))


def test_a_repainted_picture_is_recognised() -> None:
    photo, made = noise(0), noise(1)
    pasted = Image.composite(made, photo, blob())
    assert is_repainted(pasted, shown(None, photo, mask=blob())) is True
    assert is_repainted(made, shown(None, photo, mask=blob())) is False
    assert is_repainted(made, shown(None, photo)) is None


def test_a_mask_cuts_out() -> None:
    cut = np.asarray(with_cut(noise(0), blob()))
    assert (cut[:10] == 255).all() and (cut[10:30, 10:20] == np.asarray(noise(0))[10:30, 10:20]).all()
    with pytest.raises(ToileError, match="20×20"):
        with_cut(noise(0), Image.new("L", (20, 20)))
