from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.twgtm_joint import JOINT, SINGLE, Settings, compared, main
from tests.twgtm.small_pipeline import SIZE, small_pipeline

from toile.evaluation.doll_features import DollFeatures
from toile.evaluation.tables import read_json


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("joint")
    small_pipeline().save_pretrained(folder / "joint")
    other = small_pipeline()
    other.unet.conv_out.weight.data.mul_(-1)
    other.save_pretrained(folder / "other")
    DollFeatures().save_pretrained(folder / "features")
    return Settings(
        joint=str(folder / "joint"),
        try_on=str(folder / "joint"),
        take_off=str(folder / "other"),
        size=SIZE,
        count=2,
        steps=1,
        doll_features=folder / "features",
        out=folder / "out",
        docs=None,
    )


def test_each_direction_is_compared_with_the_model_that_knows_it_alone(settings: Settings) -> None:
    reports = compared(settings)
    assert set(reports) == {"take-off", "try-on"}
    on, off = reports["try-on"].values, reports["take-off"].values
    assert all(len(values) == 2 for mode in on for values in on[mode][JOINT].values())
    assert all(on[mode][JOINT] == on[mode][SINGLE] for mode in on)  # the same weights, the same noise
    assert all(off[mode][JOINT] != off[mode][SINGLE] for mode in off)


def test_tables_are_written(settings: Settings, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    places = [
        f"<!-- twgtm-joint-{name} -->\n<!-- /twgtm-joint-{name} -->\n" for name in ("take-off", "try-on")
    ]
    page.write_text("".join(places))
    main(replace(settings, docs=page))
    assert page.read_text().count(f"− {SINGLE}") == 4  # two directions, two modes
    assert sorted(read_json(settings.out / "try-on.json").identifiers["studio"]) == ["10000000", "10000001"]
