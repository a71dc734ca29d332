import pytest

from toile.errors import ToileError
from toile.tasks.size import parse_size


@pytest.mark.parametrize("text", ["256x192", "256X192", "256×192", " 256x192 "])
def test_height_comes_first(text):
    assert parse_size(text) == (256, 192)


@pytest.mark.parametrize("text", ["", "256", "256x", "0x192", "-1x192", "256x192x3", "a x b", "1000000x1"])
def test_anything_else_is_refused(text):
    with pytest.raises(ToileError, match="HEIGHTxWIDTH"):
        parse_size(text)
