import numpy as np
import pytest
from PIL import Image

from toile.evaluation.sheet import GAP, TITLE, picture_sheet


def test_every_picture_is_where_it_belongs() -> None:
    rows = [
        [Image.new("RGB", (30, 40), (10 * row, 10 * column, 0)) for column in range(3)] for row in range(2)
    ]
    sheet = np.asarray(picture_sheet(["a", "b", "a much longer title than fits"], rows))
    assert sheet.shape == (TITLE + 2 * (40 + GAP) + GAP, 3 * (30 + GAP) + GAP, 3)
    for row in range(2):
        for column in range(3):
            pixel = sheet[TITLE + GAP + row * (40 + GAP) + 20, GAP + column * (30 + GAP) + 15]
            assert pixel.tolist() == [10 * row, 10 * column, 0]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="row 0 has 1 pictures for 2 titles"):
        picture_sheet(["a", "b"], [[Image.new("RGB", (4, 4))]])
