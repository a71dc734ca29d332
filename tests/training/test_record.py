import json
from pathlib import Path

import pytest
from PIL import Image

from toile.training.record import Means, Record


def test_lines_beyond_the_checkpoint_are_removed_with_a_half_written_one(tmp_path: Path) -> None:
    record = Record(tmp_path, 0)
    for step in (1, 2, 3):
        record.line(step, {"loss": float(step)})
    record.close()
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 4, "lo')
    record = Record(tmp_path, 2)
    record.line(3, {"loss": 30.0})
    record.close()
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [(line["step"], line["loss"]) for line in lines] == [(1, 1.0), (2, 2.0), (3, 30.0)]


def test_a_figure_that_is_not_finite_is_still_json(tmp_path: Path) -> None:
    record = Record(tmp_path, 0)
    record.line(1, {"psnr": float("inf")})
    record.close()
    assert json.loads((tmp_path / "metrics.jsonl").read_text()) == {"step": 1, "psnr": None}


def test_pictures_carry_their_step(tmp_path: Path) -> None:
    record = Record(tmp_path, 0)
    path = record.picture(500, Image.new("RGB", (2, 2), (1, 2, 3)))
    record.close()
    assert path == tmp_path / "samples/step_000500.png"
    assert Image.open(path).getpixel((0, 0)) == (1, 2, 3)
    assert len(list(path.parent.iterdir())) == 1


def test_means_start_again() -> None:
    means = Means()
    means.add({"loss": 1.0})
    means.add({"loss": 2.0})
    assert means.take() == {"loss": pytest.approx(1.5)}
    means.add({"loss": 5.0})
    assert means.take() == {"loss": 5.0}
