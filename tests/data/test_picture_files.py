from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.data.layouts import SIZE, garment, labels, mask, picture, save

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


def with_parse(tmp_path: Path, parse: Image.Image, **more: object) -> FilePictures:
    save(picture(0), tmp_path / "p.png")
    save(parse, tmp_path / "parse.png")
    files = {"person_file": tmp_path / "p.png", "garment_file": tmp_path / "p.png"}
    return FilePictures(**files, parse_file=tmp_path / "parse.png", **more)  # type: ignore[arg-type]


def test_parse_maps_as_grey_or_palette_in_either_label_set(tmp_path: Path) -> None:
    palette = labels().convert("P")
    palette.putpalette([9, 9, 9] * 256)
    for parse in (labels(), palette):
        own = with_parse(tmp_path, parse).parse()
        assert own is not None and (np.asarray(own) == np.asarray(labels())).all()
        translated = with_parse(tmp_path, parse, label_set="atr").parse()
        assert translated is not None and set(np.unique(np.asarray(translated))) == {0, 5, 9}


@pytest.mark.parametrize(
    ("parse", "message"),
    [
        (labels().convert("RGB"), "labels but RGB"),
        (labels((32, 24)), "measures 24×32 and its photo 48×64"),
        (mask(), "label 255"),
    ],
)
def test_bad_parse_maps_are_named(tmp_path: Path, parse: Image.Image, message: str) -> None:
    with pytest.raises(ToileError, match=rf"parse map .*parse\.png: .*{message}"):
        with_parse(tmp_path, parse).parse()


def test_without_parse_map_and_joints_there_are_none(tmp_path: Path) -> None:
    save(picture(0), tmp_path / "p.png")
    pictures = FilePictures(person_file=tmp_path / "p.png", garment_file=tmp_path / "p.png")
    assert pictures.parse() is None and pictures.pose() is None
    with pytest.raises(ToileError, match=r"joints are missing: .*gone\.json"):
        FilePictures(
            person_file=tmp_path / "p.png",
            garment_file=tmp_path / "p.png",
            pose_file=tmp_path / "gone.json",
        )
