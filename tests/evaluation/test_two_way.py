from dataclasses import replace

import pytest
import torch
from tests.twgtm.small_pipeline import small_pipeline

from toile.data.open import open_pairs
from toile.errors import ToileError
from toile.evaluation.two_way import task_similarity


@pytest.fixture(scope="module")
def pipeline():
    return small_pipeline()


@pytest.fixture(scope="module")
def pairs(pipeline):
    return list(open_pairs("dolls:3:2", size=pipeline.default_size))


def test_every_block_is_compared_with_every_other(pipeline, pairs) -> None:
    found = task_similarity(pipeline, pairs)
    assert found.matrix.shape == (len(found.names),) * 2
    assert len(set(found.names)) == len(found.names)
    diagonal = found.matrix.diagonal()
    assert diagonal.isfinite().all() and (diagonal.abs() <= 1 + 1e-6).all()


def test_a_task_is_quite_like_itself(pipeline, pairs) -> None:
    """Where person, garment and the place to repaint are alike, so are the outputs of both tasks."""

    class Same:
        """A pair whose four pictures are one."""

    def same(pair):
        blank = pair.garment.convert("L").point(lambda _: 255)
        pictures = Same()
        pictures.person = pictures.garment = lambda: pair.garment
        pictures.mask = pictures.silhouette = lambda: blank
        pictures.parse = pictures.pose = lambda: None
        return replace(pair, pictures=pictures)

    found = task_similarity(pipeline, [same(pair) for pair in pairs], swap=False)
    torch.testing.assert_close(found.matrix.diagonal(), torch.ones(len(found.names)))
    assert task_similarity(pipeline, pairs, swap=False).matrix.diagonal().min() < 0.999


def test_the_noise_is_the_seeds(pipeline, pairs) -> None:
    first, again, other = (
        task_similarity(pipeline, pairs[:1], timestep=900, seed=seed).matrix for seed in (1, 1, 2)
    )
    assert torch.equal(first.nan_to_num(9), again.nan_to_num(9))
    assert not torch.equal(first.nan_to_num(9), other.nan_to_num(9))


def test_nothing_to_compare_is_refused(pipeline, pairs) -> None:
    with pytest.raises(ToileError, match="at least one pair"):
        task_similarity(pipeline, [])
    with pytest.raises(ToileError, match="timestep is -1"):
        task_similarity(pipeline, pairs, timestep=-1)
