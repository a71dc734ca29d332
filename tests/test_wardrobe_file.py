import pytest
import torch
from PIL import Image

from toile.errors import ToileError
from toile.wardrobe import GarmentFeatures
from toile.wardrobe_file import features_digest, read_header, write_outfit

ABOUT = {"system": "igr", "model": "", "added": "2025-01-02T03:04:05+00:00"}


def features(seed: int = 0) -> GarmentFeatures:
    draw = torch.Generator().manual_seed(seed)
    states = {name: torch.randn(2, 3, 4, generator=draw) for name in ("a", "b")}
    return GarmentFeatures(hidden_states=states, categories=("upper", "hat"))


def test_a_header_tells_what_was_written(tmp_path):
    path, made = tmp_path / "x.safetensors", features()
    pictures = [Image.new("RGB", (30, 40), color) for color in ("red", "blue")]
    write_outfit(path, made, pictures=pictures, weights="abc", about=ABOUT)
    header = read_header(path, "x")
    outfit = header.outfit
    assert (outfit.name, outfit.categories, outfit.weights) == ("x", ("upper", "hat"), "abc")
    assert {key: getattr(outfit, key) for key in ABOUT} == ABOUT
    assert (outfit.dtype, outfit.size, outfit.made_by) == ("float32", path.stat().st_size, "igr float32")
    assert outfit.digest == features_digest(GarmentFeatures.load(path, "abc"))
    assert [picture.tobytes() for picture in header.pictures] == [picture.tobytes() for picture in pictures]
    assert [file.name for file in tmp_path.iterdir()] == ["x.safetensors"]


def test_a_digest_follows_names_shapes_numbers_and_every_bit():
    made = features()
    assert features_digest(made) == features_digest(features())
    changed = features()
    changed.hidden_states["b"].view(torch.int32)[1, 2, 3] ^= 1
    renamed = GarmentFeatures(hidden_states={name + "c": t for name, t in made.hidden_states.items()})
    shaped = GarmentFeatures(hidden_states={name: t.mT for name, t in made.hidden_states.items()})
    others = [changed, renamed, shaped, made.to(dtype=torch.float64), features(1)]
    assert len({features_digest(one) for one in (made, *others)}) == 6


def test_a_file_with_too_few_pictures_is_damaged(tmp_path):
    path = tmp_path / "x.safetensors"
    write_outfit(path, features(), pictures=[Image.new("RGB", (3, 4))], weights="abc", about=ABOUT)
    with pytest.raises(ToileError, match="1 pictures of 2 garments"):
        read_header(path, "x")


def test_a_file_that_is_not_there_is_not_damaged(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_header(tmp_path / "x.safetensors", "x")
