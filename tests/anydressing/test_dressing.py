import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from tests.anydressing.small_anydressing import relative, small_anydressing
from tests.anydressing.small_pipeline import SIZE, small_pipeline

from toile.anydressing.dressing import AnyDressing
from toile.anydressing.pipeline import AnyDressingPipeline
from toile.diffusion.noise import item_generators
from toile.errors import ToileError
from toile.wardrobe import GarmentFeatures


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("anydressing")
    small_pipeline().save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def dressing(folder) -> AnyDressing:
    return AnyDressing.from_pretrained(folder)


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    random = np.random.default_rng(0)
    shapes = [(64, 32), (50, 80), (90, 30)]
    return [Image.fromarray(random.integers(0, 256, (*shape, 3), dtype=np.uint8)) for shape in shapes]


def stock(folder: Path, **options) -> StableDiffusionPipeline:
    """The unmodified pipeline of diffusers, around the same base model."""
    parts = AnyDressingPipeline.from_pretrained(folder, **options).components
    own = AnyDressingPipeline.trained_parts
    plain = StableDiffusionPipeline(
        **{name: part for name, part in parts.items() if name not in own}, requires_safety_checker=False
    )
    plain.set_progress_bar_config(disable=True)
    return plain


def draw(pipe, wardrobe=None, seed=0):
    arguments = {} if wardrobe is None else {"cross_attention_kwargs": {"wardrobe": wardrobe}}
    return pipe(
        "a woman in a park",
        height=SIZE[0],
        width=SIZE[1],
        num_inference_steps=2,
        guidance_scale=6.0,
        generator=item_generators([seed]),
        output_type="latent",
        **arguments,
    ).images


def same(first, second) -> bool:
    """Whether two wardrobes hold the same, up to rounding."""
    assert first.layers.keys() == second.layers.keys()
    assert (first.rows, first.categories) == (second.rows, second.categories)
    return all(
        relative(getattr(layer, part), getattr(second.layers[name], part)) <= 1e-5
        for name, layer in first.layers.items()
        for part in ("key", "value", "scale")
    )


def test_it_is_a_plug_in_for_a_stock_pipeline(folder, dressing, pictures):
    pipe = stock(folder)
    before = draw(pipe)
    wardrobe = dressing.wardrobe(upper=pictures[0], lower=pictures[1])
    dressing.install(pipe)
    worn = draw(pipe, wardrobe)
    assert (worn - before).abs().max() > 1e-3
    assert torch.equal(draw(pipe), before)
    assert torch.equal(draw(pipe, dressing.wardrobe(scale=0.0, upper=pictures[0])), before)
    own = AnyDressingPipeline.from_pretrained(folder)
    outfit = {"upper": pictures[0], "lower": pictures[1]}
    made = own(
        "a woman in a park",
        outfit,
        num_inference_steps=2,
        generator=item_generators([0]),
        output_type="latent",
    )
    torch.testing.assert_close(made.images, worn, rtol=0, atol=1e-4)
    dressing.uninstall(pipe)
    assert torch.equal(draw(pipe), before)


def test_a_wardrobe_is_of_one_person(dressing, pictures):
    wardrobe = dressing.wardrobe(upper=[pictures[0], pictures[1]], hat=pictures[2])
    assert wardrobe.rows == ((0, 1, 2),) and wardrobe.per_picture
    assert wardrobe.categories == ("upper", "upper", "hat")
    assert dressing.kinds == ("upper", "lower", "hat")
    assert {round(layer.scale.item(), 6) for layer in wardrobe.layers.values()} == {0.7}


def test_garments_one_by_one_make_the_same_outfit(dressing, pictures):
    features = [dressing.features("upper", pictures[0]), dressing.features("hat", pictures[2])]
    assert [one.categories for one in features] == [("upper",), ("hat",)]
    together = dressing.wardrobe(scale=0.4, weights={"hat": 0.5}, upper=pictures[0], hat=pictures[2])
    assert same(dressing.outfit(features, scale=0.4, weights={"hat": 0.5}), together)
    assert not same(dressing.outfit(features, scale=0.4), together)


def test_a_kind_has_its_own_eyes(dressing, pictures):
    upper, lower = (dressing.features(kind, pictures[0]) for kind in ("upper", "lower"))
    first, *later = upper.hidden_states
    assert torch.equal(upper.hidden_states[first], lower.hidden_states[first])
    assert any(relative(upper.hidden_states[path], lower.hidden_states[path]) > 1e-3 for path in later)


def test_features_are_kept_and_worn_without_a_garment_network(dressing, pictures, tmp_path):
    dressing.features("upper", pictures[0]).save(tmp_path / "shirt.safetensors", dressing.weights_hash())
    passes = []
    hook = dressing.garments_net.register_forward_hook(lambda *_: passes.append(1))
    loaded = GarmentFeatures.load(tmp_path / "shirt.safetensors", dressing.weights_hash())
    again = dressing.outfit([loaded])
    assert passes == []
    assert same(again, dressing.wardrobe(upper=pictures[0])) and passes == [1]
    hook.remove()


def test_the_hash_is_garments_net_s(folder, dressing, tmp_path):
    assert AnyDressing.from_pretrained(folder).weights_hash() == dressing.weights_hash()
    other = small_pipeline(small_anydressing("full"))
    with torch.no_grad():
        next(other.garments_net.parameters()).add_(1)
    assert other.dressing.weights_hash() != dressing.weights_hash()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_kinds_of_number(folder, pictures, dtype):
    halved = AnyDressing.from_pretrained(folder, dtype=dtype)
    wardrobe = halved.wardrobe(upper=pictures[0])
    assert {layer.key.dtype for layer in wardrobe.layers.values()} == {dtype}
    pipe = stock(folder, torch_dtype=dtype)
    halved.install(pipe)
    assert draw(pipe, wardrobe).isfinite().all()


def test_the_size_is_the_model_s(folder, dressing, pictures, tmp_path):
    assert dressing.size == SIZE
    tokens = {layer.key.shape[1] for layer in dressing.wardrobe(upper=pictures[0]).layers.values()}
    assert tokens == {8 * 4, 4 * 2, 2 * 1}
    copy = shutil.copytree(folder, tmp_path / "model")
    index = json.loads((copy / "model_index.json").read_text())
    (copy / "model_index.json").write_text(json.dumps(index | {"size": None}))
    assert AnyDressing.from_pretrained(copy).size == (64, 64)  # eight latent pixels each way


def test_tiny_takes_the_vae_from_the_base(folder, dressing, pictures, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "anydressing")
    (tmp_path / "base").mkdir()
    for part in AnyDressingPipeline.shared_parts:
        (tmp_path / "anydressing" / part).rename(tmp_path / "base" / part)
    monkeypatch.setattr("toile.bundled.weights_folder", lambda: tmp_path)
    tiny = AnyDressing.from_pretrained("tiny")
    assert same(tiny.wardrobe(upper=pictures[0]), dressing.wardrobe(upper=pictures[0]))


def test_what_makes_no_sense_is_refused(dressing, pictures, tmp_path, igr_folder):
    with pytest.raises(ToileError, match=r"'shoe' is unknown.*upper, lower, hat"):
        dressing.wardrobe(shoe=pictures[0])
    with pytest.raises(ToileError, match="nothing to wear"):
        dressing.wardrobe()
    with pytest.raises(ToileError, match="'hat'"):
        dressing.wardrobe(upper=pictures[0], weights={"hat": 1.0})
    with pytest.raises(ToileError):
        dressing.outfit([])
    with pytest.raises(ToileError, match="no such folder"):
        AnyDressing.from_pretrained("tinny")
    with pytest.raises(ToileError, match="IGRPipeline"):
        AnyDressing.from_pretrained(igr_folder)
    with pytest.raises(ToileError, match="does not fit"):
        dressing.install(_other_pipeline())


def _other_pipeline() -> StableDiffusionPipeline:
    """A pipeline whose U-Net has more layers."""
    from tests.small_models import small_unet

    pipe = small_pipeline()
    pipe.unet = small_unet(layers=2)
    return pipe


@pytest.mark.parametrize("part", ["garments_net", "dressing_attention", "vae"])
def test_damaged_weights(folder, tmp_path, part):
    copy = shutil.copytree(folder, tmp_path / "model")
    (copy / part / "diffusion_pytorch_model.safetensors").write_bytes(b"no")
    with pytest.raises(ToileError, match=f"cannot load {part}") as error:
        AnyDressing.from_pretrained(copy)
    assert "\n" not in str(error.value)
