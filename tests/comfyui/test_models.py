import json
import os
import shutil
from pathlib import Path

import pytest
from tests.comfyui.graph import all_sockets, node, run

from toile.comfyui.models import KEPT, ToileModels, found_model, last_written, models_of
from toile.errors import ToileError


@pytest.fixture
def shelf(host, model_folders) -> Path:
    """ComfyUI's `models/toile` with a model of each system, and things that are none."""
    folder = host.folder / "toile"
    folder.mkdir(parents=True)
    for system, source in model_folders.items():
        (folder / f"my-{system}").symlink_to(source)
    (folder / "empty").mkdir()
    (folder / "notes.txt").write_text("nothing")
    (folder / "broken").mkdir()
    (folder / "broken" / "model_index.json").write_text("{")
    (folder / "parser").mkdir()
    config = {"architectures": ["SegformerForSemanticSegmentation"]}
    (folder / "parser" / "config.json").write_text(json.dumps(config))
    return folder


def test_outside_of_comfyui_there_are_the_bundled_models():
    assert [all_sockets("ToileModels")[kind][0] for kind in ToileModels.WHAT] == [["tiny"]] * 4


def test_each_kind_shows_its_own_models(shelf):
    chosen = {kind: all_sockets("ToileModels")[kind][0] for kind in ToileModels.WHAT}
    assert chosen == {
        "igr": ["tiny", "my-igr"],
        "twgtm": ["tiny", "my-twgtm"],
        "anydressing": ["tiny", "my-anydressing"],
        "parser": ["tiny", "parser"],
    }


def test_the_models_that_were_chosen_are_named(shelf):
    graph = {"1": node("ToileModels", igr="my-igr", device="cpu", dtype="bfloat16")}
    (atelier,) = run(graph)["1"]
    assert atelier.models.igr == str(shelf / "my-igr")
    assert (atelier.models.twgtm, atelier.models.dtype, atelier.kept.most) == ("tiny", "bfloat16", KEPT)
    assert atelier.canvas("igr") == (64, 32)


def test_the_device_is_comfyui_s_unless_another_is_chosen(host):
    host.device = "cuda:1"
    assert run({"1": node("ToileModels")})["1"][0].models.device == "cuda:1"
    assert run({"1": node("ToileModels", device="mps")})["1"][0].models.device == "mps"


def test_outside_of_comfyui_the_device_is_found():
    assert run({"1": node("ToileModels")})["1"][0].models.device == "auto"


def test_a_model_that_has_gone_is_said(shelf):
    (shelf / "my-igr").unlink()
    with pytest.raises(ToileError, match="there is no model 'my-igr' for igr in models/toile; choose tiny"):
        found_model("igr", "my-igr")


def test_a_model_that_was_written_anew_is_loaded_again(shelf, model_folders):
    shutil.copytree(model_folders["igr"], shelf / "own")
    chosen = {"igr": "own", "twgtm": "tiny", "anydressing": "tiny", "parser": "tiny"}
    before = ToileModels.IS_CHANGED(**chosen, device="cpu", dtype="float32")
    assert ToileModels.IS_CHANGED(**chosen, device="cpu", dtype="float32") == before
    os.utime(shelf / "own" / "unet" / "config.json", (2**31, 2**31))
    assert ToileModels.IS_CHANGED(**chosen, device="cpu", dtype="float32") != before


def test_the_bundled_models_stay_as_they_are():
    assert last_written("tiny") == "tiny"


def test_the_first_of_two_folders_of_one_name_counts(shelf, tmp_path, host):
    import sys

    other = tmp_path / "elsewhere"
    (other / "my-igr").mkdir(parents=True)
    (other / "my-igr" / "model_index.json").write_text(json.dumps({"_class_name": "IGRPipeline"}))
    (other / "further").symlink_to(shelf / "my-igr")
    sys.modules["folder_paths"].add_model_folder_path("toile", str(host.folder / "toile"))
    sys.modules["folder_paths"].add_model_folder_path("toile", str(other))
    assert models_of("igr") == {
        "tiny": "tiny",
        "my-igr": str(shelf / "my-igr"),
        "further": str(other / "further"),
    }
