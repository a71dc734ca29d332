from pathlib import Path

import pytest
import torch
from tests.training.small_task import SmallModel
from torch import nn

from toile.errors import ToileError
from toile.training.checkpoint import (
    Checkpoint,
    list_checkpoints,
    load_checkpoint,
    load_model_tensors,
    load_optimizer_tensors,
    model_tensors,
    newest_checkpoint,
    optimizer_tensors,
    save_checkpoint,
)


def _checkpoint(step: int, model: nn.Module | None = None) -> Checkpoint:
    return Checkpoint(step=step, model=model_tensors(model or SmallModel()), average={}, optimizer={})


def test_a_round_trip_keeps_every_bit(tmp_path: Path) -> None:
    model = SmallModel()
    checkpoint = Checkpoint(
        step=7,
        model=model_tensors(model),
        average={"conv.weight": torch.randn(4, 1, 3)},
        optimizer={"conv.weight/step": torch.tensor(7.0)},
        scaler={"scale": 65536.0, "_growth_tracker": 3},
    )
    loaded = load_checkpoint(save_checkpoint(tmp_path, checkpoint, keep=1))
    assert (loaded.step, loaded.scaler) == (7, checkpoint.scaler)
    for part in ("model", "average", "optimizer"):
        before, after = getattr(checkpoint, part), getattr(loaded, part)
        assert before.keys() == after.keys()
        assert all(torch.equal(before[name], after[name]) for name in before)


def test_only_the_newest_are_kept_in_order(tmp_path: Path) -> None:
    for step in (5, 90, 100, 1000):
        save_checkpoint(tmp_path, _checkpoint(step), keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step_00000100", "step_00001000"]
    assert newest_checkpoint(tmp_path) == tmp_path / "step_00001000"


def test_an_unfinished_one_is_not_seen_and_is_removed(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, _checkpoint(1), keep=2)
    (tmp_path / ".step_00000002.unfinished").mkdir()
    (tmp_path / ".step_00000002.unfinished/model.safetensors").touch()
    assert newest_checkpoint(tmp_path) == tmp_path / "step_00000001"
    assert [path.name for path in tmp_path.iterdir()] == ["step_00000001"]


def test_an_error_while_writing_leaves_nothing(tmp_path: Path) -> None:
    bad = Checkpoint(step=3, model={}, average={}, optimizer={}, scaler={"scale": object()})
    with pytest.raises(TypeError):
        save_checkpoint(tmp_path, bad, keep=2)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, _checkpoint(1), keep=2)
    file = path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(ToileError, match="step_00000001 cannot be read"):
        load_checkpoint(path)


def test_frozen_weights_stay_out_and_tied_weights_come_once() -> None:
    model = SmallModel()
    model.body[3].weight = model.tied = nn.Parameter(torch.randn(6, 32))
    names = model_tensors(model).keys()
    assert {"frozen.weight", "frozen.bias"}.isdisjoint(names)
    assert "seen" in names
    assert len({"tied", "body.3.weight"} & names) == 1


def test_another_model_is_refused_before_anything_is_written_into_it() -> None:
    model, tensors = SmallModel(), model_tensors(SmallModel(wide=7))
    with pytest.raises(ToileError, match="'wide'"):
        load_model_tensors(model, tensors)
    with pytest.raises(ToileError, match=r"'conv\.bias'"):
        load_model_tensors(
            model, {name: t for name, t in model_tensors(model).items() if name != "conv.bias"}
        )


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("fused", [False, True])
def test_an_optimiser_continues_bit_for_bit(
    tmp_path: Path, fused: bool, memory_format: torch.memory_format
) -> None:
    def build() -> tuple[nn.Module, torch.optim.AdamW]:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(4, 8, 3), nn.SiLU(), nn.Conv2d(8, 4, 3)).to(
            memory_format=memory_format
        )
        return model, torch.optim.AdamW(model.parameters(), lr=0.1, fused=fused)

    def advance(model: nn.Module, optimizer: torch.optim.AdamW, step: int) -> None:
        picture = torch.randn(2, 4, 9, 9, generator=torch.Generator().manual_seed(step))
        model(picture).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()

    model, optimizer = build()
    for step in range(6):
        if step == 3:
            moments = optimizer_tensors([optimizer], dict(model.named_parameters()))
            checkpoint = Checkpoint(step=3, model=model_tensors(model), average={}, optimizer=moments)
            path = save_checkpoint(tmp_path, checkpoint, keep=1)
        advance(model, optimizer, step)

    resumed, its_optimizer = build()
    loaded = load_checkpoint(path)
    load_model_tensors(resumed, loaded.model)
    load_optimizer_tensors([its_optimizer], dict(resumed.named_parameters()), loaded.optimizer)
    for step in range(3, 6):
        advance(resumed, its_optimizer, step)
    for name, tensor in model.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], tensor), name
    assert list_checkpoints(tmp_path) == [path]
