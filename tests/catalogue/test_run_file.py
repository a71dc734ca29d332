import json
from multiprocessing import get_context

import pytest

from toile.catalogue.run_file import claim, held
from toile.errors import ToileError

RUN = {"task": "restore", "items": 3, "fingerprint": "abc", "settings": {"seed": 0, "size": (64, 32)}}


def test_the_same_run_may_go_on(tmp_path):
    claim(tmp_path, RUN)
    claim(tmp_path, RUN)
    assert json.loads((tmp_path / "run.json").read_text())["settings"] == {"seed": 0, "size": [64, 32]}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"task": "takeoff"}, "task restore, and this is task takeoff"),
        ({"fingerprint": "abd"}, "begun with another list, or the list has changed since"),
        ({"settings": {"seed": 1, "size": (64, 32)}}, "seed 0, and this is seed 1"),
        ({"settings": {"seed": 0, "size": None}}, r"size 64x32, and this is size none"),
        (
            {"settings": {"seed": 0, "size": (64, 32), "box": "predicted"}},
            "box none, and this is box predicted",
        ),
        ({"settings": {"seed": 0}}, r"size 64x32, and this is size none"),
    ],
)
def test_another_run_is_refused_with_what_differs(tmp_path, other, said):
    claim(tmp_path, RUN)
    with pytest.raises(ToileError, match=said):
        claim(tmp_path, RUN | other)


def test_a_run_that_has_recorded_nothing_gives_way(tmp_path):
    claim(tmp_path, RUN)
    claim(tmp_path, RUN | {"task": "takeoff"}, begun=False)
    assert json.loads((tmp_path / "run.json").read_text())["task"] == "takeoff"


def test_a_folder_that_holds_something_else_is_refused(tmp_path):
    (tmp_path / "holiday.jpg").touch()
    for begun in (True, False):
        with pytest.raises(ToileError, match=r"holds 'holiday.jpg' and no run.json"):
            claim(tmp_path, RUN, begun=begun)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


def test_a_damaged_run_file_is_refused(tmp_path):
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(ToileError, match=r"run.json is damaged"):
        claim(tmp_path, RUN)


def test_two_processes_never_hold_one_folder(tmp_path):
    with held(tmp_path):
        context = get_context("fork")
        refused = context.Process(target=_refused, args=(tmp_path,))
        refused.start()
        refused.join(60)
        assert refused.exitcode == 3
    with held(tmp_path):  # and the lock of one that has ended is free
        pass


def _refused(folder):
    try:
        with held(folder):
            raise SystemExit(0)
    except ToileError as error:
        assert "another run is at work in" in str(error)
        raise SystemExit(3) from error
