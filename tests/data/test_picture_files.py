from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.data.layouts import SIZE, garment, mask, picture, save

from toile.data.picture_files import FilePictures, read_mask, silhouette_of
from toile.errors import ToileError


def test_masks_become_binary_whatever_the_file(tmp_path: Path) -> None:
    save(mask().convert("RGB"), tmp_path / "mask.jpg")
    found = np.asarray(read_mask(tmp_path / "mask.jpg"))
    assert set(np.unique(found)) == {0, 255}
    assert (found != np.asarray(mask())).mean() < 0.01


def test_the_silhouette_is_what_is_not_white() -> None:
    found = np.asarray(silhouette_of(garment(1)))
    assert (found == np.where((np.asarray(garment(1)) < 255).any(axis=2), 255, 0)).all()


def test_without_a_mask_the_whole_photo_counts(tmp_path: Path) -> None:
    save(picture(0), tmp_path / "p.png")
    save(garment(0), tmp_path / "g.png")
    found = FilePictures(person_file=tmp_path / "p.png", garment_file=tmp_path / "g.png").mask()
    assert found.size == (SIZE[1], SIZE[0])
    assert found.getextrema() == (255, 255)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    save(picture(0), tmp_path / "p.png")
    with pytest.raises(ToileError, match=r"garment picture is missing: .*gone\.jpg"):
        FilePictures(person_file=tmp_path / "p.png", garment_file=tmp_path / "gone.jpg")


def test_a_broken_file_is_named_when_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(b"no picture")
    Image.new("RGB", (2, 2)).save(tmp_path / "g.png")
    pictures = FilePictures(person_file=tmp_path / "p.png", garment_file=tmp_path / "g.png")
    with pytest.raises(ToileError, match=r"p\.png"):
        pictures.person()
