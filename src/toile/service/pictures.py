"""Pictures that arrive: their kind and size are read from their headers before anything is unpacked."""

from io import BytesIO

from PIL import Image, UnidentifiedImageError
from starlette.datastructures import UploadFile

from toile.decoding import decode, picture_size
from toile.images import as_photo
from toile.service.problems import Problem

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF")
"""What is decoded. Others are refused: some are rarely tested, and one (EPS) would start a program."""


class Pictures:
    """Decodes the pictures of one request.

    Args:
        max_pixels: of all of them together.
    """

    def __init__(self, max_pixels: int) -> None:
        self.max_pixels = max_pixels
        self.pixels = 0
        """Of those that were decoded so far."""

    def photo(self, upload: UploadFile, field: str) -> Image.Image:
        """A photo, upright and RGB.

        Args:
            upload: as it arrived.
            field: of the form, for messages.

        Raises:
            Problem: when it is of another kind, or too large.
            ToileError: when it is damaged.
        """
        return as_photo(self._decoded(upload, field))

    def mask(self, upload: UploadFile | None, field: str) -> Image.Image | None:
        """A mask, if one was sent, in the mode that it has.

        Raises:
            Problem: as `photo`.
            ToileError: as `photo`.
        """
        return None if upload is None else self._decoded(upload, field)

    def _decoded(self, upload: UploadFile, field: str) -> Image.Image:
        content = upload.file.read()
        if not content:
            raise Problem(422, f"{field} is an empty file; send a JPEG, PNG, WebP or TIFF")
        _check_format(content, field)
        width, height = picture_size(content, field)
        self.pixels += width * height
        if self.pixels > self.max_pixels:
            raise Problem(
                422,
                f"{field} has {width}×{height} pixels, which makes {self.pixels:,} in all; this service "
                f"takes at most {self.max_pixels:,}, so scale it down",
            )
        return decode(content, field)


def _check_format(content: bytes, field: str) -> None:
    """Refuse what is of no kind that is decoded; what is damaged is left to `decode`, which says how."""
    Image.init()  # so that every format has registered itself
    try:
        Image.open(BytesIO(content), formats=FORMATS).close()
    except UnidentifiedImageError as error:
        detail = f"{field} is no picture that is read here; send a JPEG, PNG, WebP or TIFF"
        raise Problem(422, detail) from error
    except Exception:
        return
