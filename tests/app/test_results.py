import json
import os
import time

from PIL import Image

from toile.app.results import KEPT_SECONDS, error_html, progress_html, save_results, sentence
from toile.app.running import Moment
from toile.tasks.result import Result


def picture(color: str) -> Image.Image:
    return Image.new("RGB", (4, 4), color)


def test_each_candidate_is_a_png_with_its_own_seed_the_best_first(tmp_path):
    result = Result(
        pictures={"worn": picture("blue"), "mask": picture("white")},
        metadata={"task": "tryon", "seed": 8},
        scores={7: 0.5, 8: 0.25},
        candidates={7: picture("red"), 8: picture("blue")},
    )
    shown = save_results([result], tmp_path)
    assert [one.caption for one in shown] == ["seed 8 · round trip 0.2500", "seed 7 · round trip 0.5000"]
    assert [json.loads(Image.open(one.path).text["toile"])["seed"] for one in shown] == [8, 7]
    assert Image.open(shown[1].path).getpixel((0, 0)) == (255, 0, 0)


def test_a_result_shows_all_but_its_mask(tmp_path):
    results = [
        Result(
            pictures={"garment": picture("red"), "silhouette": picture("blue"), "mask": picture("white")},
            metadata={"task": "takeoff", "seed": seed},
        )
        for seed in (3, 4)
    ]
    shown = save_results(results, tmp_path)
    assert [one.caption for one in shown] == ["seed 3", "silhouette, seed 3", "seed 4", "silhouette, seed 4"]


def test_results_of_long_ago_are_removed(tmp_path):
    result = Result(pictures={"garment": picture("red")}, metadata={"seed": 0})
    (old,), (young,) = save_results([result], tmp_path), save_results([result], tmp_path)
    long_ago = time.time() - KEPT_SECONDS - 10
    os.utime(os.path.dirname(old.path), (long_ago, long_ago))
    save_results([result], tmp_path)
    assert not os.path.exists(old.path) and os.path.exists(young.path)


def test_progress_is_a_bar_and_a_line():
    assert "Waiting: 1 picture is drawn before" in progress_html(Moment(ahead=1))
    assert "Waiting: 2 pictures are drawn before" in progress_html(Moment(ahead=2))
    assert "Getting ready" in progress_html(Moment(total=10))
    shown = progress_html(Moment(done=5, total=20, seconds=2.0))
    assert 'aria-valuenow="5"' in shown and "width: 25.0%" in shown
    assert "Step 5 of 20 · about 6 s left" in shown


def test_what_a_visitor_wrote_is_text_and_not_html():
    assert "<img" not in error_html("category '<img src=x onerror=alert(1)>' is unknown")
    assert sentence("no  mask\nwas given") == "No mask was given."
