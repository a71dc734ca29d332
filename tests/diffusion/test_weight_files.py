from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tests.small_models import small_unet

from toile.diffusion.weight_files import WeightFiles
from toile.errors import ToileError


def assert_equal(files: WeightFiles, state: dict[str, torch.Tensor]) -> None:
    assert set(files) == set(state)
    assert len(files) == len(state)
    assert all(torch.equal(files[name], value) for name, value in state.items())


@pytest.mark.parametrize("options", [{}, {"max_shard_size": "40KB"}], ids=["one file", "sharded"])
def test_reads_what_diffusers_wrote(tmp_path: Path, options: dict[str, str]) -> None:
    unet = small_unet()
    unet.save_pretrained(tmp_path, **options)
    assert (len(list(tmp_path.glob("*.safetensors"))) > 1) == bool(options)
    assert_equal(WeightFiles(tmp_path), dict(unet.state_dict()))


def test_the_plain_weights_are_preferred_to_a_variant(tmp_path: Path) -> None:
    unet = small_unet()
    unet.half().save_pretrained(tmp_path, variant="fp16")
    only = WeightFiles(tmp_path)
    assert {value.dtype for value in only.values()} == {torch.float16}
    unet.float().save_pretrained(tmp_path)
    assert_equal(WeightFiles(tmp_path), dict(unet.state_dict()))


def test_a_sharded_variant_is_read(tmp_path: Path) -> None:
    unet = small_unet()
    unet.save_pretrained(tmp_path, variant="fp16", max_shard_size="40KB")
    assert_equal(WeightFiles(tmp_path), dict(unet.state_dict()))
    unet.save_pretrained(tmp_path, max_shard_size="60KB")
    assert_equal(WeightFiles(tmp_path), dict(unet.state_dict()))


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="no folder"):
        WeightFiles(tmp_path / "unet")
    with pytest.raises(ToileError, match=r"no \.safetensors"):
        WeightFiles(tmp_path)
    for name in ("a", "b"):
        save_file({"x": torch.ones(1)}, tmp_path / f"{name}.safetensors")
    with pytest.raises(ToileError, match=r"several weights \(a.safetensors, b.safetensors\)"):
        WeightFiles(tmp_path)


def test_damaged_files_are_said(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"no header")
    with pytest.raises(ToileError, match="damaged"):
        WeightFiles(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    index = tmp_path / "model.safetensors.index.json"
    for content in ("[]", "{", '{"weight_map": [1]}'):
        index.write_text(content)
        with pytest.raises(ToileError, match=r"index.json is damaged"):
            WeightFiles(tmp_path)
    index.write_text('{"weight_map": {"x": "../model-1.safetensors"}}')
    with pytest.raises(ToileError, match=r"names model-1.safetensors, which is not there"):
        WeightFiles(tmp_path)


def test_a_file_that_vanishes_later_is_said(tmp_path: Path) -> None:
    save_file({"x": torch.ones(1)}, tmp_path / "model.safetensors")
    files = WeightFiles(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ToileError, match=r"model.safetensors is damaged"):
        files["x"]
