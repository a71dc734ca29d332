import pytest
import torch
from transformers.models.mask2former.modeling_mask2former import Mask2FormerSinePositionEmbedding

from toile.errors import ToileError
from toile.twgtm.positions import sine_positions


@pytest.mark.parametrize("size", [(5, 7), (1, 1), (16, 12)])
def test_positions_are_those_of_mask2former(size):
    features = torch.zeros(2, 24, *size)
    reference = Mask2FormerSinePositionEmbedding(num_position_features=12, normalize=True)
    expected = reference(features.shape, features.device, features.dtype)
    torch.testing.assert_close(sine_positions(features).expand(len(expected), -1, -1, -1), expected)


def test_positions_have_the_kind_of_number_of_the_features():
    found = sine_positions(torch.zeros(1, 8, 3, 3, dtype=torch.bfloat16))
    assert found.dtype == torch.bfloat16


def test_channels_that_do_not_divide_are_refused():
    with pytest.raises(ToileError, match="6 channels"):
        sine_positions(torch.zeros(1, 6, 3, 3))
