import json
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from PIL import Image
from safetensors.torch import save_file
from tests.anydressing.stock_pipelines import FACE, ip_adapter_file, lora_file, shake
from tests.cli.runs import nothing_in

from toile.cli.dress_extensions import read_embedding, weight_file
from toile.errors import ToileError


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(int)


def told(path: Path) -> dict:
    with Image.open(path) as picture:
        return json.loads(picture.text["toile"])


@pytest.fixture(scope="module")
def published(tmp_path_factory, request) -> Path:
    """A ControlNet, LoRAs and IP-Adapters for the small random model, as others publish them."""
    folder = tmp_path_factory.mktemp("published")
    unet = UNet2DConditionModel.from_pretrained(request.getfixturevalue("anydressing_folder") / "unet")
    controlnet = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(4, 4, 8, 8))
    shake(controlnet)
    controlnet.save_pretrained(folder / "controlnet")
    lora_file(folder / "one.safetensors", "diffusers")
    lora_file(folder / "two.safetensors", "kohya", seed=1)
    ip_adapter_file(folder / "adapter.safetensors")
    ip_adapter_file(folder / "faceid.safetensors", face=True)
    np.save(folder / "face.npy", np.random.default_rng(0).normal(size=FACE).astype(np.float32))
    save_file({"face": torch.randn(2, FACE)}, folder / "faces.safetensors")
    return folder


def test_a_pose_a_face_and_loras(dress, published, noise_file, tmp_path):
    pose, face = noise_file("pose.png", 5), noise_file("face.png", 6)
    posed = ["--pose", pose, "--controlnet", published / "controlnet"]
    seen = ["--face", face, "--face-adapter", published / "adapter.safetensors"]
    known = ["--face", published / "face.npy", "--face-adapter", published / "faceid.safetensors"]
    lora = ["--lora", published / "one.safetensors"]
    ways = {
        "plain": [],
        "pose": posed,
        "no pose": [*posed, "--pose-scale", 0],
        "face": seen,
        "no face": [*seen, "--face-scale", 0],
        "faceid": known,
        "several": [*known[:1], published / "faces.safetensors", *known[2:]],
        "lora": lora,
        "weighed": ["--lora", f"{lora[1]}:0.3"],
        "no lora": ["--lora", f"{lora[1]}:0"],
        "two": [*lora, "--lora", published / "two.safetensors"],
        "all": [*posed, *known, *lora],
        "unguided": [*posed, *known, *lora, "--guidance", 1],
    }
    found = {}
    for name, options in ways.items():
        done = dress("-o", tmp_path / "out" / f"{name}.png", *options)
        assert (done.code, done.said) == (0, []), (name, done.errors)
        found[name] = pixels(tmp_path / "out" / f"{name}.png")
    for first in ways:
        for second in list(ways)[list(ways).index(first) + 1 :]:
            alike = {first, second} <= {"plain", "no pose", "no face", "no lora"}
            assert (abs(found[first] - found[second]).max() <= 1) == alike, (first, second)
    data = told(tmp_path / "out" / "all.png")
    assert (data["pose"], data["face"], data["lora"]) == ("pose.png", "face.npy", [str(lora[1])])


def test_extensions_that_do_not_fit(dress, published, noise_file, tmp_path):
    face, out = noise_file("face.png", 6), ("-o", tmp_path / "out" / "a.png")
    faceid, plain = published / "faceid.safetensors", published / "adapter.safetensors"
    np.save(tmp_path / "wrong.npy", np.zeros(3, np.float32))
    (tmp_path / "broken.safetensors").write_bytes(b"no")
    save_file({"a.lora_A.weight": torch.zeros(2, 3)}, tmp_path / "other.safetensors")
    for options, message in {
        ("--face", face, "--face-adapter", faceid): "is a FaceID",
        ("--face", tmp_path / "wrong.npy", "--face-adapter", faceid): "the face cannot be used",
        ("--face", face, "--face-adapter", tmp_path / "broken.safetensors"): "cannot be used",
        ("--face", tmp_path / "broken.safetensors", "--face-adapter", plain): "cannot be read",
        ("--face", face, "--face-adapter", plain, "--face-encoder", tmp_path): "is empty",
        ("--lora", tmp_path / "broken.safetensors"): "cannot be used",
        ("--lora", tmp_path / "other.safetensors"): "cannot be used",
        ("--pose", face, "--controlnet", tmp_path / "none"): "there is no folder",
    }.items():
        assert message in dress(*out, *options).error, options
    assert nothing_in(tmp_path / "out")


def test_files_here_and_on_the_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loras").mkdir()
    (tmp_path / "loras" / "style.safetensors").touch()
    assert weight_file("loras/style.safetensors", "lora") == ("loras", "", "style.safetensors")
    assert weight_file("me/styles/a/b.safetensors", "lora") == ("me/styles", "a", "b.safetensors")
    assert weight_file("me/styles/b.safetensors", "lora") == ("me/styles", "", "b.safetensors")
    for gone in ("loras/old/style.safetensors", "./me/styles/b.safetensors", "/me/styles/b.safetensors"):
        with pytest.raises(ToileError, match="does not exist"):
            weight_file(gone, "lora")


def test_an_embedding_is_never_unpickled(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "whole.npy", np.arange(4))
    np.save(tmp_path / "half.npy", np.ones((2, 3), np.float16))
    for name in ("objects", "whole", "gone"):
        with pytest.raises(ToileError):
            read_embedding(tmp_path / f"{name}.npy")
    assert torch.equal(read_embedding(tmp_path / "half.npy"), torch.ones(2, 3))
