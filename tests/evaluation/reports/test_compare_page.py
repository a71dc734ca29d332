from dataclasses import replace
from pathlib import Path

import pytest
from tests.browser import DESKTOP, PHONE, broken_pictures, browser, overflows
from tests.evaluation.reports.example_results import truths

from toile.errors import ToileError
from toile.evaluation.reports.compare import compare
from toile.evaluation.reports.compare_page import write_comparison


@pytest.fixture(scope="module")
def page(three, picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    sharp, blurred, oracle = three
    folder = tmp_path_factory.mktemp("comparison") / "page"
    return write_comparison(
        [compare(sharp, blurred), compare(sharp, oracle)],
        folder,
        predictions=[picture_folder / result.system for result in three],
        truths=truths(),
        shown=4,
    )


def gains(shown) -> list[float]:
    texts = shown.locator("#cards .gain").all_inner_texts()
    return [float(text.replace("−", "-")) for text in texts]


def test_pictures_stand_side_by_side_sorted_by_difference(page: Path) -> None:
    with browser() as opened:
        for window in (DESKTOP, PHONE):
            shown = opened.new_context(viewport=window).new_page()
            shown.goto(page.as_uri())
            assert broken_pictures(shown) == [] and not overflows(shown)
            roles = shown.locator("#cards .case").first.locator(".shots figcaption").all_inner_texts()
            assert roles == ["photo", "sharp & quick", "blurred_<b>", "exact-oracle", "target"]
            assert gains(shown) == sorted(gains(shown)) and len(gains(shown)) >= 4
            shown.select_option("#order", "-1")
            assert gains(shown) == sorted(gains(shown), reverse=True) and gains(shown)[0] > 0
            shown.select_option("#key", "l1_within|1")
            assert all(gain < 0 for gain in gains(shown))  # the oracle is better everywhere


def test_what_differs_is_on_the_page(three, picture_folder: Path, tmp_path: Path) -> None:
    sharp, blurred, _ = three
    other = replace(blurred, protocol={**blurred.protocol, "version": 2}, protocol_hash="1" * 64)
    comparison = compare(sharp, other, different_protocols=True)
    folders = [picture_folder / result.system for result in three[:2]]
    text = write_comparison([comparison], tmp_path / "page", predictions=folders, shown=2).read_text()
    assert "Not measured alike" in text and "<code>version</code>" in text


def test_every_result_needs_its_folder(three, tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="2 results need as many folders"):
        write_comparison([compare(three[0], three[1])], tmp_path / "page", predictions=[tmp_path])
