import json

import pytest
from tests.data.layouts import write_viton_hd

from toile.data.curation_file import CurationSettings, read_curation
from toile.data.curation_rules import Thresholds
from toile.data.curation_run import curate, measures_path
from toile.data.hardness_measures import REASONS
from toile.errors import ToileError

DOLLS = "dolls:10300000:8:mixed"


def settings(source: str = DOLLS, **others) -> CurationSettings:
    return CurationSettings(source=source, **others)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    path = tmp_path_factory.mktemp("curation") / "curation.jsonl"
    return path, curate(settings(share=0.5), path, progress=False)


def test_each_pair_has_a_line_and_the_best_are_kept(measured):
    path, curation = measured
    assert read_curation(path).settings == curation.settings
    assert [row.identifier for row in curation.rows] == [f"{10300000 + i}" for i in range(8)]
    kept = [row for row in curation.rows if row.keep]
    others = [row for row in curation.rows if not row.keep and not row.reasons]
    assert 0 < len(kept) <= 4
    assert min(row.quality for row in kept) >= max((row.quality for row in others), default=0)


def test_other_thresholds_need_no_new_measuring(measured, tmp_path):
    path, before = measured
    again, log = tmp_path / "again.jsonl", measures_path(tmp_path / "again.jsonl")
    log.write_bytes(measures_path(path).read_bytes())
    stamp = log.stat().st_mtime_ns
    strict = Thresholds(**dict.fromkeys(("occlusion", "mismatch"), 0.0))
    after = curate(settings(share=0.5, thresholds=strict), again, progress=False)
    assert log.stat().st_mtime_ns == stamp or log.read_bytes() == measures_path(path).read_bytes()
    assert [row.scores for row in after.rows] == [row.scores for row in before.rows]
    assert sum(row.keep for row in after.rows) == 0


def test_a_stopped_run_goes_on_where_it_was(measured, tmp_path):
    path, whole = measured
    target = tmp_path / "curation.jsonl"
    lines = measures_path(path).read_bytes().splitlines(keepends=True)
    marked = json.loads(lines[1]) | {"scores": dict.fromkeys(REASONS, 0.123)}
    half = [lines[0], json.dumps(marked).encode() + b"\n", *lines[2:4], lines[4][:20]]
    measures_path(target).write_bytes(b"".join(half))
    resumed = curate(settings(share=0.5), target, progress=False)
    assert resumed.rows[0].scores["mismatch"] == 0.123  # taken, not measured again
    assert [row.scores for row in resumed.rows[1:]] == [row.scores for row in whole.rows[1:]]


def test_measures_of_another_dataset_are_refused(measured):
    path, _ = measured
    with pytest.raises(ToileError, match="was measured on 'dolls:10300000:8:mixed' with 8 pairs"):
        curate(settings("dolls:10300000:9:mixed"), path, progress=False)


def test_workers_measure_the_same(measured, tmp_path):
    curation = curate(settings(share=0.5), tmp_path / "curation.jsonl", workers=2, progress=False)
    assert curation.rows == measured[1].rows


def test_a_broken_pair_is_dropped_and_named(tmp_path):
    root = write_viton_hd(tmp_path / "data", ("a", "b"))
    (root / "test/cloth/a.jpg").write_bytes(b"no picture")
    curation = curate(settings(str(root), split="test", share=1.0), tmp_path / "c.jsonl", progress=False)
    broken, whole = curation.rows
    assert broken.reasons == {"unreadable"} and "a.jpg" in broken.unknown["unreadable"] and not broken.keep
    assert whole.keep and whole.unknown["occlusion"] == "the source has no parse map"


@pytest.mark.parametrize(
    ("name", "share", "message"), [("c.json", 0.2, "a .jsonl file"), ("c.jsonl", 0.0, "share is 0.0")]
)
def test_what_cannot_be_written_is_refused_before_anything_is_measured(tmp_path, name, share, message):
    with pytest.raises(ToileError, match=message):
        curate(settings(share=share), tmp_path / name, progress=False)
    assert not list(tmp_path.iterdir())
