import math
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from toile.errors import ToileError
from toile.evaluation.metrics import FeatureAccumulator, PerImageAccumulator
from toile.evaluation.metrics import accumulators as module

VALUES = np.random.default_rng(0).normal(1e6, 1, size=20)
NAMES = [f"item-{number:02}" for number in range(20)]
VECTORS = np.random.default_rng(1).normal(100, 1, size=(40, 6)).astype(np.float32)
ITEMS = [f"item-{number:02}" for number in range(40)]


def test_the_mean_does_not_depend_on_order_batches_or_processes() -> None:
    whole = PerImageAccumulator()
    whole.add(NAMES, VALUES)
    first, second = PerImageAccumulator(), PerImageAccumulator()
    for row in np.random.default_rng(2).permutation(20):
        (first if row % 3 else second).add([NAMES[row]], VALUES[row : row + 1])
    first.merge(second)
    assert first.mean() == whole.mean() == math.fsum(VALUES) / 20
    assert first.values == whole.values and list(first.values) == NAMES


def test_what_was_not_measured_is_left_out_of_the_mean() -> None:
    accumulator = PerImageAccumulator()
    assert math.isnan(accumulator.mean())
    accumulator.add(["a", "b", "c"], np.array([1.0, math.nan, 2.0]))
    assert len(accumulator) == 3 and accumulator.mean() == 1.5


def test_values_are_kept_and_gone_on_from() -> None:
    accumulator = PerImageAccumulator()
    accumulator.add(NAMES[:5], VALUES[:5])
    again = PerImageAccumulator.from_state(accumulator.state())
    again.add(NAMES[5:], VALUES[5:])
    assert len(again) == 20 and len(accumulator) == 5


def test_every_picture_has_one_value() -> None:
    accumulator = PerImageAccumulator()
    accumulator.add(["a"], np.array([1.0]))
    with pytest.raises(ToileError, match="a was measured twice"):
        accumulator.add(["a"], np.array([1.0]))
    with pytest.raises(ToileError, match="2 values for 1 pictures"):
        accumulator.add(["b"], np.array([1.0, 2.0]))
    other = PerImageAccumulator()
    other.add(["b", "a"], np.array([2.0, 1.0]))
    with pytest.raises(ToileError, match="a was measured twice"):
        accumulator.merge(other)
    with pytest.raises(ToileError, match="c was measured twice"):
        accumulator.add(["c", "c"], np.array([2.0, 2.0]))
    assert accumulator.values == {"a": 1.0}


def gathered(batch: int, folder: Path | None = None, rows: range = range(40)) -> FeatureAccumulator:
    accumulator = FeatureAccumulator(6, folder=folder)
    for start in range(rows.start, rows.stop, batch):
        stop = min(start + batch, rows.stop)
        accumulator.add(ITEMS[start:stop], VECTORS[start:stop])
    return accumulator


@pytest.mark.parametrize("batch", [1, 7, 40])
@pytest.mark.parametrize("fold", [1, 10, 256])
def test_moments_agree_with_numpy_whatever_the_batch(
    batch: int, fold: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FOLD_ROWS", fold)
    accumulator = gathered(batch)
    assert len(accumulator) == 40
    assert np.allclose(accumulator.mean, VECTORS.astype(np.float64).mean(axis=0), rtol=1e-12)
    assert np.allclose(accumulator.covariance, np.cov(VECTORS.astype(np.float64), rowvar=False), rtol=1e-9)


def test_nothing_cancels_where_the_mean_is_large() -> None:
    far = (VECTORS + 1e5).astype(np.float32)
    accumulator = FeatureAccumulator(6)
    for row in range(40):
        accumulator.add([ITEMS[row]], far[row : row + 1])
    assert np.allclose(accumulator.covariance, np.cov(far.astype(np.float64), rowvar=False), rtol=1e-9)


def test_processes_merge_to_the_same_moments_and_features(tmp_path: Path) -> None:
    first, second = gathered(4, tmp_path, range(0, 24)), gathered(5, tmp_path, range(24, 40))
    second.merge(first)
    whole = gathered(40)
    assert len(second) == 40
    assert np.allclose(second.mean, whole.mean, rtol=1e-12)
    assert np.allclose(second.covariance, whole.covariance, rtol=1e-9)
    assert np.array_equal(second.features(), VECTORS)


def test_features_come_sorted_by_identifier(tmp_path: Path) -> None:
    accumulator = FeatureAccumulator(6, folder=tmp_path)
    for rows in np.random.default_rng(3).permutation(40).reshape(8, 5):
        accumulator.add([ITEMS[row] for row in rows], VECTORS[rows])
    assert np.array_equal(accumulator.features(), VECTORS)


def test_stopped_and_gone_on_gives_the_same(tmp_path: Path) -> None:
    stopped = gathered(6, tmp_path / "features", range(0, 18))
    save_file(stopped.state(), tmp_path / "state.safetensors")
    stopped.add(ITEMS[18:30], VECTORS[18:30])  # written, but the state was not kept
    again = FeatureAccumulator.from_state(
        load_file(tmp_path / "state.safetensors"), folder=tmp_path / "features"
    )
    assert len(again) == 18
    for start in range(18, 40, 11):
        again.add(ITEMS[start : start + 11], VECTORS[start : start + 11])
    assert np.array_equal(again.features(), VECTORS)
    assert np.allclose(again.covariance, gathered(40).covariance, rtol=1e-9)


def test_without_a_folder_there_are_no_features() -> None:
    with pytest.raises(ToileError, match="no features were kept; give the accumulator a folder"):
        gathered(8).features()


def test_wrong_vectors_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    accumulator = FeatureAccumulator(6, folder=tmp_path)
    broken = VECTORS[:2].copy()
    broken[1, 3] = np.nan
    with pytest.raises(ToileError, match="the features of item-01 are not finite"):
        accumulator.add(ITEMS[:2], broken)
    with pytest.raises(ToileError, match=r"the shape \(2, 6\) do not fit 3 pictures of 6 numbers"):
        accumulator.add(ITEMS[:3], VECTORS[:2])
    with pytest.raises(ToileError, match="at least two pictures, not 0"):
        _ = accumulator.covariance
    assert len(accumulator) == 0 and not list(tmp_path.iterdir())


def test_every_picture_counts_once(tmp_path: Path) -> None:
    accumulator = gathered(8, tmp_path)
    with pytest.raises(ToileError, match="x was measured twice"):
        accumulator.add(["x", "x"], VECTORS[:2])
    with pytest.raises(ToileError, match="the batch of item-08 was added twice"):
        accumulator.add(ITEMS[8:16], VECTORS[8:16])
    with pytest.raises(ToileError, match="each picture counts once"):
        accumulator.merge(gathered(8, tmp_path))
    accumulator.add(ITEMS[8:9], VECTORS[8:9])  # in another batch it is found when all are read
    with pytest.raises(ToileError, match="item-08 was measured twice"):
        accumulator.features()


def test_features_of_other_networks_or_folders_do_not_mix(tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="vectors of 5 numbers cannot join vectors of 6"):
        gathered(8).merge(FeatureAccumulator(5))
    with pytest.raises(ToileError, match="processes keep theirs in one folder"):
        gathered(8).merge(FeatureAccumulator(6, folder=tmp_path))


def test_a_damaged_or_missing_file_is_said(tmp_path: Path) -> None:
    accumulator = gathered(20, tmp_path)
    first, second = sorted(tmp_path.iterdir())
    first.write_bytes(b"damaged")
    with pytest.raises(ToileError, match=r"the features in .* cannot be read"):
        accumulator.features()
    gathered(20, tmp_path)
    second.unlink()
    with pytest.raises(ToileError, match=r"the features in .* cannot be read"):
        accumulator.features()
