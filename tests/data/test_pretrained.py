import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tests.data.small_networks import segformer
from transformers import SegformerForSemanticSegmentation

from toile.data.pretrained import Processor, load_pretrained, read_config, read_processor
from toile.errors import ToileError

WHAT = "parser"


def processor_of(folder: Path, numbers: object) -> Processor:
    (folder / "preprocessor_config.json").write_text(json.dumps(numbers))
    return read_processor(str(folder), (8, 8))


def test_published_numbers_are_read(tmp_path: Path) -> None:
    found = processor_of(
        tmp_path,
        {"size": {"height": 5, "width": 4}, "image_mean": [0.1, 0.2, 0.3], "do_pad": True, "resample": 3},
    )
    assert (found.size, found.pads, found.mean, found.resample) == ((5, 4), True, (0.1, 0.2, 0.3), 3)
    assert processor_of(tmp_path, {"size": 512}).size == (512, 512)  # as older checkpoints wrote it
    plain = processor_of(tmp_path, {"do_normalize": False})
    assert (plain.size, plain.mean, plain.deviation) == ((8, 8), (0, 0, 0), (1, 1, 1))


def test_without_a_processor_the_defaults_hold(tmp_path: Path) -> None:
    assert read_processor(str(tmp_path), (8, 6)) == Processor(size=(8, 6), mean=(0.485, 0.456, 0.406))


@pytest.mark.parametrize("numbers", [{"size": {"shortest_edge": 3}}, {"size": 3, "image_mean": [0.5]}])
def test_unusable_numbers(tmp_path: Path, numbers: object) -> None:
    with pytest.raises(ToileError, match="numbers that cannot be used"):
        processor_of(tmp_path, numbers)


def test_pixels_are_normalised_channels_first() -> None:
    pixels = Processor(size=(2, 3), mean=(0.5, 0, 0), deviation=(0.5, 1, 1)).pixels(
        [Image.new("RGB", (3, 2), (255, 51, 0))]
    )
    assert pixels.shape == (1, 3, 2, 3)
    np.testing.assert_allclose(pixels[0, :, 0, 0], [1, 0.2, 0], atol=1e-6)


def test_missing_weights_are_noticed(tmp_path: Path) -> None:
    segformer(tmp_path)
    load_pretrained(SegformerForSemanticSegmentation, tmp_path, WHAT)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["decode_head.classifier.bias"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        ToileError, match=r"1 weights are missing from its files, decode_head\.classifier\.bias"
    ):
        load_pretrained(SegformerForSemanticSegmentation, tmp_path, WHAT)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    model = segformer(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ToileError, match="cannot be loaded"):
        load_pretrained(SegformerForSemanticSegmentation, tmp_path, WHAT)


def test_damage_and_absence_are_one_line(tmp_path: Path) -> None:
    segformer(tmp_path / "a")
    (tmp_path / "a" / "model.safetensors").write_bytes(b"torn")
    (tmp_path / "b").mkdir()
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "config.json").write_text("{")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "config.json").write_text('{"model_type": "vit", "num_attention_heads": [1, 2]}')
    cases = {
        tmp_path / "b": "no config.json",
        tmp_path / "c": "cannot be loaded",
        tmp_path / "d": "cannot be loaded",
        "nowhere": "no such folder",
        "nobody/nothing": "cannot be loaded",
    }
    for name, message in cases.items():
        with pytest.raises(ToileError, match=message) as caught:
            read_config(name, WHAT)
        assert "\n" not in str(caught.value)
    with pytest.raises(ToileError, match="cannot be loaded") as caught:
        load_pretrained(SegformerForSemanticSegmentation, tmp_path / "a", WHAT)
    assert "\n" not in str(caught.value)
