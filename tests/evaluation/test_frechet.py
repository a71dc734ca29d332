import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from toile.errors import ToileError
from toile.evaluation.frechet import frechet_distance


def vectors(count: int, seed: int, width: int = 5) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(width, width, generator=generator)
    return torch.randn(count, width, generator=generator) @ mixing + torch.randn(width, generator=generator)


def test_against_the_formula_with_scipys_root() -> None:
    first, second = vectors(40, 0), vectors(60, 1)
    a, b = first.double().numpy(), second.double().numpy()
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = sqrtm(cov_a @ cov_b).real
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(cov_a + cov_b - 2 * root)
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-6)


def test_a_shift_alone_is_its_square() -> None:
    first = vectors(30, 0)
    assert frechet_distance(first, first + torch.tensor([3.0, 0, 0, 0, 4.0])) == pytest.approx(25, rel=1e-5)


def test_one_number_each_is_known_in_closed_form() -> None:
    first, second = torch.tensor([[0.0], [2.0]]), torch.tensor([[0.0], [6.0]])
    expected = (1 - 3) ** 2 + (2**0.5 - 18**0.5) ** 2
    assert frechet_distance(first, second) == pytest.approx(expected)


def test_equal_sets_are_at_distance_zero_even_with_fewer_vectors_than_numbers() -> None:
    few = vectors(4, 2, width=12)
    assert frechet_distance(few, few) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(few, few.flip(0)) == pytest.approx(0, abs=1e-6)


def test_symmetric_and_never_negative() -> None:
    first, second = vectors(20, 0), vectors(20, 3)
    assert frechet_distance(first, second) == pytest.approx(frechet_distance(second, first), rel=1e-6)
    assert frechet_distance(first, first) >= 0


def test_a_single_vector_is_refused() -> None:
    with pytest.raises(ToileError, match="not 1 and 20"):
        frechet_distance(vectors(1, 0), vectors(20, 1))
