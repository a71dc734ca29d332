import pytest
import torch

from toile.errors import ToileError
from toile.tasks.models import Models, check_dtype, enough_memory, found_device, load_pipeline


def test_the_model_of_each_system():
    models = Models(igr="a", twgtm="b")
    assert [models.of(system) for system in ("igr", "twgtm", "anydressing")] == ["a", "b", "tiny"]


@pytest.mark.parametrize("system", ["igr", "twgtm", "anydressing"])
def test_each_system_is_loaded_in_the_kind_of_number_asked_for(request, system):
    folder = request.getfixturevalue(f"{system}_folder")
    pipeline = load_pipeline(system, str(folder), device="cpu", dtype="bfloat16")
    assert pipeline.system == system and pipeline.unet.dtype == torch.bfloat16


def test_what_is_not_there(igr_folder):
    with pytest.raises(ToileError, match="holds a IGRPipeline; a folder saved from TWGTMPipeline"):
        load_pipeline("twgtm", str(igr_folder), device="cpu")
    with pytest.raises(ToileError, match="device 'toaster' cannot be used"):
        load_pipeline("igr", str(igr_folder), device="toaster")
    with pytest.raises(ToileError, match="dtype 'int8'"):
        check_dtype("int8")
    assert found_device("cpu") == "cpu"


def test_too_little_memory_is_said_with_what_to_lower():
    with pytest.raises(ToileError, match="4 photos at once at 64×32; lower the batch or the size"):  # noqa: SIM117
        with enough_memory(4, (64, 32)):
            raise torch.OutOfMemoryError("no")
    with pytest.raises(ToileError, match="for 64×32; lower the size"), enough_memory(1, (64, 32)):
        raise torch.OutOfMemoryError("no")
