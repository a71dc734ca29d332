from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks import anydressing_quality
from benchmarks.anydressing_quality import (
    IN_WORDS,
    OTHERS,
    PROMPT_ONLY,
    TRUTH,
    Settings,
    by_prompt,
    chosen_items,
    contenders,
    document,
    draw_sheet,
    generated,
    in_words,
    named_models,
    with_table,
)
from PIL import Image
from tests.anydressing.small_anydressing import small_image_prompt
from tests.anydressing.small_pipeline import small_pipeline

from toile.data.parsing import Parser
from toile.errors import ToileError
from toile.evaluation.doll_features import DollFeatures
from toile.evaluation.dressing_pairs import SIZE, DressingItem
from toile.evaluation.dressing_scores import MODE, Judge, evaluate_dressing
from toile.evaluation.scene_scorer import SceneScorer


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("quality")
    small_pipeline().save_pretrained(folder / "model")
    small_pipeline(small_image_prompt()).save_pretrained(folder / "tokens")
    return Settings(
        model=(f"ours={folder / 'model'}", f"image tokens={folder / 'tokens'}"),
        pairs=2,
        prompts=1,
        steps=1,
        batch=2,
        out=folder / "out",
        docs=None,
    )


@pytest.fixture(scope="module")
def methods(settings: Settings):
    return contenders(settings)


def pixels(pictures: Sequence[Image.Image]) -> np.ndarray:
    return np.stack([np.array(picture) for picture in pictures]).astype(int)


def test_models_are_named() -> None:
    assert named_models(["tiny", "base=runs/a=b"]) == {"tiny": "tiny", "base": "runs/a=b"}


@pytest.mark.parametrize("wrong", [{"pairs": 0}, {"pairs": 251}, {"model": ()}, {"model": ("a=b", "a=c")}])
def test_impossible_settings_are_refused(wrong) -> None:
    with pytest.raises(ToileError):
        Settings(**wrong)


def test_methods_draw_what_is_asked_for(settings: Settings, methods) -> None:
    assert list(methods) == ["ours", "image tokens", PROMPT_ONLY, IN_WORDS, OTHERS, TRUTH]
    items = chosen_items(settings)
    drawn = {name: pixels(method(items)) for name, method in methods.items()}
    assert all(pictures.shape == (2, *SIZE, 3) for pictures in drawn.values())
    names = list(drawn)
    for place, name in enumerate(names):
        assert all((drawn[name] != drawn[other]).any() for other in names[place + 1 :])


def test_garments_and_words_reach_the_pipeline(settings: Settings) -> None:
    item = chosen_items(settings)[0]
    pipeline = small_pipeline()
    plain = pixels(generated(pipeline, settings, by_prompt, dressed=False)([item]))
    nothing = replace(settings, scale=0.0)
    assert (pixels(generated(pipeline, nothing, by_prompt, dressed=True)([item])) == plain).all()
    assert (pixels(generated(pipeline, settings, by_prompt, dressed=True)([item])) != plain).any()
    captions = [flat.caption for flat in item.pair.garments.values()]
    assert all(caption in in_words(item) for caption in captions)
    assert not any(caption in by_prompt(item) for caption in captions)


def test_a_run_that_was_stopped_goes_on(settings: Settings, methods, monkeypatch) -> None:
    items = chosen_items(settings)
    first = pixels(methods["ours"](items))

    def fail(*_: object, **__: object) -> list[Image.Image]:
        raise AssertionError("pictures are drawn again")

    monkeypatch.setattr(anydressing_quality.AnyDressingPipeline, "__call__", fail)
    assert (pixels(contenders(settings)["ours"](items)) == first).all()


def drawn_as_white(items: Sequence[DressingItem]) -> list[Image.Image]:
    return [Image.new("RGB", (SIZE[1], SIZE[0]), "white") for _ in items]


def test_the_document_says_how_and_how_well(settings: Settings, tmp_path: Path) -> None:
    items = chosen_items(settings)
    judge = Judge(Parser.from_pretrained(), DollFeatures().eval(), SceneScorer().eval())
    report = evaluate_dressing({"ours": drawn_as_white, PROMPT_ONLY: drawn_as_white}, items, judge)
    assert len(report.scores.identifiers[MODE]) == 2
    text = document(settings, report)
    assert text.startswith("2 pairs × 1 prompts, 1 steps, guidance 6, λ = 0.7. Not the benchmark")
    assert f"| ours | {report.scores.interval(MODE, 'ours', 'found')} |" in text
    assert "− prompt only" in text
    whole = replace(settings, pairs=250, prompts=7)
    assert "Not the benchmark" not in document(whole, report)
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- anydressing-quality -->\n<!-- /anydressing-quality -->\nafter\n")
    changed = with_table(replace(settings, docs=page), text)
    assert changed is not None
    assert text.strip() in changed
    assert changed.endswith("after\n")
    with pytest.raises(ToileError, match="no place for the table"):
        with_table(replace(settings, docs=page, hats=True), text)


def test_the_sheet_shows_garments_and_methods(settings: Settings) -> None:
    items = chosen_items(settings)
    sheet = draw_sheet({"a": drawn_as_white, "b": drawn_as_white}, items)
    assert sheet.width > 4 * SIZE[1]
    assert sheet.height > 2 * SIZE[0]
