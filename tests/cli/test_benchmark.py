from pathlib import Path

import pytest
from tests.dolls_predictions import write_doll_predictions

from toile.cli.benchmark import Benchmark, run_benchmark
from toile.errors import ToileError


def benchmark(output: Path, *systems: str, **changes: object) -> Benchmark:
    given: dict[str, object] = {"task": "restore", "data": "dolls:5:3", "metrics": ("psnr",), **changes}
    return Benchmark(systems=systems, output=output, **given)  # type: ignore[arg-type]


def test_baselines_and_folders_are_measured_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_doll_predictions(tmp_path / "mine", 5, 3)
    found = run_benchmark(benchmark(tmp_path / "out", "colour-oracle", str(folder)))
    assert [result.system for result, _ in found] == ["colour-oracle", "mine"]
    assert all(path.is_file() for _, path in found)
    assert len({result.protocol_hash for result, _ in found}) == 1
    before = [path.read_bytes() for _, path in found]
    assert benchmark(tmp_path / "out", "colour-oracle", str(folder)).run() == 0
    assert [path.read_bytes() for _, path in found] == before
    assert "colour-oracle\nPSNR ↑  " in capsys.readouterr().out


def test_every_guidance_scale_makes_a_result(tmp_path: Path, igr_folder: Path) -> None:
    system = f"igr:{igr_folder}"
    found = run_benchmark(
        benchmark(tmp_path, system, seeds=(3,), guidance=(1.0, 2.0), steps=1, data="dolls:5:2")
    )
    labels = [result.system for result, _ in found]
    assert labels[0].endswith("s=1, seed 3") and labels[1].endswith("s=2, seed 3")
    assert found[0][0].settings["guidance"] == 1.0 and found[0][0].settings["weights"]
    assert found[0][0].values["psnr"] != found[1][0].values["psnr"]


def test_a_baseline_may_repeat_itself(tmp_path: Path) -> None:
    ((result, _),) = run_benchmark(benchmark(tmp_path, "mean-garment", training="dolls:90:6"))
    assert result.count == 3 and any("duplicates" in note or "repeat" in note for note in result.notes)


def test_nothing_is_drawn_when_one_system_cannot(tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="paste-flat does tryon, not restore"):
        run_benchmark(benchmark(tmp_path / "out", "colour-oracle", "paste-flat"))
    with pytest.raises(ToileError, match="no system 'none'"):
        run_benchmark(benchmark(tmp_path / "out", "none"))
    assert not (tmp_path / "out").exists()


def test_oracles_of_trying_on(tmp_path: Path) -> None:
    (result, _), (warped, _) = run_benchmark(
        benchmark(tmp_path, "paste-flat", "exact-warp-oracle", task="tryon", metrics=("l1_within",))
    )
    assert warped.summary["l1_within"].value < result.summary["l1_within"].value
