from pathlib import Path

import pytest

from toile.data.pair_list import read_pair_list
from toile.errors import ToileError


def test_rows_in_order_whatever_parts_them(tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    path.write_bytes("\ufeffb.jpg a.jpg\r\n\na.jpg\tb.jpg\t0\n".encode())
    assert read_pair_list(path) == [("b.jpg", "a.jpg"), ("a.jpg", "b.jpg", "0")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is missing"),
        (b"", "is empty"),
        (b"a.jpg b.jpg\nc.jpg\n", "'c.jpg'"),
        (b"\xff\xfe\x00", "no UTF-8 text"),
    ],
)
def test_bad_lists(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "test_pairs.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ToileError, match=message):
        read_pair_list(path)


def test_a_folder_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="cannot be read"):
        read_pair_list(tmp_path)
