from itertools import pairwise

import pytest
import torch
from tests.small_models import small_unet, unet_inputs
from torch import Tensor
from torch.nn.functional import cosine_similarity

from toile.errors import ToileError
from toile.evaluation.similarity import (
    BOTH,
    THRESHOLDS,
    feature_similarity,
    parameter_similarity,
    record_outputs,
    relative_error,
    short_name,
    swapped_panels,
)

ATTENTION = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight"
CROSS = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_q.weight"
FEED_FORWARD = "down_blocks.0.attentions.0.transformer_blocks.0.ff.net.2.bias"
HIGH = "down_blocks.0.attentions.0.transformer_blocks.0"
LOW = "down_blocks.1.attentions.0.transformer_blocks.0"


def parameters(attention: list[float], feed_forward: list[float], cross: float = 1.0) -> dict[str, Tensor]:
    return {
        ATTENTION: torch.tensor(attention),
        CROSS: torch.tensor([cross]),
        FEED_FORWARD: torch.tensor(feed_forward),
    }


def test_relative_error_worked_out_by_hand() -> None:
    a = torch.tensor([1.0, 1.0, -2.0, 0.0, 0.0, 1.0])
    b = torch.tensor([1.0, 0.9, -1.0, 0.0, 3.0, -1.0])
    assert relative_error(a, b).tolist() == pytest.approx([0, 0.1, 0.5, 0, 1, 2])
    assert torch.equal(relative_error(a, b), relative_error(b, a))


def test_shares_worked_out_by_hand() -> None:
    a = parameters([1.0, 1.0, 1.0, 1.0], [0.0, 1.0])
    b = parameters([1.0, 0.9999, 0.98, 0.5], [0.0, -1.0], cross=7.0)
    found = parameter_similarity(a, b, (0.0005, 0.05))
    assert found.counts == {"self-attention": 4, "feed-forward": 2, "both": 6}
    assert found.shares["self-attention"] == (0.5, 0.75)
    assert found.shares["feed-forward"] == (0.5, 0.5)
    assert found.shares[BOTH] == pytest.approx((3 / 6, 4 / 6))


def test_a_unet_equals_itself_and_its_layers_are_all_counted() -> None:
    unet = small_unet()
    found = parameter_similarity(unet.state_dict(), unet.state_dict())
    expected = sum(p.numel() for name, p in unet.named_parameters() if ".attn1." in name)
    assert found.counts["self-attention"] == expected > 0
    assert found.thresholds == THRESHOLDS
    assert set(found.shares[BOTH]) == {1.0}


def test_shares_fall_as_a_unet_is_disturbed() -> None:
    true = small_unet().state_dict()
    generator = torch.Generator().manual_seed(0)
    noise = {name: torch.randn(value.shape, generator=generator) for name, value in true.items()}
    shares = [
        parameter_similarity(
            true, {name: value * (1 + much * noise[name]) for name, value in true.items()}
        ).shares[BOTH]
        for much in (0.01, 0.03, 0.1)
    ]
    for smaller, larger in pairwise(shares):
        assert all(x > y for x, y in zip(smaller, larger, strict=True))
    assert all(list(row) == sorted(row) for row in shares)


def test_half_precision_is_compared_as_it_is() -> None:
    a = {name: value.half() for name, value in parameters([1.0, 2.0], [3.0]).items()}
    assert parameter_similarity(a, parameters([1.0, 2.0], [3.0])).shares[BOTH] == (1.0,) * len(THRESHOLDS)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({ATTENTION: torch.ones(2)}, f"only the first model has the parameter {FEED_FORWARD}"),
        (parameters([1.0], [1.0]), r"the shapes \(2,\) and \(1,\)"),
        (parameters([1.0, float("nan")], [1.0]), f"{ATTENTION} holds numbers that are not finite"),
    ],
)
def test_what_cannot_be_compared_is_refused(second: dict[str, Tensor], message: str) -> None:
    with pytest.raises(ToileError, match=message):
        parameter_similarity(parameters([1.0, 1.0], [1.0]), second)


def test_wrong_thresholds_and_other_models_are_refused() -> None:
    same = parameters([1.0], [1.0])
    for thresholds in ((), (0.1, 0.0)):
        with pytest.raises(ToileError, match="positive"):
            parameter_similarity(same, same, thresholds)
    with pytest.raises(ToileError, match="no self-attention layer"):
        parameter_similarity({"a": torch.ones(1)}, {"a": torch.ones(1)})


def test_every_block_is_recorded_as_a_map_in_the_order_of_the_forward_pass() -> None:
    unet = small_unet()
    latents, timesteps, text = unet_inputs(size=(8, 16))
    found = record_outputs(unet, lambda: unet(latents, timesteps, text))
    assert [short_name(name) for name in found] == [
        *("down 0.0.0", "down 1.0.0", "mid 0.0", "up 1.0.0", "up 1.1.0", "up 2.0.0", "up 2.1.0")
    ]
    assert found[HIGH].shape == (2, 16, 8, 16)
    assert found[LOW].shape == (2, 32, 4, 8)
    assert not any(module._forward_hooks for module in unet.modules())


def test_what_is_recorded_is_what_the_block_put_out() -> None:
    unet = small_unet()
    latents, timesteps, text = unet_inputs(size=(8, 16))
    tokens: list[Tensor] = []
    hook = unet.get_submodule(LOW).register_forward_hook(lambda _m, _i, output: tokens.append(output))
    found = record_outputs(unet, lambda: unet(latents, timesteps, text))
    hook.remove()
    assert torch.equal(found[LOW].flatten(2).mT, tokens[0])
    assert torch.equal(found[LOW][1, :, 2, 5], tokens[0][1, 2 * 8 + 5])


def test_the_last_pass_counts_and_a_failure_leaves_no_hook() -> None:
    unet = small_unet()
    first, second = unet_inputs(seed=1), unet_inputs(seed=2)
    both = record_outputs(unet, lambda: [unet(*first), unet(*second)])
    assert torch.equal(both[LOW], record_outputs(unet, lambda: unet(*second))[LOW])
    with pytest.raises(ZeroDivisionError):
        record_outputs(unet, lambda: 1 / 0)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in unet.modules())
    with pytest.raises(ToileError, match="no transformer block ran"):
        record_outputs(unet, lambda: None)


def test_swapping_panels_twice_changes_nothing() -> None:
    maps = {"a": torch.arange(8.0).reshape(1, 1, 2, 4)}
    swapped = swapped_panels(maps)
    assert swapped["a"][0, 0].tolist() == [[2, 3, 0, 1], [6, 7, 4, 5]]
    assert torch.equal(swapped_panels(swapped)["a"], maps["a"])


def maps(*shapes: tuple[int, int, int], seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {str(i): torch.randn(3, *shape, generator=generator) for i, shape in enumerate(shapes)}


def test_the_matrix_against_torchs_cosine() -> None:
    a, b = maps((4, 2, 3), (4, 2, 3)), maps((4, 2, 3), (4, 2, 3), (4, 2, 3), seed=1)
    found = feature_similarity(a, b)
    assert found.shape == (2, 3)
    for row, first in enumerate(a.values()):
        for column, second in enumerate(b.values()):
            expected = cosine_similarity(first.flatten(1), second.flatten(1), dim=1).mean()
            assert float(found[row, column]) == pytest.approx(float(expected), abs=1e-6)


def test_equal_opposite_and_silent_layers() -> None:
    a = {"same": torch.ones(1, 2, 2, 2), "silent": torch.zeros(1, 2, 2, 2)}
    found = feature_similarity(a, {"opposite": -3 * torch.ones(1, 2, 2, 2), "same": a["same"]})
    assert torch.allclose(found, torch.tensor([[-1.0, 1.0], [0.0, 0.0]]))


def test_maps_of_another_size_are_pooled_and_those_of_another_width_left_out() -> None:
    small = torch.randn(2, 4, 2, 3, generator=torch.Generator().manual_seed(0))
    large = small.repeat_interleave(2, 2).repeat_interleave(4, 3)
    found = feature_similarity({"small": small, "wide": torch.ones(2, 5, 2, 3)}, {"large": large})
    assert float(found[0, 0]) == pytest.approx(1, abs=1e-6)
    assert found[1, 0].isnan()
    one_cell = feature_similarity({"small": small}, {"large": -large}, grid=(1, 1))
    assert float(one_cell[0, 0]) == pytest.approx(-1, abs=1e-6)


def test_unequal_batches_and_nothing_are_refused() -> None:
    a = maps((4, 2, 3))
    with pytest.raises(ToileError, match=r"\[2, 3\]"):
        feature_similarity(a, {"0": a["0"][:2]})
    with pytest.raises(ToileError, match="on each side"):
        feature_similarity(a, {})
