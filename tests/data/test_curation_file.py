import json
from pathlib import Path

import pytest

from toile.data.curation_file import (
    CuratedRow,
    Curation,
    CurationSettings,
    decisions_path,
    read_curation,
    write_curation,
)
from toile.data.curation_rules import Thresholds
from toile.data.hardness_measures import REASONS
from toile.errors import ToileError


def row(index: int, keep: bool = True, reasons: tuple[str, ...] = (), identifier: str = "") -> CuratedRow:
    scores = dict.fromkeys(REASONS, 0.25) | {"mismatch": None}
    return CuratedRow(
        index=index,
        identifier=identifier or f"{index:05d}",
        category="upper",
        scores=scores,
        unknown={"mismatch": "missing"},
        reasons=frozenset(reasons),
        hard_case=False,
        quality=0.5,
        keep=keep,
    )


def curation(*rows: CuratedRow, source: str = "dolls:0:3") -> Curation:
    settings = CurationSettings(source=source, share=0.5, thresholds=Thresholds(mismatch=0.7))
    return Curation(settings=settings, rows=list(rows))


def test_a_curation_is_read_back_as_it_was(tmp_path):
    path = tmp_path / "curation.jsonl"
    written = curation(row(0), row(1, keep=False, reasons=("occlusion",)))
    write_curation(written, path)
    assert read_curation(path) == written
    first, *others = [json.loads(line) for line in path.read_text().splitlines()]
    assert first["curation"]["thresholds"]["mismatch"] == 0.7
    assert [line["keep"] for line in others] == [True, False]


def test_decisions_lie_beside():
    assert decisions_path(Path("a/curation.jsonl")) == Path("a/curation.decisions.jsonl")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no curation at"),
        ("", "does not begin"),
        ('{"index": 0}\n', "does not begin"),
        ('{"curation": {"source": "x", "thresholds": {"colour": 1}}}\n', "of this version"),
        ('{"curation": {"source": "x", "thresholds": {}}}\n{"index": 0}\n', "of this version"),
        ('{"curation": {"source": "x", "thresholds": {"mismatch": 7}}}\n', "threshold mismatch"),
    ],
)
def test_what_is_no_curation_is_refused(tmp_path, content, message):
    path = tmp_path / "curation.jsonl"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ToileError, match=message):
        read_curation(path)
