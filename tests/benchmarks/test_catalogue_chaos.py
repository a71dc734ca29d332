from pathlib import Path

import pytest
from benchmarks.catalogue_chaos import compare

from toile.catalogue.manifest import MANIFEST, Row


def output(folder: Path, pictures: dict[str, bytes], failed: set[int]) -> Path:
    """What a run of four items leaves."""
    (folder / "pictures").mkdir(parents=True)
    for name, content in pictures.items():
        (folder / "pictures" / f"{name}.png").write_bytes(content)
    rows = [
        Row(
            number=number,
            name=f"{number}",
            state="failed" if number in failed else "done",
            error="a reason" if number in failed else None,
            block=number,
            items=1,
        )
        for number in range(4)
    ]
    (folder / MANIFEST).write_bytes(b"".join(row.line() for row in rows))
    return folder


GOOD = {"0": b"a", "1": b"b", "3": b"c"}


@pytest.mark.parametrize(
    ("pictures", "failed", "code"),
    [
        (GOOD, {2}, 0),
        (GOOD | {"1": b"other"}, {2}, 1),
        ({"0": b"a", "1": b"b"}, {2}, 1),
        (GOOD | {"2": b"d"}, {2}, 1),
        (GOOD, set(), 1),
        (GOOD, {2, 3}, 1),
    ],
)
def test_runs_that_differ_are_told_apart(tmp_path, pictures, failed, code, capsys):
    clean = output(tmp_path / "clean", GOOD, {2})
    assert compare(clean, output(tmp_path / "chaos", pictures, failed), {2}, 4) == code
    assert "pictures of the clean run: 3" in capsys.readouterr().out


def test_rows_that_are_missing_or_doubled_count(tmp_path):
    clean, chaos = output(tmp_path / "clean", GOOD, {2}), output(tmp_path / "chaos", GOOD, {2})
    lines = (chaos / MANIFEST).read_bytes().splitlines(keepends=True)
    for wrong in (lines[:-1], [*lines, lines[0]]):
        (chaos / MANIFEST).write_bytes(b"".join(wrong))
        assert compare(clean, chaos, {2}, 4) == 1
