import pytest
import torch

from toile.wardrobe_rows import find_runs, owned_items, shifted

TOKENS = torch.arange(5 * 2 * 3).reshape(5, 2, 3).float()


def by_hand(owner):
    """A row's tokens: those of its items, one item after the other."""
    return torch.cat([TOKENS[item] for item in owned_items(owner)])


@pytest.mark.parametrize(
    ("rows", "number"),
    [
        (((0, 1), (0, 1), (0, 1)), 1),
        (((0, 1), (2, 3), (4,)), 2),
        ((-1, (), (0, 1, 2), (3, 4)), 3),
        (((0, 2), (0, 2), (2, 0)), 2),
        (((3, 4), 1, 2, 3), 2),
        (((1, 1), (1, 1)), 1),
        ((4, (3, 4), -1, -1), 3),
    ],
)
def test_every_row_sees_its_own_items_side_by_side(rows, number):
    runs = list(find_runs(rows))
    assert len(runs) == number
    assert [place for run in runs for place in range(run.rows.start, run.rows.stop)] == list(range(len(rows)))
    for run in runs:
        owners = rows[run.rows]
        if run.items is None:
            assert all(owned_items(owner) == () for owner in owners)
            continue
        seen = run.take(TOKENS)
        assert seen.shape == (len(owners), 2 * run.each, 3)
        for row, owner in zip(seen, owners, strict=True):
            assert torch.equal(row, by_hand(owner))


def test_one_outfit_for_many_rows_is_a_view():
    (run,) = find_runs(((1, 2),) * 4)
    assert run.take(TOKENS).untyped_storage().data_ptr() == TOKENS.untyped_storage().data_ptr()


def test_items_move_when_others_are_put_in_front():
    assert [shifted(owner, 3) for owner in (0, -1, (), (0, 2))] == [3, -1, (), (3, 5)]
