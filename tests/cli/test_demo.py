import json
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from toile.cli.demo import FIRST_UNSEEN, draw_dolls, make_demo
from toile.cli.demo_two_way import meetings, two_way_steps
from toile.cli.main import main
from toile.dolls import draw_doll
from toile.errors import ToileError


class Pictures(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.sources.append(dict(attributes)["src"])
        assert tag not in ("script", "link"), "the page stands alone"


def test_the_demo_makes_a_page_with_its_pictures(igr_folder, tmp_path, capfd):
    assert (
        main(
            [
                "demo",
                "-o",
                str(tmp_path),
                "--count",
                "3",
                "--steps",
                "1",
                "--two-way",
                "none",
                "--dressing",
                "none",
                "--model",
                str(igr_folder),
            ]
        )
        == 0
    )
    out, err = capfd.readouterr()
    assert out.strip() == str(tmp_path / "index.html")
    assert "restored 3 garments in" in err
    page = Pictures()
    page.feed((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert len(page.sources) == 12
    assert {path.name for path in tmp_path.iterdir()} == {"index.html", *page.sources}
    for source in page.sources:
        with Image.open(tmp_path / source) as picture:
            assert picture.size == (32, 64)
            assert json.loads(picture.text["toile"])["kind"] in source


def test_the_model_that_goes_both_ways_is_shown_too(igr_folder, twgtm_folder, tmp_path, capfd):
    folders = {"model": str(igr_folder), "two_way": str(twgtm_folder), "dressing": "none"}
    page = Pictures()
    made = make_demo(tmp_path, count=6, steps=1, device="cpu", **folders)
    page.feed(made.read_text(encoding="utf-8"))
    assert len(page.sources) == 6 * 4 + 3 * (4 + 3 + 4)
    assert {path.name for path in tmp_path.iterdir()} == {"index.html", *page.sources}
    assert {path.name.count("-in-") for path in tmp_path.iterdir()} == {0, 1}
    for heading in ("Restored", "Tried on", "Taken off", "Swapped"):
        assert f"<h2>{heading}</h2>" in made.read_text(encoding="utf-8")


def test_two_dolls_of_a_category_meet():
    assert meetings(draw_dolls(3, FIRST_UNSEEN, (64, 48))) == []
    found = meetings(draw_dolls(6, FIRST_UNSEEN, (64, 48)))
    assert [meeting.wearer.category for meeting in found] == ["upper", "lower", "dress"]
    assert all(meeting.wearer.seed != meeting.target.seed for meeting in found)
    assert two_way_steps(draw_dolls(6, FIRST_UNSEEN, (64, 48))) == 9


def test_the_truth_is_the_doll_s(igr_folder, tmp_path):
    make_demo(
        tmp_path, count=1, steps=1, model=str(igr_folder), two_way="none", dressing="none", device="cpu"
    )
    doll = draw_doll(FIRST_UNSEEN, size=(64, 32), mode="studio", category="upper")
    for kind, wanted in {"photo": doll.person, "mask": doll.agnostic_mask, "truth": doll.garment}.items():
        written = np.asarray(Image.open(tmp_path / f"{FIRST_UNSEEN}-upper-{kind}.png"))
        np.testing.assert_array_equal(written, wanted)


def test_the_dolls_are_unseen_and_of_every_kind():
    dolls = draw_dolls(6, FIRST_UNSEEN, (64, 48))
    assert {(doll.category, doll.mode) for doll in dolls} == {
        (category, mode) for category in ("upper", "lower", "dress") for mode in ("studio", "street")
    }
    assert min(doll.seed for doll in dolls) == 10_000_000


@pytest.mark.parametrize("options", [{"count": 0}, {"steps": 0}, {"model": "tinny"}, {"seed": -1}])
def test_bad_settings_write_nothing(tmp_path, options):
    with pytest.raises(ToileError):
        make_demo(tmp_path / "out", **options)
    assert not list(tmp_path.rglob("*.*"))


def test_unwritable(tmp_path, igr_folder):
    (tmp_path / "file").touch()
    with pytest.raises(ToileError, match="cannot be written"):
        make_demo(tmp_path / "file", model=str(igr_folder))
