import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.small_models import TEXT
from tests.twgtm.small_parts import CHANNELS, SWIN, references, small_spatial
from torch.nn import functional
from transformers import (
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    SwinBackbone,
    SwinConfig,
    SwinForImageClassification,
)

from toile.errors import ToileError
from toile.twgtm.spatial import PixelMap, SpatialRefinement, three_stages

STAGES = ["stage1", "stage2", "stage3"]


def queries(batch=2, seed=2):
    return torch.randn(batch, 5, TEXT, generator=torch.Generator().manual_seed(seed))


def pictures(batch=2, size=(64, 48)):
    return references(batch, size)["reference"]


def published_swin(folder, **numbers):
    """A classifier with four stages, as Swin is published."""
    torch.manual_seed(3)
    config = SwinConfig(**SWIN | {"depths": [2, 2, 2, 2], "num_heads": [1, 2, 4, 4]} | numbers)
    model = SwinForImageClassification(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(folder)


def load(folder):
    return SpatialRefinement.from_published(
        folder, query_dim=TEXT, level_channels=CHANNELS, dim=16, num_task_queries=4, num_heads=2
    ).eval()


@torch.no_grad()
def test_a_published_swin_sees_what_it_saw(tmp_path):
    published_swin(tmp_path)
    module, reference = load(tmp_path), pictures()
    original = SwinBackbone.from_pretrained(tmp_path, out_features=STAGES).eval()
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    normal = (((reference + 1) / 2).movedim(1, -1) - mean) / std  # of RGB in [0, 1], as Swin was trained

    expected = original(normal.movedim(-1, 1)).feature_maps
    found = module.features(reference)
    for features, project, scale in zip(expected, module.features.projections, found, strict=True):
        torch.testing.assert_close(project(features), scale, rtol=1e-4, atol=1e-4)
    assert isinstance(module.features.swin, SwinBackbone)
    assert len(module.features.swin.swin.encoder.layers) == 3


@torch.no_grad()
@pytest.mark.parametrize("size", [(64, 48), (56, 40), (72, 88)])
def test_features_and_tokens_fit_pictures_of_any_size(size):
    module = small_spatial()
    scales = module.features(pictures(size=size))
    height, width = size
    for index, scale in enumerate(scales):
        halved = [-(-side // (4 * 2**index)) for side in (height, width)]
        assert list(scale.shape) == [2, 16, *halved]

    found = module(pictures(size=size), queries())
    latent = [side // 8 for side in size]
    for index, (level, channels) in enumerate(zip(found.levels, CHANNELS, strict=True)):
        rows, columns = (-(-side // 2**index) for side in latent)
        assert tuple(level.shape) == (2, rows * columns, channels)
    assert found.silhouette(size).shape == (2, 1, *size)


@torch.no_grad()
def test_the_silhouette_is_the_last_units_and_does_without_the_decoder():
    module = small_spatial()
    found = module(pictures(), queries())
    silhouette = found.silhouette((64, 48))
    assert 0 <= silhouette.min() < silhouette.max() <= 1
    logits = found.silhouette_logits
    assert len(logits) == 2 and logits[-1].shape == (2, 1, 16, 12)
    assert torch.equal(found.silhouette((16, 12)), logits[-1].sigmoid())

    module.decoder.register_forward_hook(lambda *_: pytest.fail("the decoder ran"))
    alone = module(pictures(), queries(), decode=False)
    assert alone.levels == ()
    torch.testing.assert_close(alone.silhouette((64, 48)), silhouette)


def test_a_flat_silhouette_can_be_learned_anywhere_on_the_picture():
    torch.manual_seed(0)
    module = small_spatial().train()
    wanted = torch.zeros(2, 1, 16, 12)
    wanted[0, :, 2:8, 1:6] = 1
    wanted[1, :, 9:14, 4:11] = 1
    reference = torch.ones(2, 3, 64, 48) * torch.tensor([-0.8, 0.8])[:, None, None, None]  # plain pictures
    optimizer = torch.optim.Adam(module.parameters(), lr=3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        maps = module(reference, queries(), decode=False).silhouette_logits
        sum(functional.binary_cross_entropy_with_logits(logits, wanted) for logits in maps).backward()
        optimizer.step()
    drawn = module(reference, queries(), decode=False).silhouette((16, 12)) > 0.5
    overlap = (drawn & (wanted > 0)).sum() / (drawn | (wanted > 0)).sum()
    assert overlap > 0.9


@pytest.mark.parametrize("hard_masks", [False, True])
def test_gradients_reach_exactly_what_should_train(hard_masks):
    module = small_spatial(hard_masks=hard_masks).train()
    found = module(pictures(), queries())
    tensors = (*found.levels, *found.silhouette_logits)
    sum(tensor.square().sum() for tensor in tensors).backward()
    frozen = ["features.swin.swin.layernorm."] + ["taskformer.mask_space."] * hard_masks
    for name, parameter in module.named_parameters():
        if name.startswith(tuple(frozen)):
            assert not parameter.requires_grad and parameter.grad is None, name
        else:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 0 or name.endswith(("k_proj.bias", "to_k.bias")), name


@torch.no_grad()
def test_pixels_receive_the_coarser_scales_and_positions():
    torch.manual_seed(0)
    merge = PixelMap(16)
    scales = [torch.zeros(1, 16, 16, 12), torch.zeros(1, 16, 8, 6), torch.zeros(1, 16, 4, 3)]
    before = merge(scales)
    inside = before[0, :, 2:-2, 2:-2].flatten(1).mT
    assert (torch.cdist(inside, inside) + torch.eye(len(inside))).min() > 1e-3
    for index in range(3):
        changed = [scale + (1 if index == place else 0) for place, scale in enumerate(scales)]
        changed[index][..., 0, 0] = 5
        assert (merge(changed) - before).abs().max() > 0.1


@torch.no_grad()
def test_both_the_picture_and_the_queries_matter():
    module = small_spatial()
    found = module(pictures(), queries())
    for other in (module(-pictures(), queries()), module(pictures(), queries(seed=9))):
        for level, changed in zip(found.levels, other.levels, strict=True):
            assert (level - changed).abs().max() > 1e-3


@torch.no_grad()
def test_references_are_seen_alike_in_any_batch():
    module = small_spatial()
    together = module(pictures(3), queries(3))
    for row in range(3):
        alone = module(pictures(3)[row : row + 1], queries(3)[row : row + 1])
        tensors = (*alone.levels, *alone.silhouette_logits)
        for found, several in zip(tensors, (*together.levels, *together.silhouette_logits), strict=True):
            torch.testing.assert_close(found[0], several[row], rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_training_does_not_draw_anything():
    module = small_spatial()
    found = [model(pictures(), queries()).levels for model in (module.train(), module.eval())]
    assert all(torch.equal(*pair) for pair in zip(*found, strict=True))


@torch.no_grad()
@pytest.mark.parametrize("hard_masks", [False, True])
def test_the_module_is_saved_and_loaded_as_diffusers_does(tmp_path, hard_masks):
    module = small_spatial(hard_masks=hard_masks)
    module.save_pretrained(tmp_path)
    again = SpatialRefinement.from_pretrained(tmp_path)
    pairs = zip(module(pictures(), queries()).levels, again(pictures(), queries()).levels, strict=True)
    assert all(torch.equal(*pair) for pair in pairs)
    assert again.taskformer.hard_masks == hard_masks


def test_what_does_not_divide_is_refused():
    with pytest.raises(ToileError, match="44×64"):
        small_spatial()(pictures(size=(64, 44)), queries())
    with pytest.raises(ToileError, match="dim is 20"):
        SpatialRefinement(SWIN, TEXT, CHANNELS, dim=20, num_heads=2)
    with pytest.raises(ToileError, match="num_heads=3"):
        SpatialRefinement(SWIN, TEXT, CHANNELS, dim=16, num_heads=3)


@pytest.mark.parametrize("numbers", [{"patch_size": 2}, {"depths": [2, 2], "num_heads": [1, 2]}])
def test_swins_without_the_three_scales_are_refused(numbers):
    with pytest.raises(ToileError, match="patches of 4 and at least 3 stages"):
        three_stages(SWIN | numbers)


def test_folders_without_a_whole_swin_are_refused(tmp_path):
    with pytest.raises(ToileError, match="no folder"):
        load(tmp_path / "missing")
    config = CLIPVisionConfig(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1)
    CLIPVisionModelWithProjection(config).save_pretrained(tmp_path / "clip")
    with pytest.raises(ToileError, match="is no Swin"):
        load(tmp_path / "clip")
    published_swin(tmp_path / "absolute", use_absolute_embeddings=True)
    with pytest.raises(ToileError, match="relative positions"):
        load(tmp_path / "absolute")
    published_swin(tmp_path / "swin")
    state = load_file(tmp_path / "swin/model.safetensors")
    del state["swin.encoder.layers.1.blocks.0.layernorm_before.weight"]
    save_file(state, tmp_path / "swin/model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ToileError, match=r"lacks swin.encoder.layers.1.blocks.0.layernorm_before.weight"):
        load(tmp_path / "swin")
