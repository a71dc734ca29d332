import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from toile.errors import ToileError
from toile.evaluation.protocols.built_in import IGR_PAIRED
from toile.evaluation.protocols.result import (
    EvaluatedItem,
    EvaluationResult,
    MetricDescription,
    Summary,
    read_result,
    write_result,
)


def result() -> EvaluationResult:
    metric = MetricDescription(
        name="PSNR",
        higher_is_better=True,
        low=0.0,
        high=math.inf,
        definition="10 log10(1 / MSE)",
        backbone=None,
        scale=1.0,
        of_sets=False,
    )
    items = tuple(
        EvaluatedItem(
            identifier=name,
            category="upper",
            labels=("occlusion", "studio"),
            prediction=f"{name}.png",
            target=f"cloth/{name}.jpg",
            inputs=(f"image/{name}.jpg",),
            prediction_sha256="1",
            target_sha256="2",
        )
        for name in ("a", "b", "c")
    )
    return EvaluationResult(
        toile="0.1",
        system="mine",
        protocol=json.loads(json.dumps(asdict(IGR_PAIRED))),
        protocol_hash=IGR_PAIRED.hash,
        conforming=False,
        task="restore",
        predictions="mine",
        count=3,
        versions={"torch": "2"},
        weights={"dolls": {"source": "x", "sha256": "y"}},
        metrics={"psnr": metric},
        items=items,
        values={"psnr": (20.1, math.inf, None)},
        sets={"fid": Summary(value=3.0, low=math.nan, high=math.nan)},
        summary={"psnr": Summary(value=math.inf, low=1.0, high=2.0)},
        notes=("not the benchmark",),
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_result(result(), tmp_path / "a.json")
    found = read_result(tmp_path / "a.json")
    assert math.isnan(found.sets["fid"].low)
    assert replace(found, sets={}) == replace(result(), sets={})
    write_result(found, tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


@pytest.mark.parametrize("spoil", ["{", "[]", '{"format": 2}', '{"format": 1}'])
def test_other_files_are_refused(tmp_path: Path, spoil: str) -> None:
    (tmp_path / "a.json").write_text(spoil)
    with pytest.raises(ToileError, match="no result of an evaluation"):
        read_result(tmp_path / "a.json")
    with pytest.raises(ToileError, match="does not exist"):
        read_result(tmp_path / "b.json")


def test_columns_of_another_length_are_refused(tmp_path: Path) -> None:
    write_result(replace(result(), values={"psnr": (1.0,)}), tmp_path / "a.json")
    with pytest.raises(ToileError, match="psnr has 1 values for 3 items"):
        read_result(tmp_path / "a.json")
