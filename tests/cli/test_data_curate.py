import pytest

from toile.cli.data_curate import Curate, curate_dataset, summary
from toile.data.curation_file import read_curation
from toile.errors import ToileError


def test_curate_writes_a_file_and_a_summary(tmp_path, capfd):
    path = tmp_path / "curation.jsonl"
    assert Curate(source="dolls:10300300:4:mixed", output=path, share=0.5).run() == 0
    out, err = capfd.readouterr()
    assert out.strip() == str(path)
    rows = read_curation(path).rows
    assert len(rows) == 4 and f"{sum(row.keep for row in rows)} kept" in err
    for reason in ("occlusion", "truncation", "side_view", "extreme_proportion", "mismatch"):
        assert reason in err


def test_the_summary_counts(tmp_path):
    from tests.data.test_curation_file import curation, row

    table = summary(curation(row(0), row(1, keep=False, reasons=("occlusion",))))
    cells = list(zip(*(list(column.cells) for column in table.columns), strict=True))
    assert cells[0] == ("occlusion", "1", "50.0%", "0")
    assert cells[4] == ("mismatch", "0", "0.0%", "2")


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"share": 2.0}, {"source": "nowhere"}])
def test_wrong_settings_write_nothing(tmp_path, wrong):
    settings = {"source": "dolls:0:2", "output": tmp_path / "c.jsonl"} | wrong
    with pytest.raises(ToileError):
        curate_dataset(settings.pop("source"), settings.pop("output"), **settings)
    assert not list(tmp_path.iterdir())
