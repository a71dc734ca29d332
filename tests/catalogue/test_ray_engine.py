"""A Ray that is started here, with the stand-in for the models."""

import sys

import pytest
from tests.catalogue.stand_in import BUGGY_ONCE, DEADLY_ONCE, REFUSED, open_photos, stand_in
from tests.catalogue.test_run import pictures, rows, run

from toile.catalogue.job import WorkerSettings
from toile.catalogue.ray_engine import RayEngine
from toile.errors import ToileError


@pytest.fixture
def ray_is_there():
    pytest.importorskip("ray")


def test_the_same_items_give_the_same_pictures_though_actors_die(tmp_path, ray_is_there):
    special = {1: DEADLY_ONCE, 4: "missing", 5: BUGGY_ONCE, 7: REFUSED}
    items = open_photos(tmp_path / "in", 8, special)
    summary = run(items, tmp_path / "ray", workers=1, engine="ray", threads=1)
    assert (summary.done, summary.failed, summary.deaths) == (6, 2, 2)
    found = rows(tmp_path / "ray")
    assert [row["number"] for row in found] == list(range(8))
    assert {row["number"] for row in found if row["error"]} == {4, 7}
    assert found[1]["attempts"] == 2 and found[5]["attempts"] >= 2
    run(items, tmp_path / "local", workers=2)
    assert pictures(tmp_path / "ray") == pictures(tmp_path / "local") and len(pictures(tmp_path / "ray")) == 6


def test_without_ray_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ToileError, match=r"pip install 'toile\[cluster\]'"):
        RayEngine(WorkerSettings(task="restore", output=tmp_path, items=1, drawer=stand_in()))


def test_a_cluster_that_is_not_there_is_named(tmp_path, ray_is_there):
    settings = WorkerSettings(task="restore", output=tmp_path, items=1, drawer=stand_in())
    with pytest.raises(ToileError, match=r"the Ray cluster '127.0.0.1:9' does not answer"):
        RayEngine(settings, address="127.0.0.1:9")
