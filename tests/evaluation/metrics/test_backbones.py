import hashlib
from pathlib import Path

import pytest

from toile.errors import ToileError
from toile.evaluation.metrics.backbones import Backbones, weights_hash


def test_sources_by_name() -> None:
    backbones = Backbones(inception=Path("weights/inception.pth"))
    assert backbones.source("inception") == "weights/inception.pth"
    assert backbones.source("vgg16") is None
    assert backbones.source("dino") == "facebook/dino-vits16"
    with pytest.raises(ToileError, match="no backbone 'resnet'; there are inception, "):
        backbones.source("resnet")


def test_the_hash_of_a_file_is_its_sha256(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    path.write_bytes(b"weights")
    assert weights_hash(path) == hashlib.sha256(b"weights").hexdigest()


def test_the_hash_of_a_folder_follows_its_weights_alone(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "config.json").write_text("{}")
    before = weights_hash(tmp_path)
    (tmp_path / "config.json").write_text("{ }")
    assert weights_hash(tmp_path) == before
    (tmp_path / "model.safetensors").write_bytes(b"others")
    assert weights_hash(tmp_path) != before


def test_what_is_not_there_has_no_hash(tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="holds no weights"):
        weights_hash(tmp_path)
    for name in ("nobody/nothing", str(tmp_path / "none.pth")):
        with pytest.raises(ToileError, match="is no file or folder, and no hub name"):
            weights_hash(name)
