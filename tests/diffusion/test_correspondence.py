import math

import pytest
import torch

from toile.diffusion.correspondence import LEAST, Correspondence, distances_to_points

HEADS, GRID = 2, (4, 3)


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def centres(height, width):
    """The middle of each cell, (h w 2)."""
    return torch.tensor(
        [[((x + 0.5) / width, (y + 0.5) / height) for x in range(width)] for y in range(height)]
    )


def softmax_row(query, key, head, position):
    """One head's attention from one position, number by number."""
    size = query.shape[-1] // HEADS
    part = slice(head * size, (head + 1) * size)
    scores = [float(query[position, part] @ row[part]) / math.sqrt(size) for row in key]
    total = sum(math.exp(score) for score in scores)
    return [math.exp(score) / total for score in scores]


def test_a_point_in_the_middle_of_a_token_counts_that_token_alone():
    query, key = drawn(1, 12, 8), drawn(1, 20, 8, seed=1)  # 12 of the reference and 8 others
    points = centres(*GRID)[None].flip(1)  # the reference upside down
    distance = distances_to_points(query, key, points, HEADS)
    assert len(distance) == 12
    for position in range(12):
        row, column = divmod(position, 3)
        own = (3 - row) * 3 + column
        shares = [softmax_row(query[0], key[0], head, position)[own] for head in range(HEADS)]
        assert float(distance[position]) == pytest.approx(-math.log(sum(shares) / HEADS + LEAST), rel=1e-4)


def test_a_point_between_tokens_counts_its_four_neighbours():
    query, key = drawn(1, 12, 8), drawn(1, 12, 8, seed=1)
    points = torch.full((1, *GRID, 2), torch.nan)
    points[0, 2, 1] = torch.tensor([1.25 / 3, 2.0 / 4])  # a quarter token left of a centre
    distance = distances_to_points(query, key, points, HEADS)
    assert len(distance) == 1
    wanted = {3: 0.125, 4: 0.375, 6: 0.125, 7: 0.375}
    rows = [softmax_row(query[0], key[0], head, 7) for head in range(HEADS)]
    expected = sum(
        share * math.log(share / (sum(row[token] for row in rows) / HEADS + LEAST))
        for token, share in wanted.items()
    )
    assert float(distance[0]) == pytest.approx(expected, rel=1e-4)


def test_attention_that_interpolates_has_no_distance():
    wanted = {3: 0.125, 4: 0.375, 6: 0.125, 7: 0.375}
    key = 20 * torch.eye(12)[None]  # one head, so that a position may say how much it wants of each token
    query = torch.full((1, 12, 12), -10.0)
    for token, share in wanted.items():
        query[0, 7, token] = math.log(share) / 20 * 12**0.5
    points = torch.full((1, *GRID, 2), torch.nan)
    points[0, 2, 1] = torch.tensor([1.25 / 3, 2.0 / 4])
    assert abs(float(distances_to_points(query, key, points, 1)[0])) < 0.01
    points[0, 2, 1] = torch.tensor([1.75 / 3, 2.0 / 4])
    assert float(distances_to_points(query, key, points, 1)[0]) > 0.5


def test_coarser_layers_take_the_points_in_the_middle_of_their_cells():
    points = centres(4, 3).repeat_interleave(2, 0).repeat_interleave(2, 1)[None].flip(2)  # mirrored
    query, key = drawn(1, 12, 8), drawn(1, 12, 8, seed=1)
    finer = distances_to_points(query, key, points, HEADS)
    torch.testing.assert_close(finer, distances_to_points(query, key, centres(4, 3)[None].flip(2), HEADS))


def test_rows_with_few_points_are_as_if_they_were_alone():
    query, key, points = drawn(3, 12, 8), drawn(3, 12, 8, seed=1), torch.rand(3, *GRID, 2)
    points[0, 1:] = torch.nan
    points[1] = torch.nan
    together = distances_to_points(query, key, points, HEADS)
    alone = [
        distances_to_points(query[r : r + 1], key[r : r + 1], points[r : r + 1], HEADS) for r in range(3)
    ]
    assert [len(row) for row in alone] == [3, 0, 12]
    torch.testing.assert_close(together, torch.cat(alone))


def test_a_point_at_the_rim_counts_the_last_token_whole():
    query, key = drawn(1, 12, 8), torch.zeros(1, 12, 8)
    points = torch.ones(1, *GRID, 2)
    distance = distances_to_points(query, key, points, HEADS)
    torch.testing.assert_close(distance, torch.full_like(distance, math.log(12)), rtol=0, atol=0.01)


def test_the_loss_is_the_mean_over_known_positions_then_over_layers():
    points = torch.full((2, *GRID, 2), torch.nan)
    points[1, 0, 0] = torch.tensor([0.5, 0.125])  # the middle of a token
    points[1, 3, 2] = torch.tensor([0.5, 0.125])
    watching = Correspondence(points=points)
    watching.observe("even", [(slice(0, 2), drawn(2, 12, 8), torch.zeros(2, 12, 8))], HEADS)
    assert len(watching.losses["even"]) == 2
    assert float(watching.loss()) == pytest.approx(-math.log(1 / 12 + LEAST), rel=1e-4)
    watching.observe("among more", [(slice(1, 2), drawn(1, 12, 8), torch.zeros(1, 24, 8))], HEADS)
    expected = -(math.log(1 / 12 + LEAST) + math.log(1 / 24 + LEAST)) / 2
    assert float(watching.loss()) == pytest.approx(expected, rel=1e-4)


def test_gradients_are_finite_wherever_the_points_lie():
    query, key = drawn(1, 12, 8).requires_grad_(), (50 * drawn(1, 12, 8, seed=1)).requires_grad_()
    points = centres(*GRID)[None].flip(1)
    points[0, 1] = torch.rand(3, 2)
    distances_to_points(query, key, points, HEADS).sum().backward()
    assert query.grad.isfinite().all() and key.grad.isfinite().all()
    assert query.grad.abs().sum() > 0


def test_nothing_known_is_no_loss_and_harms_no_weight():
    points = torch.full((1, *GRID, 2), torch.nan)
    watching = Correspondence(points=points)
    assert watching.loss() == 0
    query = drawn(1, 12, 8).requires_grad_()
    watching.observe("layer", [(slice(0, 1), query, query)], HEADS)
    watching.loss().backward()
    assert torch.equal(query.grad, torch.zeros_like(query))
