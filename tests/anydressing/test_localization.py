import pytest
import torch
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from toile.anydressing.localization import (
    RowMaps,
    garment_attention,
    localization_loss,
    mapped_attention,
)
from toile.diffusion.attention import attention
from toile.diffusion.correspondence import latent_grid
from toile.errors import ToileError

HEADS = 3
TOKENS = [7, 4, 9]


def drawn(*shape, seed=0):
    return 2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def layer(batch=2, positions=6, width=36):
    """Q, K', V' and K of heads with 12 channels, no number that kernels like."""
    sizes = (positions, sum(TOKENS), sum(TOKENS), positions)
    return [drawn(batch, size, width, seed=seed) for seed, size in enumerate(sizes)]


def direct(query, key, tokens, own_key=None):
    """Eq. 7 and 8 in double precision, one row, one head and one garment after another."""
    maps = torch.zeros(len(query), len(tokens), query.shape[1], dtype=torch.float64)
    for row in range(len(query)):
        for head in range(HEADS):
            width = query.shape[-1] // HEADS
            channels = slice(head * width, (head + 1) * width)
            keys = key[row] if own_key is None else torch.cat([key[row], own_key[row]])
            scores = query[row, :, channels].double() @ keys[:, channels].double().T / width**0.5
            shares = scores.exp() / scores.exp().sum(1, keepdim=True)
            first = 0
            for garment, count in enumerate(tokens):
                maps[row, garment] += shares[:, first : first + count].sum(1) / HEADS
                first += count
    return maps


def test_the_maps_are_those_of_a_direct_softmax():
    query, key, _, own = layer()
    found = garment_attention(query, key, HEADS, TOKENS)
    torch.testing.assert_close(found.double(), direct(query, key, TOKENS), rtol=0, atol=1e-6)
    joint = garment_attention(query, key, HEADS, TOKENS, own)
    torch.testing.assert_close(joint.double(), direct(query, key, TOKENS, own), rtol=0, atol=1e-6)
    assert (found - joint).abs().max() > 0.1


@pytest.mark.parametrize("joint", [False, True])
def test_attention_and_its_maps_come_together(joint):
    query, key, value, own = layer()
    keys = own if joint else None
    mixed, maps = mapped_attention(query, key, value, HEADS, TOKENS, keys)
    torch.testing.assert_close(mixed, attention(query, key, value, HEADS))
    torch.testing.assert_close(maps.double(), direct(query, key, TOKENS, keys), rtol=0, atol=1e-6)


def test_more_garments_than_channels_of_a_head():
    query, key, _, _ = layer()
    tokens = [1] * 20
    found = garment_attention(query, key, HEADS, tokens)
    torch.testing.assert_close(found.double(), direct(query, key, tokens), rtol=0, atol=1e-6)


def test_another_order_of_garments_is_another_order_of_maps():
    query, key, _, own = layer()
    first, second, third = key.split(TOKENS, dim=1)
    swapped, tokens = torch.cat([third, first, second], dim=1), [9, 7, 4]
    for keys in (None, own):
        found = garment_attention(query, swapped, HEADS, tokens, keys)
        torch.testing.assert_close(found, garment_attention(query, key, HEADS, TOKENS, keys)[:, [2, 0, 1]])


def test_among_garments_alone_the_maps_add_up_to_one_and_a_single_garment_gets_no_gradient():
    query, key, _, own = (each.requires_grad_() for each in layer())
    maps = garment_attention(query, key, HEADS, TOKENS)
    torch.testing.assert_close(maps.sum(1), torch.ones(2, 6))
    alone = garment_attention(query, key, HEADS, [20])
    torch.testing.assert_close(alone, torch.ones(2, 1, 6))
    (alone - 0.3).square().sum().backward()
    assert query.grad.abs().max() < 1e-6 and key.grad.abs().max() < 1e-6

    joint = garment_attention(query, key, HEADS, [20], own)
    assert (joint < 1).all()
    (joint - 0.3).square().sum().backward()
    assert query.grad.abs().max() > 1e-2 and key.grad.abs().max() > 1e-2


@pytest.mark.parametrize("joint", [False, True])
def test_gradients_are_those_of_the_direct_softmax(joint):
    tensors = [each.requires_grad_() for each in layer()]
    query, key, value, own = tensors
    weights = drawn(2, 3, 6, seed=9)

    def gradients(maps):
        (maps * weights).sum().backward()
        found = [each.grad for each in (query, key, own) if each.grad is not None]
        for each in tensors:
            each.grad = None
        return found

    keys = own if joint else None
    expected = gradients(direct(query, key, TOKENS, keys))
    found = gradients(garment_attention(query, key, HEADS, TOKENS, keys))
    assert len(found) == len(expected) == (3 if joint else 2)
    for mine, true in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, true, rtol=1e-4, atol=1e-6)
    if not joint:
        together = gradients(mapped_attention(query, key, value, HEADS, TOKENS)[1])
        for mine, true in zip(together, expected, strict=True):
            torch.testing.assert_close(mine, true, rtol=1e-4, atol=1e-6)


def test_no_matrix_of_queries_by_keys_is_kept_for_the_backward_pass():
    query, key, value, own = (each.requires_grad_() for each in layer(positions=64, width=24))
    key, value = (torch.cat([each] * 16, dim=1) for each in (key, value))  # 320 tokens

    def matrices():
        kept = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
            mapped_attention(query, key, value, HEADS, [160, 160])
            garment_attention(query, key, HEADS, [160, 160], own)
        return [tensor for tensor in kept if tensor.dim() > 2 and tensor.shape[-2:] in ((64, 320), (64, 384))]

    assert not matrices()
    with sdpa_kernel(SDPBackend.MATH):
        assert matrices()


def test_half_precision_gives_maps_in_single_precision():
    query, key, _, _ = layer()
    with torch.autocast("cpu", torch.bfloat16):
        maps = garment_attention(query, key, HEADS, TOKENS)
    assert maps.dtype == torch.float32
    torch.testing.assert_close(maps.double(), direct(query, key, TOKENS), rtol=0, atol=0.03)


def test_the_grid_of_each_level():
    assert [latent_grid(n, (32, 24)) for n in (768, 192, 48, 12)] == [(32, 24), (16, 12), (8, 6), (4, 3)]
    assert [latent_grid(n, (9, 6)) for n in (54, 15, 6, 2, 1)] == [(9, 6), (5, 3), (3, 2), (2, 1), (1, 1)]


def test_the_grid_is_that_of_a_real_downsampling():
    halve = torch.nn.Conv2d(1, 1, 3, stride=2, padding=1)
    map_ = torch.zeros(1, 1, 13, 11)
    for _ in range(4):
        assert latent_grid(map_.shape[-2] * map_.shape[-1], (13, 11)) == tuple(map_.shape[-2:])
        map_ = halve(map_)


@pytest.mark.parametrize("positions", [0, 2, 100, 769, 1536])
def test_positions_of_another_picture_are_refused(positions):
    with pytest.raises(ToileError, match=rf"latents of 32×24 has {positions} positions"):
        latent_grid(positions, (32, 24))


def worn_and_maps(size=(4, 3)):
    """Three rows with kinds (0, 2), none, and (1,), in two layers; masks of 32×24 pixels."""
    worn = (drawn(3, 3, 32, 24, seed=3) > 0).to(torch.uint8) * 255
    maps = {}
    for seed, (name, grid) in enumerate({"a": size, "b": (2, 2)}.items()):
        area = grid[0] * grid[1]
        maps[name] = [
            RowMaps(
                rows=torch.tensor([2]), kinds=torch.tensor([[1]]), maps=drawn(1, 1, area, seed=seed).sigmoid()
            ),
            RowMaps(
                rows=torch.tensor([0]), kinds=torch.tensor([[2, 0]]), maps=drawn(1, 2, area, seed=seed + 9)
            ),
        ]
    return worn, maps


def test_the_loss_by_hand():
    worn, maps = worn_and_maps()
    found = localization_loss(maps, worn, (4, 3))
    masks = worn.double() / 255
    layers = []
    for groups, (height, width) in ((maps["a"], (4, 3)), (maps["b"], (2, 2))):
        down, across = 32 // height, 24 // width
        if width == 2:
            cells = masks.unfold(2, 16, 16).unfold(3, 12, 12).mean((-2, -1)).flatten(2)
        else:
            cells = masks.unfold(2, down, down).unfold(3, across, across).mean((-2, -1)).flatten(2)
        first = ((groups[1].maps[0, 0] - cells[0, 2]) ** 2).mean() / 2
        first = first + ((groups[1].maps[0, 1] - cells[0, 0]) ** 2).mean() / 2
        third = ((groups[0].maps[0, 0] - cells[2, 1]) ** 2).mean()
        layers.append((first + third) / 2)
    torch.testing.assert_close(found.double(), sum(layers) / 2, rtol=1e-6, atol=1e-7)


def test_absent_garments_and_rows_without_any_do_not_count():
    worn, maps = worn_and_maps()
    found = localization_loss(maps, worn, (4, 3))
    changed = worn.clone()
    changed[1] = 255 - changed[1]
    changed[0, 1] = 0
    changed[2, [0, 2]] = 255
    assert torch.equal(localization_loss(maps, changed, (4, 3)), found)
    changed[2, 1] = 255 - changed[2, 1]
    assert not torch.equal(localization_loss(maps, changed, (4, 3)), found)


def test_perfect_maps_cost_nothing():
    worn, maps = worn_and_maps()
    for groups, grid in ((maps["a"], (4, 3)), (maps["b"], (2, 2))):
        cells = functional.adaptive_avg_pool2d(worn.float() / 255, grid).flatten(2)
        groups[:] = [
            RowMaps(rows=each.rows, kinds=each.kinds, maps=cells[each.rows[:, None], each.kinds])
            for each in groups
        ]
    assert localization_loss(maps, worn, (4, 3)) < 1e-12


def test_without_garments_there_is_no_loss():
    worn, _ = worn_and_maps()
    assert localization_loss({}, worn, (4, 3)) == 0
    assert localization_loss({"a": []}, worn, (4, 3)) == 0
