from dataclasses import replace
from pathlib import Path

from PIL import Image
from tests.evaluation.reports.example_results import SIZE, truths

from toile.evaluation.protocols.dressing_list import DressingTruth
from toile.evaluation.protocols.truths import DollTruth
from toile.evaluation.reports.pictures import contender, write_shots


def test_inputs_predictions_and_target_are_written_in_that_order(
    three, picture_folder: Path, tmp_path: Path
) -> None:
    sharp = three[0]
    name = sharp.items[0].identifier
    whose = [contender(result, picture_folder / result.system) for result in three[:2]]
    shots = write_shots(name, "000000", whose, truths()[name], tmp_path)
    assert [shot.role for shot in shots] == ["photo", "sharp & quick", "blurred_<b>", "target"]
    for shot in shots:
        with Image.open(tmp_path / shot.file) as picture:
            assert picture.size == (shot.width, shot.height) == (SIZE[1], SIZE[0])


def test_a_try_on_shows_the_garment_too(tmp_path: Path) -> None:
    truth = DollTruth(seed=1, mode="studio", size=SIZE, task="tryon", region="mask")
    roles = [shot.role for shot in write_shots(truth.identifier, "0", [], truth, tmp_path)]
    assert roles == ["photo", truth.pair.category, "target"]


def test_dressing_shows_its_garments(tmp_path: Path, picture_file) -> None:
    picture_file("a.png")
    truth = DressingTruth(
        identifier="d", folder=tmp_path, garments={"upper": "a.png", "hat": "a.png"}, prompt="p"
    )
    assert [shot.role for shot in write_shots("d", "0", [], truth, tmp_path)] == ["hat", "upper"]


def test_stale_and_missing_predictions_are_said_and_not_shown(
    three, picture_folder: Path, tmp_path: Path
) -> None:
    sharp = three[0]
    stale = replace(sharp, items=(replace(sharp.items[0], prediction_sha256="0" * 64), *sharp.items[1:]))
    whose = [
        contender(stale, picture_folder / sharp.system, "stale"),
        contender(sharp, tmp_path / "gone", "gone"),
        replace(contender(sharp, tmp_path, "absent"), items={}),
    ]
    shots = write_shots(sharp.items[0].identifier, "0", whose, None, tmp_path)
    assert [shot.file for shot in shots] == ["", "", ""]
    assert "has changed" in shots[0].reason and "cannot be read" in shots[1].reason
    assert "not in this result" in shots[2].reason
