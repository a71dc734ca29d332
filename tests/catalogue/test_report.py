"""The page about a catalogue: a fair sample, all failures, and no harm from what a list says."""

from collections import Counter

import pytest
from PIL import Image
from tests.browser import DESKTOP, PHONE, broken_pictures, browser, overflows

from toile.catalogue.item import Item
from toile.catalogue.lists import open_list
from toile.catalogue.report import SAMPLE, take_sample, write_report
from toile.catalogue.report_page import duration
from toile.catalogue.sinks import open_sink
from toile.tasks.result import Result

EVIL = '<script>document.title="caught"</script>"\'&'


def done(number, **more):
    row = {"number": number, "name": f"n{number}", "state": "done", "seed": 3, "seconds": 2.0, "error": None}
    return row | {"settings": {"category": "upper"}, "output": f"pictures/n{number}.png"} | more


def failed(number, error):
    return {"number": number, "name": f"n{number}", "state": "failed", "error": error}


def test_the_sample_is_fair_repeatable_and_bounded():
    rows = [done(number) for number in range(30)]
    assert take_sample(iter(rows), 5, 0).sample == take_sample(iter(rows), 5, 0).sample
    assert len(take_sample(iter(rows), 99, 0).sample) == 30
    drawn = Counter(row["number"] for seed in range(3000) for row in take_sample(rows, 5, seed).sample)
    assert all(abs(count - 500) < 120 for count in drawn.values())  # 500 ± 20 by chance
    assert len(drawn) == 30


def test_only_what_is_done_is_in_the_sample():
    tally = take_sample([done(0), failed(1, "no"), done(2)], 5, 0)
    assert [row["number"] for row in tally.sample] == [0, 2]
    assert (tally.done, len(tally.failures), tally.seconds) == (2, 1, 4.0)


@pytest.fixture
def catalogue(tmp_path):
    """A list of five photos and an output where three are done, one with an odd prompt."""
    for number in range(5):
        Image.new("RGB", (60, 80), (40 * number, 90, 120)).save(tmp_path / f"n{number}.png")
    (tmp_path / "list.csv").write_text("photo\n" + "".join(f"n{number}.png\n" for number in range(5)))
    sink, rows = open_sink(tmp_path / "out", "folder"), []
    for number in range(3):
        item = Item(number=number, name=f"n{number}", files={}, settings={})
        result = Result(pictures={"garment": Image.new("RGB", (60, 80), "white")}, metadata={})
        rows.append(done(number, output=sink.write(number, [(item, result)])[0]))
    rows[2]["settings"] = {"prompt": EVIL}
    rows += [failed(3, f"n3: the photo is damaged (x); get it again [{EVIL}]"), failed(4, None)]
    return tmp_path, rows


def written(catalogue, rows=None, sample=SAMPLE, **more):
    folder, own = catalogue
    items = open_list(str(folder / "list.csv"), "restore")
    page = write_report(folder / "out", take_sample(iter(rows or own), sample), items=items, **more)
    return page.read_text(encoding="utf-8")


def test_inputs_stand_beside_results(catalogue):
    page = written(catalogue, elapsed=7200.0, title="toile batch", settings="tiny")
    assert page.count("<img") == 6
    for said in ("All results", "2 failures", "the photo is damaged; get it again", "2 h 0 min", ">2</dd>"):
        assert said in page, said


def test_a_sample_is_called_one(catalogue):
    assert "2 of 3 results, drawn at random" in written(catalogue, sample=2)


def test_pictures_that_are_gone_are_said_instead_of_shown(catalogue):
    (catalogue[0] / "n1.png").unlink()
    (catalogue[0] / "out/pictures/n0.png").unlink()
    page = written(catalogue)
    assert page.count("<img") == 4
    assert "n1.png does not exist" in page


def test_nothing_of_a_list_becomes_part_of_the_page(catalogue):
    assert "<script" not in written(catalogue, title=EVIL, settings=EVIL)


def test_names_that_are_no_text_do_not_stop_it(catalogue):
    assert "caf?.jpg" in written(catalogue, [failed(0, "the photo is empty [/x/caf\udce9.jpg]")])


def test_more_failures_than_can_be_named_are_counted(catalogue):
    rows = [failed(number, "the photo does not exist") for number in range(2500)]
    page = written(catalogue, rows)
    assert "2,500 failures" in page
    assert "1,500 more failures are not named here" in page
    assert "There is no picture to show" in page
    assert len(page) < 400_000


def test_the_page_shows_itself_on_desktop_and_phone(catalogue):
    folder, _ = catalogue
    written(catalogue, title=EVIL)
    with browser() as chromium:
        for view in (DESKTOP, PHONE):
            page, asked, said = chromium.new_page(viewport=view), [], []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.on("console", lambda message, said=said: said.append(message.text))
            page.goto((folder / "out/report.html").as_uri())
            assert page.title() == EVIL
            assert broken_pictures(page) == []
            assert not overflows(page)
            assert all(url.startswith(("file:", "data:")) for url in asked)
            page.locator("summary").first.click()
            assert page.locator("details[open] td").first.is_visible()
            assert said == []


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(3.14, "3.1 s"), (42, "42 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (273_600, "3 d 4 h")],
)
def test_durations_are_said_as_people_do(seconds, said):
    assert duration(seconds) == said
