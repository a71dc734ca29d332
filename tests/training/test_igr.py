from dataclasses import replace

import pytest

from toile.errors import ToileError
from toile.igr.recipes import tiny_coarse
from toile.training.igr import load_igr


def test_a_size_that_the_model_cannot_work_at_is_refused_before_it_is_trained():
    with pytest.raises(ToileError, match=r"size 72×40: .* multiples of 32; take 64×32"):
        load_igr(replace(tiny_coarse(), size=(72, 40)))
