from dataclasses import replace

import pytest
import torch
from torch import nn

from toile.errors import ToileError
from toile.wardrobe import GarmentFeatures, Wardrobe, WardrobeLayer, hash_weights


def wardrobe(items: int = 3, seed: int = 0) -> Wardrobe:
    generator = torch.Generator().manual_seed(seed)
    draw = [torch.randn(items, 5, 8, generator=generator) for _ in range(4)]
    layers = {
        "a.attn1": WardrobeLayer(key=draw[0], value=draw[1], mode="joint"),
        "a.attn2": WardrobeLayer(key=draw[2], value=draw[3], mode="added", scale=torch.tensor(0.5)),
    }
    return Wardrobe(layers=layers, rows=tuple(range(items)), categories=("upper", "lower", "dress")[:items])


@pytest.mark.parametrize(
    ("rows", "runs"),
    [
        ((-1, -1, 0, 1), [(0, 2, None), (2, 4, (0, 2))]),
        ((0, 1, 2), [(0, 3, (0, 3))]),
        ((1, 1, 1), [(0, 3, (1, 2))]),
        ((2, 0, 1, -1), [(0, 1, (2, 3)), (1, 3, (0, 2)), (3, 4, None)]),
        ((0, 0, 1), [(0, 2, (0, 1)), (2, 3, (1, 2))]),
        ((), []),
    ],
)
def test_rows_are_served_in_few_runs(rows, runs):
    found = wardrobe().for_rows(rows).runs
    as_tuples = [
        (run.rows.start, run.rows.stop, None if run.items is None else (run.items.start, run.items.stop))
        for run in found
    ]
    assert as_tuples == runs


def test_a_row_cannot_own_what_is_not_there():
    with pytest.raises(ToileError, match="item 3"):
        wardrobe().for_rows([0, 3])
    with pytest.raises(ToileError, match="item 7"):
        wardrobe().select([7])


def test_stacking_what_was_selected_gives_the_whole_again():
    whole = wardrobe()
    again = Wardrobe.stack([whole.select([0]), whole.select([1, 2])])
    assert again.categories == whole.categories
    assert again.rows == (0, 1, 2)
    for name, layer in whole.layers.items():
        assert torch.equal(layer.key, again.layers[name].key)
        assert torch.equal(layer.value, again.layers[name].value)


def test_wardrobes_of_different_models_are_not_stacked():
    first, second = wardrobe(), wardrobe()
    other = Wardrobe(layers={"b.attn1": second.layers["a.attn1"]}, rows=(0, 1, 2))
    with pytest.raises(ToileError, match="stacked"):
        Wardrobe.stack([first, other])


def test_to_changes_every_tensor():
    moved = wardrobe().to(dtype=torch.float64)
    for layer in moved.layers.values():
        assert layer.key.dtype == layer.value.dtype == torch.float64
    assert moved.layers["a.attn2"].scale.dtype == torch.float64


def test_a_wardrobe_survives_its_file(tmp_path):
    before = wardrobe().for_rows([-1, 2, 0])
    before.save(tmp_path / "w.safetensors", "abc")
    after = Wardrobe.load(tmp_path / "w.safetensors", "abc")
    assert (after.rows, after.categories) == (before.rows, before.categories)
    for name, layer in before.layers.items():
        assert after.layers[name].mode == layer.mode
        assert torch.equal(after.layers[name].key, layer.key)
        assert torch.equal(after.layers[name].value, layer.value)
    assert after.layers["a.attn2"].scale == 0.5
    assert [path.name for path in tmp_path.iterdir()] == ["w.safetensors"]


def test_features_survive_their_file_and_other_weights_refuse_it(tmp_path):
    features = GarmentFeatures(
        hidden_states={"a.attn1": torch.randn(2, 5, 8)},
        image_tokens=torch.randn(2, 4, 6),
        categories=("upper",) * 2,
    )
    path = tmp_path / "f.safetensors"
    features.save(path, "abc")
    again = GarmentFeatures.load(path, "abc")
    assert again.items == 2
    assert again.categories == features.categories
    assert torch.equal(again.hidden_states["a.attn1"], features.hidden_states["a.attn1"])
    assert torch.equal(again.image_tokens, features.image_tokens)
    with pytest.raises(ToileError, match="other weights"):
        GarmentFeatures.load(path, "def")
    with pytest.raises(ToileError, match="holds no wardrobe"):
        Wardrobe.load(path, "abc")


def test_unreadable_files_are_refused(tmp_path):
    with pytest.raises(ToileError, match="cannot read"):
        Wardrobe.load(tmp_path / "missing.safetensors", "abc")
    (tmp_path / "text.safetensors").write_text("not tensors")
    with pytest.raises(ToileError, match="cannot read"):
        GarmentFeatures.load(tmp_path / "text.safetensors", "abc")
    with pytest.raises(ToileError, match="cannot be written"):
        wardrobe().save(tmp_path / "text.safetensors" / "wardrobe.safetensors", "abc")


def test_hash_follows_the_weights_and_nothing_else():
    module = nn.Linear(3, 2).half()
    first = hash_weights(module)
    twin = nn.Linear(3, 2)
    twin.load_state_dict(module.state_dict())
    assert hash_weights(twin) == first  # half to float is exact
    with torch.no_grad():
        module.weight[0, 0] += 1
    assert hash_weights(module) != first


def test_outfits_are_stacked_with_their_rows():
    pair, three = wardrobe(2).for_rows([(0, 1)]), wardrobe(3).for_rows([(2, 0), -1])
    both = Wardrobe.stack([pair, three])
    assert both.rows == ((0, 1), (4, 2), -1)
    assert both.items == 5
    assert both.categories == ("upper", "lower", "upper", "lower", "dress")


def test_a_file_keeps_who_owns_what(tmp_path):
    kept = replace(wardrobe(3).for_rows([(0, 2), -1, 1]), per_picture=True)
    kept.save(tmp_path / "kept.safetensors", "weights")
    again = Wardrobe.load(tmp_path / "kept.safetensors", "weights")
    assert again.rows == ((0, 2), -1, 1)
    assert again.per_picture
    assert not again.for_rows([0]).per_picture


def test_lambda_is_one_for_all_and_a_garment_has_a_weight_of_its_own():
    own = wardrobe()
    scaled = own.with_scale(0.7, [1.0, 0.0, 2.0])
    assert (
        scaled.layers["a.attn1"] is own.layers["a.attn1"]
    )  # one softmax over both: there is nothing to scale
    before, after = own.layers["a.attn2"], scaled.layers["a.attn2"]
    assert after.scale is not None
    assert after.scale.item() == pytest.approx(0.7)
    assert torch.equal(after.key, before.key)
    assert torch.equal(after.value, before.value * torch.tensor([1.0, 0.0, 2.0])[:, None, None])
    with pytest.raises(ToileError, match="2 weights were given for 3 items"):
        own.with_scale(1, [1, 2])
