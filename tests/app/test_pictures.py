import pytest
from PIL import Image

from toile.app.limits import Limits
from toile.app.pictures import ROW_HEIGHT, read_picture, side_by_side
from toile.errors import ToileError


def test_a_picture_is_read_upright_as_rgb(tmp_path):
    picture = Image.new("RGB", (30, 20), "red")
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "turned.jpg", exif=exif)
    read = read_picture(str(tmp_path / "turned.jpg"), "the photo", Limits())
    assert (read.size, read.mode) == ((20, 30), "RGB")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "the photo is missing; drop a picture there"),
        (b"", "the photo is an empty file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "the photo is not a picture that can be read"),
        (b"0" * 200_000, "the photo has 0.2 MB, more than the 0.1 MB that are taken here"),
    ],
)
def test_what_is_no_picture_is_refused_in_a_sentence(tmp_path, content, reason):
    file = None
    if content is not None:
        file = str(tmp_path / "a.png")
        (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ToileError, match=reason) as refused:
        read_picture(file, "the photo", Limits(megabytes=0.1))
    assert str(tmp_path) not in str(refused.value)


def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded(tmp_path):
    Image.effect_noise((2000, 1000), 99).save(tmp_path / "a.jpg")
    whole = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) // 2])  # decoding it would fail in another way
    with pytest.raises(ToileError, match="the photo has 2000×1000 pixels, more than the 1 million"):
        read_picture(str(tmp_path / "a.jpg"), "the photo", Limits(megapixels=1))


def test_an_upload_that_is_gone_names_no_path(tmp_path):
    with pytest.raises(ToileError, match=r"^the photo is no longer here; drop it again$"):
        read_picture(str(tmp_path / "gone.png"), "the photo", Limits())


def test_pictures_stand_side_by_side():
    row = side_by_side([Image.new("RGB", (10, 20), "red"), Image.new("RGB", (40, 20), "blue")])
    assert row.size == (ROW_HEIGHT // 2 + ROW_HEIGHT * 2, ROW_HEIGHT)
    assert row.getpixel((1, 1)) == (255, 0, 0) and row.getpixel((row.width - 1, 1)) == (0, 0, 255)
