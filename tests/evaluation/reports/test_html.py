from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.browser import DESKTOP, PHONE, broken_pictures, browser, overflows
from tests.evaluation.reports.example_results import truths

from toile.evaluation.reports.html import write_report

NASTY = "<script>document.title = 'broken'</script>"


@pytest.fixture(scope="module")
def page(three, picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    result = replace(
        three[0], notes=(NASTY,), conforming=False, settings={"steps": 25, "model": NASTY}, task="restore"
    )
    folder = tmp_path_factory.mktemp("report") / "page"
    return write_report(result, folder, predictions=picture_folder / result.system, truths=truths(), cases=2)


class Sources(HTMLParser):
    """Everything that a page names."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag, attributes) -> None:
        self.found |= {value for name, value in attributes if name in ("src", "href") and value}


def test_the_page_names_its_own_pictures_and_nothing_else(page: Path) -> None:
    sources = Sources()
    sources.feed(page.read_text())
    pictures = {path.relative_to(page.parent).as_posix() for path in page.parent.glob("pictures/*")}
    assert {name for name in sources.found if not name.startswith("#")} == pictures
    assert len(pictures) >= 12


def test_everything_that_repeats_it_is_on_the_page(page: Path, three) -> None:
    text = page.read_text()
    for wanted in (three[0].protocol_hash, "ab" * 32, "numpy", "Not the benchmark", "pictures.size", "Ours:"):
        assert wanted in text
    assert NASTY not in text and "&lt;script&gt;" in text


def test_it_opens_in_a_browser_and_shows_its_pictures(page: Path) -> None:
    with browser() as opened:
        for window in (DESKTOP, PHONE):
            shown = opened.new_context(viewport=window).new_page()
            shown.goto(page.as_uri())
            assert broken_pictures(shown) == []
            assert shown.evaluate("document.images.length") >= 12
            assert not overflows(shown)
            assert shown.title() == "sharp & quick: example v1"
            assert shown.locator("svg.plot").count() == 2


def test_without_truths_and_predictions_there_is_still_a_page(three, tmp_path: Path) -> None:
    page = write_report(three[0], tmp_path / "page", predictions=tmp_path / "gone")
    assert "cannot be read" in page.read_text()
    assert not (tmp_path / "page" / "pictures").exists()
