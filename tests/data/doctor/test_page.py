"""The page shows what was found, from its own folder alone, and never writes over what is not its own."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.data.doctor.broken_files import cut_short
from tests.data.doctor.broken_masks import hugging_mask, small_agnostic
from tests.data.doctor.broken_sets import copied, no_list

from toile.data.doctor.checkup import check_dataset
from toile.data.doctor.page import PICTURES, write_page
from toile.errors import ToileError


@pytest.fixture
def page(viton_hd: Path, copy_of: Callable[[Path], Path], tmp_path: Path) -> Path:
    root = copy_of(viton_hd)
    cut_short(root)
    no_list(root)
    for breaking in (copied, hugging_mask, small_agnostic):
        breaking(root)
    return write_page(check_dataset(root), tmp_path / "page")


def test_pictures_are_there_and_nothing_comes_from_elsewhere(page: Path) -> None:
    text = page.read_text()
    sources = re.findall(r'src="([^"]+)"', text)
    assert sources and all((page.parent / source).is_file() for source in sources)
    assert sorted(sources) == sorted(f"{PICTURES}/{path.name}" for path in (page.parent / PICTURES).iterdir())
    assert "http" not in text and "<script" not in text
    for code in ("file-truncated", "list-missing", "duplicate", "mask-gives-away-shape", "condition-size"):
        assert f'id="{code}"' in text


def test_the_outline_of_a_mask_is_drawn_on_its_photo(page: Path) -> None:
    with Image.open(page.parent / PICTURES / "mask-gives-away-shape-1-2.png") as picture:
        red, green, _ = np.moveaxis(np.asarray(picture).astype(int), 2, 0)
    assert (red - green > 150).mean() > 0.005


def test_a_page_is_written_over_but_nothing_else_is(page: Path, tmp_path: Path, viton_hd: Path) -> None:
    report = check_dataset(viton_hd)
    write_page(report, page.parent)
    assert "nothing wrong" in page.read_text() and not list((page.parent / PICTURES).iterdir())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").write_text("dear")
    with pytest.raises(ToileError, match="holds other files"):
        write_page(report, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_names_are_escaped(viton_hd: Path, copy_of: Callable[[Path], Path], tmp_path: Path) -> None:
    root = copy_of(viton_hd)
    (root / "train/image/<script>alert(1).jpg").write_bytes(b"")
    assert "<script>" not in write_page(check_dataset(root), tmp_path / "page").read_text()
