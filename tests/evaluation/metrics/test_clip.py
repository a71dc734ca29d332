from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.evaluation.metrics.small_clip import SIZE, WORDS, picture, region, sample, save_clip
from transformers import CLIPImageProcessorPil, CLIPModel, CLIPTokenizerFast

from toile.errors import ToileError
from toile.evaluation.metrics.clip import (
    ClipEncoder,
    ClipFeatures,
    ClipImage,
    ClipRegions,
    ClipText,
    cosines,
    region_view,
)
from toile.evaluation.metrics.resizing import padded_square
from toile.evaluation.metrics.sample import Sample, WornGarment
from toile.evaluation.metrics.spec import FeatureExtractor, PerImageMetric


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def encoder(folder: Path) -> ClipEncoder:
    return ClipEncoder.from_pretrained(folder)


def test_embeddings_are_those_of_transformers_own_processing(folder: Path, encoder: ClipEncoder) -> None:
    model = CLIPModel.from_pretrained(folder).eval()
    processor = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    pictures = [picture(0), picture(1, (80, 60))]
    with torch.no_grad():
        views = processor(pictures, return_tensors="pt").pixel_values
        expected = model.get_image_features(pixel_values=views).pooler_output.numpy()
        tokens = CLIPTokenizerFast.from_pretrained(folder)(list(WORDS), padding=True, return_tensors="pt")
        words = model.get_text_features(**tokens).pooler_output.numpy()
    assert np.allclose(encoder.pictures(pictures), expected, rtol=1e-4, atol=1e-5)
    assert np.allclose(encoder.prompts(WORDS), words, rtol=1e-4, atol=1e-5)


def test_features_of_clip_fid_are_not_normalised(encoder: ClipEncoder) -> None:
    extractor = ClipFeatures(encoder=encoder)
    assert isinstance(extractor, FeatureExtractor)
    found = extractor([picture(0), picture(1)])
    assert found.shape == (2, extractor.dimension) and found.dtype == np.float32
    assert np.abs(np.linalg.norm(found, axis=1) - 1).min() > 1e-3
    assert np.allclose(extractor([picture(1)])[0], found[1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("metric", [ClipText, ClipImage, ClipRegions])
def test_values_do_not_depend_on_batch_or_order(encoder: ClipEncoder, metric: type) -> None:
    measure = metric(encoder=encoder)
    assert isinstance(measure, PerImageMetric)
    samples = [sample(0, 2), sample(1, 1), sample(2, 2)]
    together = measure(samples)
    assert together.shape == (3,) and (np.abs(together) <= 1).all()
    alone = np.concatenate([measure([each]) for each in reversed(samples)])[::-1]
    assert np.allclose(alone, together, atol=1e-5)


def test_clip_t_is_the_cosine_with_the_prompt(encoder: ClipEncoder) -> None:
    found = ClipText(encoder=encoder)([sample(0), sample(1)])
    words = encoder.prompts(WORDS)
    expected = cosines(encoder.pictures([picture(0), picture(1)]), words)
    assert np.allclose(found, expected, atol=1e-6)


def test_a_picture_of_the_garment_itself_is_perfect_and_garments_are_averaged(encoder: ClipEncoder) -> None:
    own = WornGarment(kind="upper", picture=picture(0), region=None)
    other = WornGarment(kind="lower", picture=picture(9), region=None)
    one, both = (
        ClipImage(encoder=encoder)([Sample(identifier="a", prediction=picture(0), garments=garments)])[0]
        for garments in ((own,), (own, other))
    )
    assert one == pytest.approx(1, abs=1e-5)
    second = cosines(encoder.pictures([picture(0)]), encoder.pictures([picture(9)]))[0]
    assert both == pytest.approx((1 + second) / 2, abs=1e-5)


def test_clip_i_star_sees_the_region_alone(encoder: ClipEncoder) -> None:
    box = (6, 10, 26, 40)
    garment = picture(3, (20, 30))
    scene = picture(0)
    scene.paste(garment, box)
    worn = WornGarment(kind="upper", picture=garment, region=region(box))
    measured = Sample(identifier="a", prediction=scene, garments=(worn,))
    assert ClipRegions(encoder=encoder)([measured])[0] == pytest.approx(1, abs=1e-5)
    elsewhere = picture(8)
    elsewhere.paste(garment, box)
    changed = replace(measured, prediction=elsewhere)
    assert ClipRegions(encoder=encoder)([changed])[0] == pytest.approx(1, abs=1e-5)
    assert ClipImage(encoder=encoder)([measured])[0] < 0.999


def test_region_views_are_white_outside_and_nothing_is_cut_off() -> None:
    mask = region((6, 10, 16, 40))
    mask.paste(0, (6, 10, 11, 20))
    garment = WornGarment(kind="upper", picture=picture(1), region=mask)
    view = region_view(Image.new("RGB", SIZE, (10, 20, 30)), garment)
    assert view is not None and view.size == (30, 30)
    pixels = np.asarray(view)
    assert (pixels[15, 15] == (10, 20, 30)).all() and (pixels[5, 12] == 255).all()
    assert (pixels[:, :10] == 255).all()
    assert padded_square(view).size == (30, 30)


def test_a_garment_that_is_nowhere_counts_nothing(encoder: ClipEncoder) -> None:
    seen = WornGarment(kind="upper", picture=picture(3), region=region((4, 4, 30, 40)))
    gone = WornGarment(kind="lower", picture=picture(4), region=region(None))
    metric = ClipRegions(encoder=encoder)
    alone, both, none = (
        metric([Sample(identifier="a", prediction=picture(0), garments=garments)])[0]
        for garments in ((seen,), (seen, gone), (gone,))
    )
    assert both == pytest.approx(alone / 2) and none == 0


def test_samples_that_lack_something_are_refused(encoder: ClipEncoder) -> None:
    bare = Sample(identifier="007", prediction=picture(0))
    for metric in (ClipText, ClipImage, ClipRegions):
        with pytest.raises(ToileError, match=r"^007 has no (prompt|garments)"):
            metric(encoder=encoder)([bare])
    unknown = replace(bare, garments=(WornGarment(kind="upper", picture=picture(1), region=None),))
    with pytest.raises(ToileError, match=r"^007 has no regions"):
        ClipRegions(encoder=encoder)([unknown])


def test_a_missing_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="no CLIP model could be loaded"):
        ClipEncoder.from_pretrained(tmp_path / "none")
