from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from toile.data.parse_labels import LIP
from toile.data.parsing import Parser
from toile.dolls.draw import render
from toile.errors import ToileError
from toile.evaluation.colour_palettes import make_palette
from toile.evaluation.doll_features import load_doll_features
from toile.evaluation.dressing_pairs import (
    PROMPTS,
    SIZE,
    DressingItem,
    dressing_items,
    dressing_pairs,
    flat_picture,
)
from toile.evaluation.dressing_scores import (
    METRICS,
    MISSING,
    MODE,
    DressingReport,
    Judge,
    evaluate_dressing,
    flat_palette,
    garment_region,
    prompt_scores,
    texture_distance,
)
from toile.evaluation.dressing_truth import in_others_clothes, true_doll, true_pictures, true_scene
from toile.evaluation.scene_scorer import SceneScorer

PAIRS = dressing_pairs(3, 1)
ITEMS = dressing_items(PAIRS, 1)


def exchanged(items: Sequence[DressingItem]) -> list[Image.Image]:
    """The truth, but each garment has the other's cloth."""
    pictures = []
    for item in items:
        scene = true_scene(item, item.pair)
        cloth = {spec.category: spec.texture for spec in scene.garments}
        worn = tuple(
            replace(spec, texture=cloth["lower" if spec.category == "upper" else "upper"])
            for spec in scene.garments
        )
        pictures.append(Image.fromarray(render(replace(scene, garments=worn), SIZE).person))
    return pictures


def before_the_cloth(items: Sequence[DressingItem]) -> list[Image.Image]:
    """The truth, but the place is hung with the cloth of the upper garment."""
    pictures = []
    for item in items:
        doll, flat = true_doll(item), item.pair.garments["upper"]
        colours = np.array(flat.picture)[flat.silhouette > 0]
        person, ground = doll.person.copy(), doll.parse == LIP["background"]
        person[ground] = np.median(colours, axis=0).astype(np.uint8)
        pictures.append(Image.fromarray(person))
    return pictures


def without_hats(items: Sequence[DressingItem]) -> list[Image.Image]:
    """The truth, but for the hat."""
    bare = {pair.seeds["upper"]: pair for pair in PAIRS}
    return [Image.fromarray(true_doll(item, bare[item.pair.seeds["upper"]]).person) for item in items]


@pytest.fixture(scope="module")
def judge() -> Judge:
    torch.manual_seed(0)
    return Judge(Parser.from_pretrained(), load_doll_features(), SceneScorer(channels=(4, 6, 8)).eval())


@pytest.fixture(scope="module")
def report(judge: Judge) -> DressingReport:
    methods = {
        "truth": true_pictures,
        "others": in_others_clothes(PAIRS),
        "exchanged": exchanged,
        "cloth": before_the_cloth,
    }
    return evaluate_dressing(methods, ITEMS, judge, batch_size=2)


def mean(report: DressingReport, method: str, metric: str) -> float:
    return report.scores.interval(MODE, method, metric).mean


def test_every_pair_has_every_value(report: DressingReport) -> None:
    assert report.scores.identifiers == {MODE: [pair.identifier for pair in PAIRS]}
    assert report.scores.higher_is_better == METRICS
    for values in report.scores.values[MODE].values():
        assert all(len(found) == 3 and np.isfinite(found).all() for found in values.values())
    said = {"place", "noun", "hair", "hair colour", "arm"}
    assert set(report.attributes.higher_is_better) == said, "the first prompt has no bag"


def test_true_dolls_score_far_better_in_their_own_clothes(report: DressingReport) -> None:
    assert mean(report, "truth", "found") == 1
    assert mean(report, "truth", "colour") < 20 < 30 < mean(report, "others", "colour")
    assert 2 * mean(report, "truth", "texture-dolls") < mean(report, "others", "texture-dolls")


def test_exchanged_cloth_is_confusion(report: DressingReport) -> None:
    assert mean(report, "truth", "confusion") < 0.1
    assert mean(report, "exchanged", "confusion") > 0.5


def test_cloth_in_the_background_is_a_leak_and_other_clothes_are_none(report: DressingReport) -> None:
    leaks = {
        name: np.array(report.scores.values[MODE][name]["background"])
        for name in ("truth", "others", "cloth")
    }
    assert (leaks["cloth"] > leaks["truth"] + 0.2).all()
    assert np.abs(leaks["truth"] - leaks["others"]).max() < 0.1


def test_missing_garments_score_the_worst(judge: Judge, report: DressingReport) -> None:
    items = dressing_items(dressing_pairs(1, 1, hats=True), 1)
    found = evaluate_dressing({"bare": without_hats}, items, judge).scores.values[MODE]["bare"]
    own = report.scores.values[MODE]["truth"]
    assert found["found"] == [pytest.approx(2 / 3)]
    for metric in ("colour", "texture-dolls"):
        assert found[metric] == [pytest.approx((2 * own[metric][0] + MISSING[metric]) / 3, rel=1e-3)]
    assert found["confusion"][0] > MISSING["confusion"] / 3 - 1e-6


def test_values_of_a_pair_are_means_over_its_prompts(judge: Judge) -> None:
    items = dressing_items(PAIRS[:1], 2)
    single = [evaluate_dressing({"truth": true_pictures}, [item], judge).scores for item in items]
    both = evaluate_dressing({"truth": true_pictures}, items, judge).scores
    for metric in METRICS:
        values = [report.values[MODE]["truth"][metric][0] for report in single]
        assert both.values[MODE]["truth"][metric] == [pytest.approx(np.mean(values), rel=1e-4, abs=1e-6)]


def test_a_method_that_gives_other_pictures_is_refused(judge: Judge) -> None:
    with pytest.raises(ToileError, match="small gave a picture of"):
        evaluate_dressing({"small": lambda items: [Image.new("RGB", (9, 9)) for _ in items]}, ITEMS, judge)
    with pytest.raises(ToileError, match="nothing to evaluate"):
        evaluate_dressing({}, ITEMS, judge)


def test_regions_are_those_of_a_kind_without_their_border() -> None:
    labels = np.zeros((40, 30), np.uint8)
    labels[10:30, 5:25] = LIP["skirt"]
    region = garment_region(labels, "lower")
    assert region is not None
    assert region.sum() == 16 * 16
    assert garment_region(labels, "upper") is None
    labels[:2, :2] = LIP["upper"]
    assert garment_region(labels, "upper") is None, "four pixels are no garment"


def test_flat_palettes_leave_the_white_around_them_out() -> None:
    flat = flat_picture("lower", PAIRS[0].seeds["lower"])
    picture = np.full((*SIZE, 3), 255, np.uint8)
    picture[flat.silhouette > 0] = (20, 40, 160)
    found = flat_palette(replace(flat, picture=Image.fromarray(picture)))
    assert len(found) == 1
    assert found[0, 0] == pytest.approx(1)
    assert found[0, 3] < -40
    assert len(make_palette(np.zeros((4, 3), np.float32))) == 1


def test_texture_distance() -> None:
    first, second = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 2.0])
    assert texture_distance([first, second], [3 * first, second]) == pytest.approx(0, abs=1e-6)
    assert texture_distance([first], [second]) == pytest.approx(1)
    assert texture_distance([first, first], [first, second]) == pytest.approx(0.5)


def test_prompts_are_scored_by_what_they_say() -> None:
    asked = PROMPTS[6].attributes
    seen = dict(asked) | {"wave": "present", "bag": "absent", "place": "studio"}
    found = prompt_scores(seen, asked)
    assert found["bag"] == found["place"] == 0
    assert found["arm"] == found["noun"] == found["hair"] == found["hair colour"] == 1
    assert found["prompt"] == pytest.approx(4 / 6)
