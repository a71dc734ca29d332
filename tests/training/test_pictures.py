"""Grids of pictures."""

import numpy as np
import torch

from toile.training.pictures import tile


def test_rows_stand_below_one_another() -> None:
    black, white = -torch.ones(3, 3, 8, 6), torch.ones(3, 3, 8, 6)
    grid = np.asarray(tile([black, 5 * white]))
    assert grid.shape == (24, 30, 3)
    assert (grid[2:10, 2:8] == 0).all()
    assert (grid[12:] == 255).all()
    assert (grid[:, 8:12] == 255).all()
