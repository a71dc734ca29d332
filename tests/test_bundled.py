import json
import shutil

import pytest

from toile.bundled import USUAL_STEPS, check_model, find_model, usual_steps, weights_folder
from toile.errors import ToileError


def find(name):
    return find_model(name, system="igr", pipeline="IGRPipeline")


def test_a_folder_is_itself(igr_folder):
    assert find(str(igr_folder)) == (igr_folder, None)


def test_a_hub_name_is_left_to_the_hub():
    assert find("someone/some-model") == (None, None)


def test_a_model_s_own_steps_are_known_before_it_is_loaded(tmp_path, igr_folder):
    shutil.copytree(igr_folder, tmp_path / "igr")
    path = tmp_path / "igr" / "model_index.json"
    index = json.loads(path.read_text())
    for own, expected in ((None, 25), (7, 7)):
        path.write_text(json.dumps(index | {"num_inference_steps": own}))
        assert usual_steps(tmp_path / "igr", system="igr", pipeline="IGRPipeline") == expected
    hub = usual_steps("someone/some-model", system="twgtm", pipeline="TWGTMPipeline")
    assert hub == USUAL_STEPS["twgtm"] == 30


@pytest.mark.parametrize("name", ["tinny", "./gone", "/gone/model", "a/b/c", "~/model", "", "owner/"])
def test_what_can_only_be_a_missing_folder(name):
    with pytest.raises(ToileError, match="no such folder"):
        find(name)


def test_tiny_without_weights(tmp_path, monkeypatch):
    monkeypatch.setattr("toile.bundled.weights_folder", lambda: tmp_path)
    with pytest.raises(ToileError, match=r"missing.*make weights"):
        find("tiny")


def test_tiny_is_two_folders(tmp_path, monkeypatch, igr_folder):
    monkeypatch.setattr("toile.bundled.weights_folder", lambda: tmp_path)
    shutil.copytree(igr_folder, tmp_path / "igr")
    (tmp_path / "base").mkdir()
    for part in ("vae", "text_encoder", "tokenizer", "image_encoder", "feature_extractor", "scheduler"):
        (tmp_path / "igr" / part).rename(tmp_path / "base" / part)
    assert find("tiny") == (tmp_path / "igr", tmp_path / "base")
    shutil.rmtree(tmp_path / "base" / "vae")
    with pytest.raises(ToileError, match="the part vae is missing"):
        find("tiny")


def test_the_weights_lie_in_the_package():
    assert weights_folder().parent.name == "toile"


def test_no_model_at_all(tmp_path):
    with pytest.raises(ToileError, match=r"no model_index\.json"):
        check_model(tmp_path, pipeline="IGRPipeline")


@pytest.mark.parametrize("text", ["{", "[]", "\0"])
def test_a_broken_index(tmp_path, text):
    (tmp_path / "model_index.json").write_text(text)
    with pytest.raises(ToileError, match=r"model_index\.json"):
        check_model(tmp_path, pipeline="IGRPipeline")


def test_another_system(tmp_path, igr_folder):
    index = json.loads((igr_folder / "model_index.json").read_text())
    (tmp_path / "model_index.json").write_text(json.dumps(index | {"_class_name": "StableDiffusionPipeline"}))
    with pytest.raises(ToileError, match=r"StableDiffusionPipeline.*IGRPipeline"):
        check_model(tmp_path, pipeline="IGRPipeline")


@pytest.mark.parametrize(
    "part", ["unet", "garment_net", "low_level_extractor", "vae", "tokenizer", "scheduler"]
)
def test_a_missing_part(tmp_path, igr_folder, part):
    folder = shutil.copytree(igr_folder, tmp_path / "model")
    shutil.rmtree(folder / part)
    with pytest.raises(ToileError, match=f"the part {part} is missing"):
        check_model(folder, pipeline="IGRPipeline")


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_missing_weights(tmp_path, igr_folder, part):
    folder = shutil.copytree(igr_folder, tmp_path / "model")
    for path in (folder / part).glob("*.safetensors"):
        path.unlink()
    with pytest.raises(ToileError, match=rf"{part} is incomplete: it has no \.safetensors"):
        check_model(folder, pipeline="IGRPipeline")


def test_an_empty_part(tmp_path, igr_folder):
    folder = shutil.copytree(igr_folder, tmp_path / "model")
    for path in (folder / "vae").iterdir():
        path.unlink()
    with pytest.raises(ToileError, match="vae is incomplete"):
        check_model(folder, pipeline="IGRPipeline")
