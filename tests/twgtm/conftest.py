"""Every test of TWGTM draws the same random weights, whichever tests ran before it."""

import pytest
import torch


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)
