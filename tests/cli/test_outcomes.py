import json
from pathlib import Path

import pytest
from PIL import Image

from toile.cli.jobs import Job
from toile.cli.outcomes import Outcome, Progress, report
from toile.errors import ToileError


def job(name: str, folder: Path = Path(".")) -> Job:
    return Job(photo=folder / name, mask=None, output=folder / f"{name}.png")


@pytest.mark.parametrize(
    ("errors", "code", "out"),
    [([None, None], 0, "0.png\n1.png\n"), ([None, "bad"], 1, "0.png\n"), (["bad", "bad"], 2, "")],
)
def test_the_exit_code_and_what_was_written(capsys, errors, code, out):
    outcomes = [Outcome(job=job(str(index)), error=error) for index, error in enumerate(errors)]
    assert report(outcomes) == code
    assert capsys.readouterr().out == out


def test_failures_are_one_line_each_and_the_rest_goes_on(tmp_path, capsys):
    jobs = [job(name, tmp_path) for name in ("a", "b", "file/c")]
    (tmp_path / "file").touch()
    with Progress(3, "working") as progress:
        progress.fail(jobs[0], ToileError("broken\nin two lines"))
        for fine in jobs[1:]:
            progress.advance()
            progress.save(fine, {fine.output: Image.new("RGB", (2, 2))}, {"seed": 1})
    outcomes = progress.outcomes(jobs)
    assert [outcome.error is None for outcome in outcomes] == [False, True, False]
    said = [line.split("\r")[-1] for line in capsys.readouterr().err.splitlines()]
    lines = [line for line in said if line.startswith("toile: ")]
    assert lines[0] == "toile: broken in two lines"
    assert len(lines) == 2 and "cannot be written" in lines[1]
    with Image.open(jobs[1].output) as picture:
        assert json.loads(picture.text["toile"]) == {"seed": 1}
