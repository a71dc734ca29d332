from pathlib import Path

import numpy as np
import pytest
from tests.data.layouts import mask, write_viton_hd

from toile.data.parse_labels import LIP
from toile.data.viton_hd import is_viton_hd, open_viton_hd
from toile.dolls.draw import draw_doll
from toile.dolls.writers import DatasetSettings, write_dataset
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
    swapped = open_viton_hd(tmp_path, "test", paired=False)
    assert [(pair.identifier, pair.garment_identifier) for pair in swapped] == [("a", "b"), ("b", "a")]
    assert all(
        (np.asarray(pair.garment) == true).all() for pair, true in zip(swapped, honest[::-1], strict=True)
    )
    assert not any(pair.paired for pair in swapped)


def test_a_list_of_its_own_comes_before_the_second_column(tmp_path: Path) -> None:
    write_viton_hd(tmp_path, ("a", "b"))
    with pytest.raises(ToileError, match="true pairs only"):
        open_viton_hd(tmp_path, "test", paired=False)
    (tmp_path / "test_pairs_unpaired.txt").write_text("b.jpg a.jpg\n")
    (pair,) = open_viton_hd(tmp_path, "test", paired=False)
    assert (pair.identifier, pair.garment_identifier) == ("b", "a")


def test_dolls_are_read_back_whole(tmp_path: Path) -> None:
    settings = DatasetSettings(out=tmp_path, count=3, split="test", size=(64, 48))
    write_dataset(settings, progress=False)
    pairs = open_viton_hd(tmp_path, "test")
    for seed, pair in enumerate(pairs):
        doll = draw_doll(seed, (64, 48), "studio", "upper")
        assert (np.asarray(pair.parse) == doll.parse).all()
        assert (np.asarray(pair.mask) == doll.agnostic_mask).all()
        assert pair.pose is not None and np.allclose(pair.pose.keypoints[:, 2] > 0, doll.joints[:, 2] > 0)
        seen = doll.joints[:, 2] > 0
        assert np.allclose(pair.pose.keypoints[seen, :2], doll.joints[seen, :2], atol=2e-3)
        assert (pair.caption, pair.garment_caption) == (doll.caption, doll.garment_caption)
    swapped = open_viton_hd(tmp_path, "test", paired=False)
    assert [pair.garment_identifier for pair in swapped] == ["00000001_00", "00000002_00", "00000000_00"]
    assert (np.asarray(swapped[0].person) == np.asarray(pairs[0].person)).all()
    assert (np.asarray(swapped[0].garment) == np.asarray(pairs[1].garment)).all()
    assert (np.asarray(swapped[0].silhouette) == np.asarray(pairs[1].silhouette)).all()
    assert swapped[0].garment_caption == pairs[1].garment_caption
    assert swapped[0].reasons is None


@pytest.mark.parametrize("name", ["../a.jpg", "/a.jpg", "a\0.jpg", "x/../../a.jpg"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    write_viton_hd(tmp_path, ("a",))
    (tmp_path / "test_pairs.txt").write_text(f"{name} a.jpg\n")
    for paired in (True, False):
        with pytest.raises(ToileError, match=r"test_pairs\.txt names the file"):
            open_viton_hd(tmp_path, "test", paired=paired)


def test_links_that_lead_out_are_refused(tmp_path: Path) -> None:
    write_viton_hd(tmp_path / "set", ("a",))
    photo = tmp_path / "set" / "test" / "image" / "a.jpg"
    photo.rename(tmp_path / "a.jpg")
    photo.symlink_to(tmp_path / "a.jpg")
    with pytest.raises(ToileError, match=r"a\.jpg is a link that leads out"):
        open_viton_hd(tmp_path / "set", "test")


def test_the_missing_file_is_named(tmp_path: Path) -> None:
    write_viton_hd(tmp_path, ("a", "b"))
    (tmp_path / "test" / "cloth" / "b.jpg").unlink()
    with pytest.raises(ToileError, match=r"garment picture is missing: .*cloth/b\.jpg"):
        open_viton_hd(tmp_path, "test")


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


@needs_samples
@pytest.mark.parametrize(
    ("folder", "swapped", "parsed"), [("viton-256-mini", 60, 60), ("viton-hd-mini", 16, 7)]
)
def test_conditions_of_real_samples(folder: str, swapped: int, parsed: int) -> None:
    pairs = open_viton_hd(SAMPLES / folder, "test", paired=False)
    assert len(pairs) == swapped
    assert not any(pair.paired or pair.identifier == pair.garment_identifier for pair in pairs)
    known = [pair for pair in pairs if pair.parse is not None]
    assert len(known) == parsed
    for pair in known[:4]:
        assert pair.parse is not None and pair.pose is not None
        width, height = pair.person.size
        assert pair.parse.size == (width, height)
        parse = np.asarray(pair.parse)
        assert {LIP["upper"], LIP["hair"], LIP["face"]} <= set(np.unique(parse)) <= set(LIP.values())
        assert pair.pose.found("neck", "left shoulder", "right shoulder")
        x, y = pair.pose.point("nose").round().astype(int)
        assert parse[y, x] == LIP["face"]
