import numpy as np

from toile.dolls.noise import cosine, sine, smooth_field


def test_a_constant_stays_constant():
    np.testing.assert_allclose(smooth_field(np.full((5, 6), 0.5), (40, 30)), 0.5, atol=1e-3)


def test_the_field_is_smooth_and_the_same_at_each_size():
    grid = np.random.default_rng(0).random((6, 6)) * 2 - 1
    small, large = smooth_field(grid, (64, 48)), smooth_field(grid, (128, 96))
    assert np.abs(np.diff(small, axis=0)).max() < 0.2
    np.testing.assert_allclose(large.reshape(64, 2, 48, 2).mean(axis=(1, 3)), small, atol=5e-3)


def test_sine_and_cosine():
    angles = np.linspace(-9, 9, 12).reshape(3, 4)
    np.testing.assert_allclose(sine(angles), np.sin(angles), atol=1e-15)
    np.testing.assert_allclose(cosine(angles), np.cos(angles), atol=1e-15)
