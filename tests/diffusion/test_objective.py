import torch

from toile.diffusion.objective import denoising_loss, drop_conditions


def test_loss_is_the_mean_squared_difference_in_float32():
    prediction, target = torch.randn(2, 3, 2, 4, 4, dtype=torch.bfloat16).unbind()
    loss = denoising_loss(prediction, target)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, (prediction.float() - target.float()).square().mean())


def test_conditions_are_dropped_as_often_as_asked():
    generator = torch.Generator().manual_seed(0)
    assert not drop_conditions(100, 0.0, generator).any()
    assert 0.08 < drop_conditions(10_000, 0.1, generator).float().mean() < 0.12
