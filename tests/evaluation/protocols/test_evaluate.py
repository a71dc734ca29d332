import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.evaluation.protocols.small_folder import COUNT, PROTOCOL, SIZE, STEMS, options

from toile.errors import ToileError
from toile.evaluation.metrics.structure import psnr, ssim
from toile.evaluation.protocols import filling
from toile.evaluation.protocols.built_in import metrics
from toile.evaluation.protocols.chunks import write_chunk
from toile.evaluation.protocols.evaluate import evaluate
from toile.evaluation.protocols.protocol import ReferenceRules, Statistics
from toile.evaluation.protocols.result import EvaluationResult, read_result

Run = Callable[..., EvaluationResult]
QUICK = replace(PROTOCOL, metrics=metrics("psnr"))


@pytest.fixture
def run(small_data: Path, doll_network: Path, tmp_path: Path) -> Run:
    """Evaluate a folder; the JSON is `out.json`, unless another name is given."""

    def evaluated(
        folder: Path, name: str = "out.json", protocol=PROTOCOL, **changes: object
    ) -> EvaluationResult:
        return evaluate(
            folder,
            protocol,
            tmp_path / name,
            data=str(small_data),
            options=options(doll_network, **changes),
        )

    return evaluated


@pytest.fixture(scope="session")
def once(
    good_predictions: Path, small_data: Path, doll_network: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The JSON of an evaluation in one go."""
    path = tmp_path_factory.mktemp("once") / "out.json"
    evaluate(good_predictions, PROTOCOL, path, data=str(small_data), options=options(doll_network))
    return path


def tensor(path: Path) -> torch.Tensor:
    with Image.open(path) as picture:
        return torch.from_numpy(np.array(picture.convert("RGB"))).movedim(-1, 0)[None].double() / 255


def test_values_are_those_of_the_functions(once: Path, good_predictions: Path, small_data: Path) -> None:
    result = read_result(once)
    assert [item.identifier for item in result.items] == list(STEMS)
    for row in (0, 33, COUNT - 1):
        mine = tensor(good_predictions / f"{STEMS[row]}.png")
        true = tensor(small_data / "test" / "cloth" / f"{STEMS[row]}.jpg")
        for name, function in (("ssim", ssim), ("psnr", psnr)):
            assert result.values[name][row] == pytest.approx(
                float(function(mine, true, data_range=1.0)), abs=1e-6
            )
    for name, column in result.values.items():
        assert result.summary[name].value == pytest.approx(np.mean(column))
        assert result.summary[name].low < result.summary[name].value < result.summary[name].high
    assert result.metrics["kd_dolls"].name == "KD-dolls × 1000" and result.metrics["kd_dolls"].of_sets
    assert result.sets["fd_dolls"].value > 0 and not math.isnan(result.sets["fd_dolls"].low)


def test_the_result_says_how_to_repeat_it(once: Path) -> None:
    result = read_result(once)
    assert result.conforming and result.notes == ()
    assert len(result.weights["dolls"]["sha256"]) == 64 and result.versions["torch"]
    assert result.protocol["pairs"]["list_sha256"] and result.protocol["metrics"][0]["definition"]
    item = result.items[0]
    assert (item.prediction, item.target) == ("00000_00.png", "test/cloth/00000_00.jpg")
    assert item.inputs == ("test/image/00000_00.jpg",) and len(item.target_sha256) == 64
    assert not once.with_name("out.json.parts").exists()


def test_neither_order_nor_subsequent_runs_change_a_bit(
    once: Path, good_predictions: Path, run: Run, tmp_path: Path
) -> None:
    other = tmp_path / "good"
    other.mkdir()
    for stem in reversed(STEMS):
        shutil.copy(good_predictions / f"{stem}.png", other / f"{stem}.png")
    run(other)
    assert (tmp_path / "out.json").read_text() == once.read_text()


@pytest.mark.parametrize("batch_size", [1, 5])
def test_batches_change_nothing_that_shows(
    once: Path, good_predictions: Path, run: Run, batch_size: int
) -> None:
    result, expected = run(good_predictions, batch_size=batch_size), read_result(once)
    for name, column in expected.values.items():
        np.testing.assert_allclose(result.values[name], column, rtol=1e-5, atol=1e-6)
    for name, summary in expected.sets.items():
        assert result.sets[name].value == pytest.approx(summary.value, rel=1e-4, abs=1e-6)


def test_processes_change_no_bit(once: Path, good_predictions: Path, run: Run, tmp_path: Path) -> None:
    run(good_predictions, workers=2)
    assert (tmp_path / "out.json").read_text() == once.read_text()


def test_a_killed_run_goes_on_to_the_same_bits(
    once: Path, good_predictions: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    def killed(path: Path, chunk) -> None:
        if written:
            raise KeyboardInterrupt
        written.append(path)
        write_chunk(path, chunk)

    with monkeypatch.context() as patch:
        patch.setattr(filling, "write_chunk", killed)
        with pytest.raises(KeyboardInterrupt):
            run(good_predictions)
    assert not (tmp_path / "out.json").exists() and written[0].exists()
    before = written[0].stat().st_mtime_ns
    measured = []
    with monkeypatch.context() as patch:
        patch.setattr(
            filling, "write_chunk", lambda path, chunk: (measured.append(path), write_chunk(path, chunk))
        )
        run(good_predictions, keep=True)
    assert [path.name for path in measured] == ["pictures-00001.safetensors"]
    assert written[0].stat().st_mtime_ns == before
    assert (tmp_path / "out.json").read_text() == once.read_text()


def test_a_damaged_chunk_is_measured_again(
    once: Path, good_predictions: Path, run: Run, tmp_path: Path
) -> None:
    run(good_predictions, keep=True)
    chunk = tmp_path / "out.json.parts" / "pictures-00000.safetensors"
    chunk.write_bytes(chunk.read_bytes()[:100])
    run(good_predictions)
    assert (tmp_path / "out.json").read_text() == once.read_text()


def test_changed_predictions_are_measured_again(predictions: Path, run: Run) -> None:
    before = run(predictions, protocol=QUICK, keep=True)
    with Image.open(predictions / f"{STEMS[0]}.png") as picture:
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(predictions / f"{STEMS[0]}.png")
    after = run(predictions, protocol=QUICK, keep=True)
    assert after.values["psnr"][0] != before.values["psnr"][0]
    assert after.values["psnr"][1:] == before.values["psnr"][1:]


def test_other_files_beside_the_output_are_left_alone(
    good_predictions: Path, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "out.json.parts").mkdir()
    (tmp_path / "out.json.parts" / "letter.txt").write_text("mine")
    with pytest.raises(ToileError, match="holds other files"):
        run(good_predictions)
    assert (tmp_path / "out.json.parts" / "letter.txt").read_text() == "mine"


def test_the_inputs_and_the_truths_are_recognised(predictions: Path, small_data: Path, run: Run) -> None:
    for side, reason in (("image", "equals-input"), ("cloth", "equals-truth")):
        for stem in STEMS:
            with Image.open(small_data / "test" / side / f"{stem}.jpg") as picture:
                picture.save(predictions / f"{stem}.png")
        with pytest.raises(ToileError, match=rf"\[{reason}\] 40 "):
            run(predictions, protocol=QUICK)
    result = run(predictions, allowed=("equals-truth",))
    assert result.values["psnr"] == (math.inf,) * COUNT and result.sets["fd_dolls"].value < 1e-6
    assert not result.conforming and "truth itself" in result.notes[-1]


def test_predictions_within_the_data_are_refused(small_data: Path, run: Run) -> None:
    with pytest.raises(ToileError, match=r"\[data-folder\]"):
        run(small_data / "test" / "cloth")


def test_other_pairs_are_not_the_benchmark(good_predictions: Path, run: Run) -> None:
    result = run(good_predictions, protocol=QUICK, count=10)
    assert result.count == 10 and not result.conforming
    assert any(note.startswith("not the benchmark") for note in result.notes)
    assert "10 pairs instead of 40" in result.notes


def test_what_is_missing_may_be_left_out(predictions: Path, run: Run) -> None:
    (predictions / f"{STEMS[4]}.png").unlink()
    with pytest.raises(ToileError, match=r"\[missing\] 1 \(00004_00\) of 40"):
        run(predictions, protocol=QUICK)
    result = run(predictions, protocol=QUICK, allowed=("missing",))
    assert result.count == COUNT - 1 and STEMS[4] not in [item.identifier for item in result.items]


def test_missing_weights_are_named_and_may_be_left_out(good_predictions: Path, run: Run) -> None:
    chosen = ("ssim", "fid")
    with pytest.raises(ToileError, match="Inception"):
        run(good_predictions, metrics=chosen)
    result = run(good_predictions, metrics=chosen, allowed=("missing-weights",))
    assert list(result.metrics) == ["ssim"] and any("fid was left out" in note for note in result.notes)


def test_masks_cut_the_garment_out(predictions: Path, run: Run, tmp_path: Path) -> None:
    plain = run(predictions, protocol=QUICK)
    for stem in STEMS:
        cut = Image.new("L", (SIZE[1], SIZE[0]), 0)
        cut.paste(255, (SIZE[1] // 4, SIZE[0] // 4, 3 * SIZE[1] // 4, 3 * SIZE[0] // 4))
        (tmp_path / "cut").mkdir(exist_ok=True)
        cut.save(tmp_path / "cut" / f"{stem}.png")
    result = run(predictions, "cut.json", QUICK, cut=tmp_path / "cut")
    assert result.summary["psnr"].value > plain.summary["psnr"].value + 2
    assert any("cut out" in note for note in result.notes)
    (tmp_path / "cut" / f"{STEMS[0]}.png").unlink()
    with pytest.raises(ToileError, match="needs its mask"):
        run(predictions, "cut.json", QUICK, cut=tmp_path / "cut")
    forbidden = replace(PROTOCOL, pictures=replace(PROTOCOL.pictures, cut_out=False))
    with pytest.raises(ToileError, match=r"\[other-masks\]"):
        run(predictions, "cut.json", forbidden, cut=tmp_path / "cut")


def test_the_real_set_may_lie_elsewhere(
    good_predictions: Path, small_data: Path, run: Run, tmp_path: Path
) -> None:
    sets = replace(PROTOCOL, metrics=metrics("fd_dolls"), statistics=Statistics(set_resamples=0))
    rules = ReferenceRules(side="garments", dataset="viton-hd", split="test")
    for stem in STEMS[:8]:
        (tmp_path / "real").mkdir(exist_ok=True)
        shutil.copy(small_data / "test" / "cloth" / f"{stem}.jpg", tmp_path / "real")

    def distance(rules: ReferenceRules, reference: str | None = None) -> float:
        protocol = replace(sets, reference=rules)
        return (
            run(good_predictions, "sets.json", protocol, reference=reference, count=8).sets["fd_dolls"].value
        )

    expected = distance(replace(rules, side="targets"))
    assert distance(rules) == pytest.approx(expected, rel=1e-4)
    elsewhere = replace(rules, dataset="dresscode")
    assert distance(elsewhere, str(tmp_path / "real")) == pytest.approx(expected, rel=1e-4)
    assert distance(replace(rules, side="persons")) > 2 * expected
    with pytest.raises(ToileError, match="give it with --reference"):
        distance(elsewhere)


def test_tasks_with_another_truth_are_refused(
    good_predictions: Path, small_data: Path, tmp_path: Path, doll_network: Path
) -> None:
    with pytest.raises(ToileError, match="whose truth is another"):
        evaluate(good_predictions, PROTOCOL, tmp_path / "x.json", data=str(small_data), task="tryon")
    result = evaluate(
        good_predictions,
        PROTOCOL,
        tmp_path / "x.json",
        data=str(small_data),
        task="takeoff",
        options=options(doll_network, metrics=("psnr",)),
    )
    assert result.task == "takeoff"


def test_the_json_is_strict(once: Path) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    assert json.loads(once.read_text(), parse_constant=refuse)["format"] == 1


def test_pairs_may_be_left_out_by_a_list(good_predictions: Path, run: Run) -> None:
    result = run(good_predictions, protocol=QUICK, exclusions=(STEMS[0], STEMS[7]))
    assert result.count == COUNT - 2 and result.protocol["pairs"]["exclusions_sha256"]
    with pytest.raises(ToileError, match="'nobody' is to be left out"):
        run(good_predictions, protocol=QUICK, exclusions=("nobody",))
