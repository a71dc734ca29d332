import pytest
import torch
from torch.nn import functional
from transformers import Mask2FormerConfig
from transformers.models.mask2former.modeling_mask2former import (
    Mask2FormerMaskedAttentionDecoderLayer,
    Mask2FormerMaskPredictor,
)

from toile.twgtm.taskformer import (
    BiasedAttention,
    MaskSpace,
    TaskBlock,
    TaskFormer,
    TaskSpace,
    attention_bias,
    inner_products,
)

DIM, HEADS, QUERIES = 16, 2, 4


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def features(batch=2):
    """F_QF, H_2, H_3 and H_1, at random."""
    sizes = ((5, DIM), (DIM, 8, 6), (DIM, 4, 3), (DIM, 16, 12))
    return [draw(batch, *size, seed=index) for index, size in enumerate(sizes)]


def small_taskformer(units=2, **options):
    torch.manual_seed(0)
    return TaskFormer(DIM, QUERIES, units, HEADS, **options).eval()


def mask2former_layer(block):
    """transformers' own layer with the block's weights."""
    config = Mask2FormerConfig(
        hidden_dim=DIM, num_attention_heads=HEADS, dim_feedforward=4 * DIM, dropout=0.0, pre_norm=False
    )
    cross, own = block.cross_attention, block.self_attention
    inward = (cross.to_q, cross.to_k, cross.to_v)
    state = {
        "cross_attn.in_proj_weight": torch.cat([part.weight for part in inward]),
        "cross_attn.in_proj_bias": torch.cat([part.bias for part in inward]),
    }
    modules = {
        "cross_attn.out_proj": cross.to_out,
        "cross_attn_layer_norm": block.cross_norm,
        "self_attn.q_proj": own.to_q,
        "self_attn.k_proj": own.to_k,
        "self_attn.v_proj": own.to_v,
        "self_attn.out_proj": own.to_out,
        "self_attn_layer_norm": block.self_norm,
        "fc1": block.feed_forward[0],
        "fc2": block.feed_forward[2],
        "final_layer_norm": block.feed_forward_norm,
    }
    for name, module in modules.items():
        state |= {f"{name}.weight": module.weight, f"{name}.bias": module.bias}
    layer = Mask2FormerMaskedAttentionDecoderLayer(config)
    layer.load_state_dict(state)
    return layer.eval()


def shaken(module):
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return module.eval()


@torch.no_grad()
@pytest.mark.parametrize("empty", [False, True])
def test_hard_masks_are_those_of_mask2former(empty):
    block = shaken(TaskBlock(DIM, HEADS))
    queries, values, positions = draw(2, QUERIES, DIM), draw(2, 9, DIM, seed=1), draw(2, 9, DIM, seed=2)
    logits = draw(2, QUERIES, 9, seed=3)
    if empty:
        logits[0, 1] = -1
    hidden = logits.sigmoid() < 0.5
    hidden[hidden.all(dim=-1)] = False  # Mask2Former's decoder does this between its layers

    expected = mask2former_layer(block)(
        queries.transpose(0, 1),
        level_index=0,
        position_embeddings=[positions.transpose(0, 1)],
        query_position_embeddings=torch.zeros(QUERIES, 2, DIM),
        encoder_hidden_states=[values.transpose(0, 1)],
        encoder_attention_mask=hidden.repeat_interleave(HEADS, dim=0),
    )[0].transpose(0, 1)
    found = block(queries, values + positions, values, attention_bias(logits, hard=True))
    torch.testing.assert_close(found, expected)
    assert (block(queries, values + positions, values, None) - expected).abs().max() > 1e-2


@torch.no_grad()
def test_masks_of_pixels_are_predicted_and_resized_as_in_mask2former():
    space = shaken(MaskSpace(DIM))
    predictor = Mask2FormerMaskPredictor(DIM, HEADS, DIM)
    own = [parameter for name, parameter in space.named_parameters() if name.startswith("mlp")]
    for parameter, value in zip(predictor.parameters(), own, strict=True):
        parameter.copy_(value)
    queries, pixels = draw(2, QUERIES, DIM), draw(2, DIM, 16, 12, seed=1)

    _, expected = predictor(queries.transpose(0, 1), pixels, (4, 3))  # True is hidden
    resized = functional.interpolate(pixels, (4, 3), mode="bilinear")
    _, logits = space(queries, draw(2, 5, DIM), [resized])
    found = torch.isinf(attention_bias(logits, hard=True))
    assert torch.equal(found.repeat_interleave(HEADS, dim=0), expected)
    assert 0.2 < expected.float().mean() < 0.8


@torch.no_grad()
def test_a_soft_mask_of_one_changes_nothing_and_zero_hides():
    attend = shaken(BiasedAttention(DIM, HEADS))
    # Small queries: a mask of 1e-6 hides what is not a million times as near as the rest.
    queries, keys, values = draw(2, 3, DIM) / 4, draw(2, 7, DIM, seed=1), draw(2, 7, DIM, seed=2)
    plain = attend(queries, keys, values)
    ones = attention_bias(torch.full((2, 3, 7), 60.0), hard=False)
    torch.testing.assert_close(attend(queries, keys, values, ones), plain)

    logits = torch.full((2, 3, 7), 60.0)
    logits[..., 4:] = -60
    masked = attend(queries, keys, values, attention_bias(logits, hard=False))
    torch.testing.assert_close(masked, attend(queries, keys[:, :4], values[:, :4]), rtol=1e-3, atol=1e-3)
    assert (masked - plain).abs().max() > 0.1


def test_a_soft_mask_multiplies_what_attention_gives():
    logits, mask_logits = draw(2, 3, 7), draw(2, 3, 7, seed=1)
    biased = (logits + attention_bias(mask_logits, hard=False)).softmax(dim=-1)
    weights = logits.exp() * mask_logits.sigmoid().clamp(min=1e-6)
    torch.testing.assert_close(biased, weights / weights.sum(dim=-1, keepdim=True))
    lowest = attention_bias(torch.full((1, 1, 1), -100.0), hard=False)
    assert lowest.item() == pytest.approx(-13.8155, abs=1e-3)  # log 1e-6


def test_inner_products_are_those_of_vectors():
    queries, pixels = draw(2, 3, DIM), draw(2, DIM, 4, 5, seed=1)
    found = inner_products(queries, pixels)
    assert found.shape == (2, 3, 4, 5)
    expected = queries[1, 2] @ pixels[1, :, 3, 4] / 4  # the root of 16
    torch.testing.assert_close(found[1, 2, 3, 4], expected)


@torch.no_grad()
def test_every_query_has_an_mlp_of_its_own():
    space = shaken(TaskSpace(QUERIES, DIM))
    queries = draw(2, QUERIES, DIM)
    found = space(queries)
    for index in range(QUERIES):
        layers = [(w[index], b[index]) for w, b in zip(space.weights, space.biases, strict=True)]
        hidden = functional.linear(queries[:, index], *layers[0]).relu()
        torch.testing.assert_close(found[:, index], functional.linear(hidden, *layers[1]))
    torch.testing.assert_close(space(queries[:, :1]), found[:, :1])


@torch.no_grad()
def test_maps_are_the_last_silhouette_and_then_unbounded():
    drawn = small_taskformer()(*features())
    assert drawn.maps.shape == (2, QUERIES, 16, 12)
    assert [logits.shape for logits in drawn.silhouette_logits] == [(2, 1, 16, 12)] * 2
    torch.testing.assert_close(drawn.maps[:, :1], drawn.silhouette_logits[-1].sigmoid())
    assert drawn.maps[:, 1:].min() < 0
    assert not torch.equal(*drawn.silhouette_logits)

    silhouette_alone = small_taskformer()(*features(), refine=False)
    assert silhouette_alone.maps is None
    torch.testing.assert_close(silhouette_alone.silhouette_logits, drawn.silhouette_logits)


def gradients(taskformer, read):
    """The greatest gradient of each parameter when `read` is what the loss sees."""
    read(taskformer(*features())).square().sum().backward()
    return {
        name: 0.0 if parameter.grad is None else float(parameter.grad.abs().max())
        for name, parameter in taskformer.named_parameters()
    }


@pytest.mark.parametrize("name", ["linear.weight", "mlp.0.weight", "mlp.2.weight", "mlp.4.weight"])
def test_each_projection_of_the_mask_space_is_trained_through_soft_masks_alone(name):
    soft = gradients(small_taskformer(), lambda drawn: drawn.maps)
    hard = gradients(small_taskformer(hard_masks=True), lambda drawn: drawn.maps)
    assert soft[f"mask_space.{name}"] > 1e-7
    assert hard[f"mask_space.{name}"] == 0
    frozen = small_taskformer(hard_masks=True).mask_space.parameters()
    assert not any(parameter.requires_grad for parameter in frozen)


@pytest.mark.parametrize("query", range(QUERIES))
def test_each_querys_mlp_is_trained_by_its_own_map(query):
    taskformer = small_taskformer()
    taskformer(*features()).maps[:, query].square().sum().backward()
    for weight in taskformer.task_space.weights:
        touched = weight.grad.abs().amax(dim=(1, 2)) > 0
        assert touched.nonzero().flatten().tolist() == [query]


def test_everything_else_is_trained_too():
    found = gradients(small_taskformer(), lambda drawn: drawn.maps)
    attention_to_keys = ("to_k.bias",)  # a softmax does not see it
    for name, gradient in found.items():
        assert gradient > 0 or name.endswith(attention_to_keys), name


@torch.no_grad()
@pytest.mark.parametrize("changed", [0, 1, 2])
def test_each_scale_is_read(changed):
    inputs = features()
    before = small_taskformer()(*inputs).maps
    inputs[changed] = draw(*inputs[changed].shape, seed=9)
    assert (small_taskformer()(*inputs).maps - before).abs().max() > 1e-2


@torch.no_grad()
def test_tokens_are_told_where_they_lie():
    inputs = features()
    before = small_taskformer()(*inputs).maps
    inputs[1], inputs[3] = inputs[1].flip(-1), inputs[3].flip(-1)
    inputs[2] = inputs[2].flip(-1)
    assert (small_taskformer()(*inputs).maps.flip(-1) - before).abs().max() > 1e-3


@torch.no_grad()
def test_references_are_read_alike_in_any_batch():
    taskformer, inputs = small_taskformer(), features(batch=3)
    together = taskformer(*inputs).maps
    for row in range(3):
        alone = taskformer(*(part[row : row + 1] for part in inputs)).maps
        torch.testing.assert_close(alone[0], together[row])
