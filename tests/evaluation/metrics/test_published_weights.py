import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from toile.errors import ToileError
from toile.evaluation.metrics.published_weights import PublishedFile, load_into, read_tensors, take

PUBLISHED = PublishedFile(network="Net", source="https://example.org/net.pth")


class Harmful:
    def __reduce__(self):
        return (Path.touch, (Path("harm-done"),))


@pytest.mark.parametrize("name", ["net.safetensors", "net.pth", "net.pt"])
def test_tensors_are_read(tmp_path: Path, name: str) -> None:
    tensors = {"a": torch.arange(3.0), "b.c": torch.ones(2, 2)}
    (save_file if name.endswith("safetensors") else torch.save)(tensors, tmp_path / name)
    found = read_tensors(tmp_path / name, PUBLISHED)
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[key], tensors[key]) for key in tensors)


def test_a_missing_file_is_said_with_where_to_get_it(tmp_path: Path) -> None:
    for path, where in ((None, "no file was given"), (tmp_path / "net.pth", "there is no file")):
        with pytest.raises(ToileError) as found:
            read_tensors(path, PUBLISHED)
        assert where in str(found.value) and PUBLISHED.source in str(found.value)
        assert "\n" not in str(found.value)


@pytest.mark.parametrize("name", ["net.safetensors", "net.pth"])
@pytest.mark.parametrize("content", [b"", b"damaged", b"PK\x03\x04 cut short"])
def test_a_damaged_file_is_said_in_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ToileError, match="cannot be read as the weights of Net") as found:
        read_tensors(tmp_path / name, PUBLISHED)
    assert "\n" not in str(found.value)


def test_nothing_in_a_file_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"a": Harmful()}, "net.pth")
    Path("plain.pth").write_bytes(pickle.dumps({"a": Harmful()}))
    for name in ("net.pth", "plain.pth"):
        with pytest.raises(ToileError, match="cannot be read as the weights of Net"):
            read_tensors(Path(name), PUBLISHED)
    assert not Path("harm-done").exists()


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    torch.save({"epoch": 3, "a": torch.ones(1)}, tmp_path / "net.pth")
    with pytest.raises(ToileError, match="holds no named tensors"):
        read_tensors(tmp_path / "net.pth", PUBLISHED)


def test_half_precision_becomes_the_modules_own(tmp_path: Path) -> None:
    module = nn.Linear(2, 2)
    tensors = {"weight": torch.ones(2, 2).half(), "bias": torch.zeros(2).half(), "unused": torch.ones(1)}
    load_into(module, tensors, tmp_path, PUBLISHED)
    assert module.weight.dtype == torch.float32
    assert module(torch.ones(1, 2)).tolist() == [[2, 2]]


def test_one_tensor_of_another_shape_is_said(tmp_path: Path) -> None:
    with pytest.raises(ToileError, match=r"weight has the shape \(3,\)"):
        take({"weight": torch.ones(3)}, "weight", (2,), tmp_path, PUBLISHED)
