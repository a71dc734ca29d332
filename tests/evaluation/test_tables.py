import json
from pathlib import Path

import pytest
from rich.console import Console

from toile.errors import ToileError
from toile.evaluation.report import Report
from toile.evaluation.restoration import METRICS
from toile.evaluation.tables import read_json, replace_between, to_markdown, to_rich, write_json


def values(best: float) -> dict[str, list[float]]:
    return {
        m: [best + 0.01 * i if up else 1 - best + 0.01 * i for i in range(8)] for m, up in METRICS.items()
    }


REPORT = Report(
    size=(64, 48),
    higher_is_better=METRICS,
    identifiers={"studio": [str(i) for i in range(8)]},
    values={"studio": {"model": values(0.8), "mean": values(0.3)}},
)


def test_markdown_has_a_row_a_method_and_marks_what_is_better() -> None:
    text = to_markdown(REPORT, first="model")
    assert "| method | SSIM ↑ | DISTS-dolls ↓ | L1 within ↓ | edges ↑ | IoU ↑ |" in text
    assert "| model | 0.835 [" in text
    gains = next(line for line in text.splitlines() if line.startswith("| − mean"))
    assert gains.count("**") == 2 * len(METRICS)
    assert "**-0.500 [" in gains
    backwards = to_markdown(REPORT, first="mean")
    assert "**" not in backwards


def test_the_terminal_shows_every_method() -> None:
    console = Console(width=200, record=True, quiet=False, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(to_rich(REPORT, "studio"))
    text = console.export_text()
    assert "studio, 8 pairs" in text
    assert "model" in text and "mean" in text


def test_json_round_trip(tmp_path: Path) -> None:
    write_json(REPORT, tmp_path / "out" / "report.json")
    assert read_json(tmp_path / "out" / "report.json") == REPORT
    content = json.loads((tmp_path / "out" / "report.json").read_text())
    assert content["summary"]["studio"]["model"]["SSIM"]["mean"] == pytest.approx(0.835)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.json"]


def test_another_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[]")
    for name in ("a.json", "nothing.json"):
        with pytest.raises(ToileError, match="no report"):
            read_json(tmp_path / name)


def test_text_between_markers_is_replaced_and_the_rest_kept() -> None:
    text = "before\n<!-- t -->\nold\n<!-- /t -->\nafter\n"
    new = replace_between(text, "t", "new")
    assert new == "before\n<!-- t -->\n\nnew\n\n<!-- /t -->\nafter\n"
    assert replace_between(new, "t", "new") == new
    with pytest.raises(ToileError, match="no place"):
        replace_between("nothing", "t", "new")


def test_the_benchmark_page_has_its_markers() -> None:
    page = (Path(__file__).parents[2] / "docs" / "benchmark.md").read_text()
    for name in ("igr-quality", "memorise-real"):
        assert "x" in replace_between(page, name, "x")
