import json
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image
from tests.small_models import small_unet

from toile.cli.analyse import AnalyseParameters, analyse_parameters
from toile.cli.main import main
from toile.evaluation.similarity import BOTH, THRESHOLDS, parameter_similarity


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two models' folders: the second is the first, disturbed by one per cent, and sharded."""
    folder = tmp_path_factory.mktemp("models")
    unet = small_unet()
    unet.save_pretrained(folder / "a" / "unet")
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in unet.parameters():
            parameter.mul_(1 + 0.01 * torch.randn(parameter.shape, generator=generator))
    unet.save_pretrained(folder / "b" / "unet", max_shard_size="40KB")
    assert len(list((folder / "b" / "unet").glob("*.safetensors"))) > 1
    return folder / "a", folder / "b"


def refused(capsys, *arguments: object) -> str:
    """What a refused `toile analyse parameters` says."""
    assert main(["analyse", "parameters", *map(str, arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("toile: ") and err.count("\n") == 1
    return err


def test_the_figures_are_those_of_the_models(models) -> None:
    a, b = models
    first = small_unet().state_dict()
    second = type(small_unet()).from_pretrained(b / "unet").state_dict()
    found = analyse_parameters(a, b, THRESHOLDS)
    assert found == parameter_similarity(first, second)
    assert 0 < found.shares[BOTH][0] < found.shares[BOTH][-1]


def test_the_command_prints_a_table_and_writes_json(models, tmp_path, capsys) -> None:
    a, b = models
    out = tmp_path / "new" / "figures.json"
    assert (
        main(["analyse", "parameters", str(a), str(b), "--thresholds", "0.001", "0.02", "-o", str(out)]) == 0
    )
    said = capsys.readouterr().out
    content = json.loads(out.read_text())
    assert set(content) == {"a", "b", "thresholds", "shares", "counts"}
    assert (content["a"], content["b"], content["thresholds"]) == (str(a), str(b), [0.001, 0.02])
    for kind, row in content["shares"].items():
        assert kind in said and f"{content['counts'][kind]:,}" in said
        assert all(f"{share:.1%}" in said for share in row)
    assert "< 0.02" in said
    assert [path.name for path in out.parent.iterdir()] == ["figures.json"]


def test_a_model_equals_itself(models, capsys) -> None:
    AnalyseParameters(a=models[0], b=models[0]).run()
    assert capsys.readouterr().out.count("100.0%") == 3 * len(THRESHOLDS)


def test_the_thresholds_are_the_librarys() -> None:
    assert AnalyseParameters(a=Path("a"), b=Path("b")).thresholds == THRESHOLDS


def test_folders_that_are_no_models_are_refused(models, tmp_path, capsys) -> None:
    a, _ = models
    assert "no folder" in refused(capsys, a, tmp_path / "nothing")
    assert "no part 'unet'" in refused(capsys, tmp_path, a)
    (tmp_path / "unet").mkdir()
    assert ".safetensors" in refused(capsys, a, tmp_path)
    (tmp_path / "unet" / "model.safetensors").write_bytes(b"\x00" * 20)
    assert "damaged" in refused(capsys, a, tmp_path)


def test_models_of_another_architecture_are_refused(models, tmp_path, capsys) -> None:
    small_unet(layers=2).save_pretrained(tmp_path / "deep" / "unet")
    assert "one architecture" in refused(capsys, models[0], tmp_path / "deep")


def test_bad_settings_are_refused_before_anything_is_written(models, tmp_path, capsys) -> None:
    a, b = models
    assert ".json" in refused(capsys, a, b, "-o", tmp_path / "figures.txt")
    assert "positive" in refused(capsys, a, b, "--thresholds", 0.0, "-o", tmp_path / "figures.json")
    shutil.copytree(a, tmp_path / "file")
    assert "cannot be written" in refused(capsys, a, b, "-o", tmp_path / "file/unet/config.json/x.json")
    assert not (tmp_path / "figures.json").exists() and not (tmp_path / "figures.txt").exists()


def test_features_are_drawn_as_a_heat_map(twgtm_folder, tmp_path, capsys) -> None:
    out = tmp_path / "heat.png"
    asked = ["analyse", "features", str(twgtm_folder), "-o", str(out), "--data", "dolls:7:2", "--count", "2"]
    assert main([*asked, "--device", "cpu"]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    with Image.open(out) as picture:
        assert json.loads(picture.text["toile"])["count"] == 2
        assert min(picture.size) > 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--output", "heat.jpg"), "does not end in .png"),
        (("--count", "0"), "count is 0"),
        (("--timestep", "1000", "--count", "1"), "timestep is 1000"),
        (("--data", "nowhere"), "nowhere"),
    ],
)
def test_features_that_cannot_be_drawn_are_refused(
    twgtm_folder, tmp_path, monkeypatch, capsys, arguments, message
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["analyse", "features", str(twgtm_folder), *arguments, "--device", "cpu"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and message in err and list(tmp_path.iterdir()) == []
