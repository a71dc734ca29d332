from itertools import pairwise

import pytest
import torch
from scipy.ndimage import gaussian_filter, maximum_filter
from torch import Tensor

from toile.diffusion.repaint import repaint, soft_mask
from toile.errors import ToileError

SIZE = (40, 48)


def pictures(seed: int) -> Tensor:
    return torch.rand(2, 3, *SIZE, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def masks() -> Tensor:
    """A box in the middle, and one that runs off the picture."""
    mask = torch.zeros(2, 1, *SIZE)
    mask[0, :, 15:25, 18:30] = 1
    mask[1, :, 30:, :9] = 1
    return mask


def distance_to(mask: Tensor) -> Tensor:
    """How many pixels away the mask is, along the farther axis."""
    grown, distance = mask, torch.zeros_like(mask)
    for _ in range(max(SIZE)):
        distance += 1 - grown
        grown = torch.nn.functional.max_pool2d(grown, 3, stride=1, padding=1)
    return distance


@pytest.mark.parametrize("softness", [0.0, 0.4, 1.5, 3.0])
def test_exact_inside_the_mask_and_beyond_the_band(softness: float) -> None:
    result, photo, mask = pictures(0), pictures(1), masks()
    painted = repaint(result, photo, mask, softness)
    inside = mask.expand(-1, 3, -1, -1) == 1
    assert torch.equal(painted[inside], result[inside])
    band = 2 * -int(-2 * softness // 1)  # rounded up
    beyond = (distance_to(mask) > band).expand(-1, 3, -1, -1)
    assert beyond.any()
    assert torch.equal(painted[beyond], photo[beyond])


def test_the_edge_falls_off_outside_the_mask() -> None:
    weight = soft_mask(masks(), 2.0)[0, 0, 20]
    assert weight[18:30].tolist() == [1.0] * 12
    falling = weight[29:40].tolist()
    assert all(a >= b for a, b in pairwise(falling))
    assert sum(0 < value < 1 for value in falling) >= 5
    assert weight[29 + 4] == pytest.approx(0.5, abs=0.15)  # half-way where the widened mask ends
    assert torch.allclose(weight, weight.flip(0), atol=1e-6)


def test_the_weight_against_scipys_filters() -> None:
    mask = masks()[0, 0].double().numpy()
    widened = maximum_filter(mask, size=9, mode="nearest")
    expected = gaussian_filter(widened, 2.0, truncate=2.0, mode="nearest")
    found = soft_mask(masks(), 2.0)[0, 0].double().numpy()
    assert abs(found - expected).max() < 1e-6


def test_a_hard_edge_is_a_paste() -> None:
    result, photo, mask = pictures(0), pictures(1), masks()
    assert torch.equal(repaint(result, photo, mask, 0.0), torch.where(mask == 1, result, photo))


def test_everything_and_nothing() -> None:
    result, photo, nothing = pictures(0), pictures(1), torch.zeros(2, 1, *SIZE)
    assert torch.equal(repaint(result, photo, nothing, 3.0), photo)
    assert torch.equal(repaint(result, photo, 1 - nothing, 3.0), result)


def test_items_are_independent() -> None:
    result, photo, mask = pictures(0), pictures(1), masks()
    together = repaint(result, photo, mask, 2.0)
    assert torch.allclose(together[1:], repaint(result[1:], photo[1:], mask[1:], 2.0), atol=1e-6)


def test_half_precision_stays_exact() -> None:
    result, photo, mask = pictures(0).bfloat16(), pictures(1).bfloat16(), masks().bfloat16()
    painted = repaint(result, photo, mask, 2.0)
    assert painted.dtype == torch.bfloat16
    inside = mask.expand(-1, 3, -1, -1) == 1
    assert torch.equal(painted[inside], result[inside])


def test_negative_softness_is_refused() -> None:
    for softness in (-1.0, float("nan")):
        with pytest.raises(ToileError, match="softness is"):
            soft_mask(masks(), softness)
