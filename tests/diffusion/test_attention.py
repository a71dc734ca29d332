import math

import pytest
import torch

from toile.diffusion.attention import added_attention, attention, joint_attention, merge_heads, split_heads

HEADS = 2


def by_hand(query, key, value):
    """softmax(Q Kᵀ / √d) V, one head after the other."""
    outputs = []
    for head in range(HEADS):
        q, k, v = (tokens.unflatten(-1, (HEADS, -1))[:, :, head] for tokens in (query, key, value))
        weights = (q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])).exp()
        outputs.append(weights / weights.sum(-1, keepdim=True) @ v)
    return torch.cat(outputs, dim=-1)


@pytest.fixture
def tokens():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, count, 8, generator=generator, dtype=torch.float64) for count in (6, 6, 6, 4, 4)]


def test_heads_split_and_merge(tokens):
    assert torch.equal(merge_heads(split_heads(tokens[0], HEADS)), tokens[0])


def test_attention_is_the_formula(tokens):
    query, _, _, key, value = tokens
    torch.testing.assert_close(attention(query, key, value, HEADS), by_hand(query, key, value))


def test_joint_attention_is_the_latter_half_of_attention_over_everything(tokens):
    query, key, value, reference_key, reference_value = tokens
    reference_query = torch.randn(2, 4, 8, dtype=torch.float64)
    everything = by_hand(
        torch.cat([reference_query, query], dim=1),
        torch.cat([reference_key, key], dim=1),
        torch.cat([reference_value, value], dim=1),
    )
    joint = joint_attention(query, key, value, reference_key, reference_value, HEADS)
    torch.testing.assert_close(joint, everything[:, 4:])


@pytest.mark.parametrize("scale", [None, 0.0, 0.7])
def test_added_attention_adds(tokens, scale):
    query, key, value, added_key, added_value = tokens
    weight = None if scale is None else torch.tensor(scale)
    added = added_attention(query, key, value, added_key, added_value, HEADS, weight)
    expected = by_hand(query, key, value) + (1 if scale is None else scale) * by_hand(
        query, added_key, added_value
    )
    torch.testing.assert_close(added, expected)
