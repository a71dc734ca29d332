import pytest

from toile.diffusion.optimization import Optimization
from toile.training.schedule import learning_rate


def _optimization(final: float | None, warmup: int = 4, steps: int = 11) -> Optimization:
    return Optimization(
        steps=steps, batch_size=1, learning_rate=1.0, warmup_steps=warmup, final_learning_rate=final
    )


def test_warm_up_is_linear_and_then_constant() -> None:
    rates = [learning_rate(_optimization(None), step) for step in range(11)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert rates[5:] == [1.0] * 6


def test_a_cosine_goes_from_the_peak_to_the_end() -> None:
    rates = [learning_rate(_optimization(0.1), step) for step in range(11)]
    assert rates[4] == 1.0
    assert rates[7] == pytest.approx(0.55)
    assert rates[10] == pytest.approx(0.1)
    assert rates[4:] == sorted(rates[4:], reverse=True)


def test_a_warm_up_as_long_as_the_run_is_no_division_by_zero() -> None:
    assert learning_rate(_optimization(0.1, warmup=10), 10) == pytest.approx(0.1)
    assert learning_rate(_optimization(0.1, warmup=0, steps=1), 0) == pytest.approx(0.1)
