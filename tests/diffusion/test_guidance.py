import pytest
import torch

from toile.diffusion.guidance import guide, guided_rows


def test_guidance_is_equation_2():
    conditional, unconditional = torch.randn(2, 3, 4, 4, 4).unbind()
    guided = guide(conditional, unconditional, 1.5)
    torch.testing.assert_close(guided, unconditional + 1.5 * (conditional - unconditional))
    assert torch.equal(guide(conditional, unconditional, 1.0), conditional)
    assert torch.equal(guide(conditional, unconditional, 0.0), unconditional)


@pytest.mark.parametrize(("items", "rows"), [(1, (-1, 0)), (3, (-1, -1, -1, 0, 1, 2))])
def test_unconditional_rows_come_first(items, rows):
    assert guided_rows(items) == rows
