import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from toile.decoding import PIXEL_LIMIT
from toile.errors import ToileError
from toile.images import (
    as_mask,
    as_photo,
    fit,
    fit_mask,
    load_mask,
    load_photo,
    save_png,
)


def one_line(error: pytest.ExceptionInfo[ToileError]) -> str:
    text = str(error.value)
    assert "\n" not in text and text
    return text


def noise(height: int = 50, width: int = 40) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_plain_photo_is_read_as_it_is(tmp_path):
    Image.fromarray(noise()).save(tmp_path / "a.png")
    np.testing.assert_array_equal(np.asarray(load_photo(tmp_path / "a.png")), noise())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_undone(tmp_path, orientation):
    upright = np.zeros((20, 30, 3), np.uint8)
    upright[:10, :15] = 255  # only the top left quarter is white
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright),
        7: upright[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(np.asarray(load_photo(tmp_path / "a.png")), upright)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P"])
def test_transparency_is_laid_on_white(tmp_path, mode):
    picture = Image.new("RGBA", (4, 2), (255, 0, 0, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 2, 2))
    if mode == "LA":
        picture = picture.convert("LA")
    elif mode in ("P", "PA"):
        picture = picture.quantize()
    suffix = "png" if mode != "PA" else "webp"
    picture.save(tmp_path / f"a.{suffix}", **({"lossless": True} if suffix == "webp" else {}))
    photo = load_photo(tmp_path / f"a.{suffix}")
    assert photo.mode == "RGB"
    assert photo.getpixel((0, 0)) == (255, 255, 255)
    assert photo.getpixel((3, 1)) == ((76, 76, 76) if mode == "LA" else (255, 0, 0))


def test_half_transparent_is_half_white():
    assert as_photo(Image.new("RGBA", (1, 1), (0, 0, 0, 128))).getpixel((0, 0)) == (127, 127, 127)


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_sixteen_bits_keep_their_range(tmp_path, kind):
    values = np.array([[0, 257, 32768, 65535]], np.uint16)
    Image.fromarray(values).save(tmp_path / f"a.{kind}")
    photo = np.asarray(load_photo(tmp_path / f"a.{kind}"))
    assert photo[0, :, 0].tolist() == [0, 1, 128, 255]
    assert (photo == photo[..., :1]).all()


def test_dark_sixteen_bits_stay_dark(tmp_path):
    Image.fromarray(np.full((2, 2), 200, np.uint16)).save(tmp_path / "a.png")
    assert load_photo(tmp_path / "a.png").getpixel((0, 0)) == (1, 1, 1)


def test_floats_from_nought_to_one(tmp_path):
    Image.fromarray(np.array([[0, 0.5, 1]], np.float32)).save(tmp_path / "a.tiff")
    assert np.asarray(load_photo(tmp_path / "a.tiff"))[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize(("mode", "color", "wanted"), [("L", 90, 90), ("1", 1, 255)])
def test_grey_and_black_and_white(tmp_path, mode, color, wanted):
    Image.new(mode, (3, 3), color).save(tmp_path / "a.png")
    assert load_photo(tmp_path / "a.png").getpixel((1, 1)) == (wanted,) * 3


def test_cmyk(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=100)
    red, green, blue = load_photo(tmp_path / "a.jpg").getpixel((4, 4))
    assert red > 230 and green < 25 and blue < 25


def test_palette(tmp_path):
    Image.new("RGB", (8, 8), (10, 200, 30)).quantize().save(tmp_path / "a.gif")
    assert load_photo(tmp_path / "a.gif").getpixel((4, 4)) == (10, 200, 30)


def test_arrays_are_pictures_too():
    np.testing.assert_array_equal(np.asarray(as_photo(noise())), noise())


@pytest.mark.parametrize("array", [np.zeros((4, 4, 3)), np.zeros((4, 4, 2), np.uint8), np.zeros(4, np.uint8)])
def test_other_arrays_are_not(array):
    with pytest.raises(ToileError, match="uint8") as error:
        as_photo(array)
    one_line(error)


def test_missing_file(tmp_path):
    with pytest.raises(ToileError, match=r"gone\.png does not exist"):
        load_photo(tmp_path / "gone.png")


def test_a_folder(tmp_path):
    with pytest.raises(ToileError, match="is a folder"):
        load_photo(tmp_path)


def test_not_a_picture(tmp_path):
    (tmp_path / "a.jpg").write_text("no picture at all")
    with pytest.raises(ToileError, match="is not a picture") as error:
        load_photo(tmp_path / "a.jpg")
    one_line(error)


def test_an_empty_file(tmp_path):
    (tmp_path / "a.jpg").touch()
    with pytest.raises(ToileError, match="is an empty file"):
        load_photo(tmp_path / "a.jpg")


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "tiff", "webp", "bmp"])
@pytest.mark.parametrize("share", [0.9, 0.5])
def test_truncated(tmp_path, kind, share):
    buffer = io.BytesIO()
    Image.fromarray(noise(200, 200)).save(buffer, kind)
    (tmp_path / "a").write_bytes(buffer.getvalue()[: int(len(buffer.getvalue()) * share)])
    with pytest.raises(ToileError, match=r"cut short|not a picture") as error:
        load_photo(tmp_path / "a")
    one_line(error)


@pytest.mark.parametrize("seed", range(12))
def test_damage_anywhere_is_one_clear_error_or_a_picture(tmp_path, seed):
    random = np.random.default_rng(seed)
    kind = ("png", "jpeg", "gif", "tiff")[seed % 4]
    buffer = io.BytesIO()
    Image.fromarray(noise()).save(buffer, kind)
    data = bytearray(buffer.getvalue())
    for place in random.integers(4, len(data), 40):
        data[place] = int(random.integers(256))
    (tmp_path / "a").write_bytes(data)
    try:
        assert load_photo(tmp_path / "a").mode == "RGB"
    except ToileError as error:
        assert "\n" not in str(error)


def png_of_size(width: int, height: int) -> bytes:
    """A small PNG that says it is huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [10_500, 50_000])
def test_decompression_bomb(tmp_path, side):
    (tmp_path / "a.png").write_bytes(png_of_size(side, side))
    assert side * side > PIXEL_LIMIT
    with pytest.raises(ToileError, match="100,000,000") as error:
        load_photo(tmp_path / "a.png")
    one_line(error)


def test_zero_size(tmp_path):
    (tmp_path / "a.png").write_bytes(png_of_size(0, 5))
    with pytest.raises(ToileError):
        load_photo(tmp_path / "a.png")
    with pytest.raises(ToileError, match="no pixels"):
        as_photo(np.zeros((0, 5, 3), np.uint8))


@pytest.mark.parametrize("mode", ["L", "RGB", "1", "RGBA", "P", "I;16"])
def test_masks_of_any_mode(tmp_path, mode):
    mask = np.zeros((6, 4), np.uint8)
    mask[2:4, 1:3] = 255
    picture = Image.fromarray(mask)
    if mode == "I;16":
        picture = Image.fromarray(mask.astype(np.uint16) * 257)
    elif mode == "RGBA":  # white strokes on nothing
        picture = Image.merge("RGBA", [Image.new("L", (4, 6), 255)] * 3 + [picture])
    else:
        picture = picture.convert(mode)
    picture.save(tmp_path / "m.png")
    np.testing.assert_array_equal(np.asarray(load_mask(tmp_path / "m.png", (4, 6))), mask)


@pytest.mark.parametrize("size", [(8, 12), (6, 4), (5, 6)])
def test_a_mask_of_another_size_or_aspect(tmp_path, size):
    Image.new("L", size, 255).save(tmp_path / "m.png")
    with pytest.raises(ToileError, match=f"{size[0]}×{size[1]}.*4×6") as error:
        load_mask(tmp_path / "m.png", (4, 6))
    assert str(tmp_path / "m.png") in one_line(error)


@pytest.mark.parametrize("value", [0, 1, 127])
def test_an_empty_mask(tmp_path, value):
    Image.new("L", (4, 6), value).save(tmp_path / "m.png")
    with pytest.raises(ToileError, match=f"empty: its largest value is {value};"):
        load_mask(tmp_path / "m.png", (4, 6))


def test_a_missing_mask(tmp_path):
    with pytest.raises(ToileError, match=r"mask .*does not exist"):
        load_mask(tmp_path / "m.png", (4, 6))


def test_mask_arrays():
    mask = np.zeros((6, 4), np.uint8)
    mask[0, 0] = 200
    assert np.asarray(as_mask(mask, (4, 6))).max() == 255


@pytest.mark.parametrize(("width", "height"), [(30, 90), (90, 30), (7, 7), (1, 500), (192, 256)])
def test_fit_keeps_the_aspect_and_pads_with_white(width, height):
    canvas, (left, top, right, bottom) = fit(Image.new("RGB", (width, height), "black"), (256, 192))
    assert canvas.size == (192, 256)
    pixels = np.asarray(canvas)
    assert (pixels[top:bottom, left:right] == 0).all()
    assert pixels.sum() == 255 * 3 * (256 * 192 - (bottom - top) * (right - left))
    assert right - left == 192 or bottom - top == 256
    assert abs((right - left) - max(1, width * min(192 / width, 256 / height))) <= 1
    assert abs(left - (192 - right)) <= 1 and abs(top - (256 - bottom)) <= 1


def test_fit_leaves_a_picture_of_the_size_alone():
    canvas, box = fit(Image.fromarray(noise(256, 192)), (256, 192))
    np.testing.assert_array_equal(np.asarray(canvas), noise(256, 192))
    assert box == (0, 0, 192, 256)


def test_the_mask_follows_its_photo():
    mask = np.zeros((30, 90), np.uint8)
    mask[10:20, 30:60] = 255
    photo = Image.fromarray(np.repeat((255 - mask)[..., None], 3, axis=2))
    fitted = np.asarray(fit_mask(Image.fromarray(mask), (256, 192)))
    assert set(np.unique(fitted)) == {0, 255}
    dark = np.asarray(fit(photo, (256, 192))[0])[..., 0] < 128
    assert (dark == (fitted == 255)).mean() > 0.999


def test_png_with_metadata(tmp_path):
    save_png(Image.fromarray(noise()), tmp_path / "new" / "a.png", {"seed": 3, "model": "tiny", "name": "ü"})
    with Image.open(tmp_path / "new" / "a.png") as picture:
        assert json.loads(picture.text["toile"]) == {"seed": 3, "model": "tiny", "name": "ü"}
        np.testing.assert_array_equal(np.asarray(picture), noise())
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.png"]


def test_unwritable_output(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ToileError, match="cannot be written"):
        save_png(Image.new("RGB", (2, 2)), tmp_path / "file" / "a.png", {})


def test_an_interrupted_write_leaves_nothing(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(b"older")
    write = Path.write_bytes

    def interrupted(path: Path, content: bytes) -> None:
        write(path, content[:9])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_png(Image.new("RGB", (4, 4)), tmp_path / "a.png", {})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.png": b"older"}
