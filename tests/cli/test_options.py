from dataclasses import replace

import pytest
import torch

from toile.cli.options import IGR_OPTIONS, TWGTM_OPTIONS
from toile.errors import ToileError
from toile.tasks.drawing import LARGEST_SEED, Drawing


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"steps": 1001}, "steps is 1001"),
        ({"guidance": -1.0}, "guidance is -1"),
        ({"guidance": float("nan")}, "guidance is nan"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": LARGEST_SEED + 1}, "seed is 9223372036854775808"),
        ({"size": "big"}, "size 'big'"),
        ({"dtype": "int8"}, "dtype 'int8'"),
    ],
)
def test_bad_settings_are_refused_before_a_model_is_loaded(change, message):
    TWGTM_OPTIONS.check("dress")
    with pytest.raises(ToileError, match=message):
        replace(TWGTM_OPTIONS, **change).check("upper")


def test_an_unknown_category():
    with pytest.raises(ToileError, match="'shoe' is unknown; write one of upper, lower, dress"):
        IGR_OPTIONS.check("shoe")


@pytest.mark.parametrize(("system", "kind"), [("igr", "IGRPipeline"), ("twgtm", "TWGTMPipeline")])
def test_each_system_s_pipeline_is_loaded_in_the_kind_of_number_asked_for(
    igr_folder, twgtm_folder, system, kind
):
    folder = {"igr": igr_folder, "twgtm": twgtm_folder}[system]
    options = replace(IGR_OPTIONS, model=str(folder), device="cpu", dtype="bfloat16", size="96x64")
    pipeline = options.load(system)
    assert type(pipeline).__name__ == kind
    assert pipeline.unet.dtype == torch.bfloat16
    assert options.canvas(pipeline) == (96, 64)
    assert replace(options, size=None).canvas(pipeline) == (64, 32)
    with pytest.raises(ToileError, match="multiples of"):
        replace(options, size="100x100").canvas(pipeline)


def test_a_model_of_the_other_system_is_refused(igr_folder):
    with pytest.raises(ToileError, match="holds a IGRPipeline; a folder saved from TWGTMPipeline"):
        replace(TWGTM_OPTIONS, model=str(igr_folder), device="cpu").load("twgtm")


def test_a_device_that_is_not_there(igr_folder):
    with pytest.raises(ToileError, match="device 'toaster' cannot be used"):
        replace(IGR_OPTIONS, model=str(igr_folder), device="toaster").load("igr")


def test_what_a_call_and_a_picture_are_told(igr_folder):
    options = replace(IGR_OPTIONS, seed=7, size="96x64", model=str(igr_folder), device="cpu")
    assert options.drawing == Drawing(guidance=1.5, size=(96, 64))
    pipeline = options.load("igr")
    told = options.metadata(pipeline)
    assert (told["seed"], told["size"], told["steps"], told["model"]) == (7, [96, 64], 25, str(igr_folder))
    pipeline.register_to_config(num_inference_steps=4)
    assert [replace(options, steps=steps).metadata(pipeline)["steps"] for steps in (None, 2)] == [4, 2]
