"""Which layout a folder has, or is nearest to."""

from pathlib import Path

import pytest
from tests.data.doctor.breaking import codes, found

from toile.data.doctor.checkup import check_dataset
from toile.data.doctor.layout import recognise


def make(root: Path, *folders: str) -> Path:
    for folder in folders:
        (root / folder).mkdir(parents=True)
    return root


@pytest.mark.parametrize(
    ("folders", "name"),
    [
        (("train/image", "train/cloth"), "VITON-HD"),
        (("test/image", "test/cloth", "test/pose-coco18"), "VITON-HD"),
        (("dresses/images",), "DressCode"),
        (("persons", "garments"), "plain folder"),
        (("validation/image", "annotations"), "StreetTryOn"),
    ],
)
def test_layouts_are_recognised(tmp_path: Path, folders: tuple[str, ...], name: str) -> None:
    recognition = recognise(make(tmp_path, *folders))
    assert (recognition.layout.name, recognition.certain) == (name, True)


@pytest.mark.parametrize(
    ("folders", "name", "missing", "hint"),
    [
        (("train/image", "train/clothes"), "VITON-HD", ("train/cloth",), "train/clothes may be meant for"),
        (("train/images", "train/cloth"), "VITON-HD", ("train/image",), "train/images may be meant for"),
        (("person", "garments"), "plain folder", ("persons",), "person may be meant for persons"),
        (("data/train/image", "data/train/cloth"), "VITON-HD", (), "data is in VITON-HD's layout"),
    ],
)
def test_the_nearest_layout_and_what_it_lacks(
    tmp_path: Path, folders: tuple[str, ...], name: str, missing: tuple[str, ...], hint: str
) -> None:
    recognition = recognise(make(tmp_path, *folders))
    assert not recognition.certain
    assert recognition.layout.name == name
    assert set(missing) <= set(recognition.missing)
    assert any(hint in text for text in recognition.hints), recognition.hints


def test_the_folder_inside_a_dataset_is_led_back(viton_hd: Path) -> None:
    assert any("viton-hd is in VITON-HD's layout" in hint for hint in recognise(viton_hd / "train").hints)


def test_an_unknown_layout_is_a_fault(tmp_path: Path) -> None:
    report = check_dataset(make(tmp_path, "holiday"))
    assert codes(report) == {"layout-unknown"} and report.exit_code == 2


def test_street_photos_and_their_lists(viton_hd: Path, tmp_path: Path) -> None:
    root = make(tmp_path, "annotations", "train")
    (root / "validation").mkdir()
    (root / "train/image").symlink_to(viton_hd / "train/image")
    (root / "validation/image").mkdir()
    for path in (viton_hd / "test/image").iterdir():
        (root / "validation/image" / path.name).write_bytes(path.read_bytes())
    text = ",from,to\n0,00000100_00.jpg,00000101_00.jpg\n1,00000100_00.jpg,gone.jpg\n2,00000100_00.jpg\n"
    (root / "annotations/street2street_test_pairs_top.csv").write_text(text)
    report = check_dataset(root)
    assert report.layout == "StreetTryOn"
    assert found(report) == {
        ("link-outside", "train/image"),
        ("list-names-missing", "annotations/street2street_test_pairs_top.csv:3"),
        ("list-malformed", "annotations/street2street_test_pairs_top.csv:4"),
    }
