import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.data.layouts import labels, picture, save

from toile.decoding import decode, picture_size
from toile.errors import ToileError


def test_labels_stay_labels(tmp_path: Path) -> None:
    palette = labels().convert("P")
    palette.putpalette([0, 0, 0] * 4 + [200, 10, 10] * 200)
    save(palette, tmp_path / "parse.png")
    for source in (tmp_path / "parse.png", (tmp_path / "parse.png").read_bytes()):
        assert (np.asarray(decode(source)) == np.asarray(labels())).all()


def test_size_and_pixels_are_those_of_the_upright_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(0).save(tmp_path / "turned.jpg", exif=exif)
    assert picture(0).size == (48, 64)
    assert picture_size(tmp_path / "turned.jpg") == decode(tmp_path / "turned.jpg").size == (64, 48)


def bomb() -> bytes:
    """A PNG of a few bytes that claims 40,000 by 40,000 pixels."""
    header = b"IHDR" + (40_000).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    data = b"IDAT" + zlib.compress(bytes(100))
    chunks = [
        len(body[4:]).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
        for body in (header, data, b"IEND")
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("read", [decode, picture_size])
@pytest.mark.parametrize(("content", "message"), [(bomb(), "pixels"), (b"", "empty file"), (b"GIF8", "x")])
def test_what_is_no_picture_is_one_line(read: object, content: bytes, message: str) -> None:
    with pytest.raises(ToileError, match=message) as caught:
        read(content, "x.png")  # type: ignore[operator]
    assert "\n" not in str(caught.value)


def test_a_picture_cut_short_is_refused(tmp_path: Path) -> None:
    save(picture(0), tmp_path / "p.png")
    content = (tmp_path / "p.png").read_bytes()
    with pytest.raises(ToileError, match="cut short"):
        decode(content[: len(content) // 2], "p.png")
    with pytest.raises(ToileError, match=r"gone\.png does not exist"):
        decode(tmp_path / "gone.png")


def test_the_size_of_a_png_is_read_without_decoding_it(tmp_path, monkeypatch):
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (30, 20)).save(tmp_path / "b.png", exif=turned)
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", lambda _: pytest.fail("it was decoded"))
    assert picture_size(tmp_path / "a.png") == (30, 20)
    assert picture_size(tmp_path / "b.png") == (20, 30)
