from pathlib import Path

import numpy as np
import pytest
from tests.data.layouts import mask, write_viton_hd

from toile.data.viton_hd import is_viton_hd, open_viton_hd, read_pair_list
from toile.errors import ToileError

SAMPLES = Path(__file__).parents[2] / ".." / "shared" / "samples"
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the sample photos are not beside the repository"
)


def test_pairs_in_the_order_of_the_list(tmp_path: Path) -> None:
    write_viton_hd(tmp_path, ("b", "a"))
    assert is_viton_hd(tmp_path)
    pairs = open_viton_hd(tmp_path, "test")
    assert [pair.identifier for pair in pairs] == ["b", "a"]
    assert (np.asarray(pairs[0].mask) == np.asarray(mask())).all()
    assert pairs[0].has_mask


def test_an_unpaired_list_gives_true_pairs_too(tmp_path: Path) -> None:
    write_viton_hd(tmp_path, ("a", "b"))
    honest = [np.asarray(pair.garment) for pair in open_viton_hd(tmp_path, "test")]
    (tmp_path / "test_pairs.txt").write_text("a.jpg b.jpg\nb.jpg a.jpg\na.jpg a.jpg\n")
    found = open_viton_hd(tmp_path, "test")
    assert [pair.identifier for pair in found] == ["a", "b"]
    assert all((np.asarray(pair.garment) == true).all() for pair, true in zip(found, honest, strict=True))


def test_the_missing_file_is_named(tmp_path: Path) -> None:
    write_viton_hd(tmp_path, ("a", "b"))
    (tmp_path / "test" / "cloth" / "b.jpg").unlink()
    with pytest.raises(ToileError, match=r"garment picture is missing: .*cloth/b\.jpg"):
        open_viton_hd(tmp_path, "test")


@pytest.mark.parametrize(
    ("content", "message"), [(None, "is missing"), ("", "is empty"), ("a.jpg b.jpg\nc.jpg\n", "'c.jpg'")]
)
def test_bad_lists(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "test_pairs.txt"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ToileError, match=message):
        read_pair_list(path)


def test_an_unknown_split_is_refused(tmp_path: Path) -> None:
    write_viton_hd(tmp_path, ("a",))
    with pytest.raises(ToileError, match="no split 'train'"):
        open_viton_hd(tmp_path, "train")


@needs_samples
@pytest.mark.parametrize(("folder", "count", "masked"), [("viton-256-mini", 60, 60), ("viton-hd-mini", 7, 5)])
def test_real_samples(folder: str, count: int, masked: int) -> None:
    pairs = open_viton_hd(SAMPLES / folder, "test")
    assert len(pairs) == count
    assert sum(pair.has_mask for pair in pairs) == masked
    for pair in pairs[:2]:
        assert pair.person.mode == "RGB"
        assert pair.person.size == pair.mask.size == pair.garment.size == pair.silhouette.size
        assert not pair.has_mask or 0.05 < np.asarray(pair.mask).mean() / 255 < 0.95
