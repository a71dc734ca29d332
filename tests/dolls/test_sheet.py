import numpy as np
import pytest
from PIL import Image
from tests.dolls.gallery import doll

from toile.dolls.sheet import contact_sheet, save_sheet
from toile.errors import ToileError


def test_photo_mask_and_garment_stand_side_by_side():
    drawn = doll(40)
    sheet = np.array(contact_sheet([drawn]))
    assert np.array_equal(sheet[8 : 8 + 256, 8 : 8 + 192], drawn.person)
    assert np.array_equal(sheet[8 : 8 + 256, 8 + 384 : 8 + 576], drawn.garment)


def test_a_sheet_is_saved_whole(tmp_path):
    save_sheet(contact_sheet([doll(40)]), tmp_path / "new" / "sheet.png")
    assert Image.open(tmp_path / "new" / "sheet.png").size == (592, 315)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["sheet.png"]


def test_a_name_that_is_no_picture_is_refused(tmp_path):
    with pytest.raises(ToileError, match=r"sheet\.png"):
        save_sheet(contact_sheet([doll(40)]), tmp_path / "sheet.txt")
