import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from toile.app.limits import Limits
from toile.app.mask_finding import read_masked
from toile.app.mask_painting import LONGEST, PNG, belongs_to, painted_mask, painting
from toile.errors import ToileError


def url(picture: Image.Image) -> str:
    content = BytesIO()
    picture.save(content, format="PNG")
    return PNG + base64.b64encode(content.getvalue()).decode()


def half(size: tuple[int, int]) -> Image.Image:
    mask = Image.new("L", size)
    mask.paste(255, (0, 0, size[0] // 2, size[1]))
    return mask


@pytest.mark.parametrize("size", [(30, 40), (1536, 2048)])
def test_a_mask_goes_to_the_browser_and_back(size):
    photo, mask = Image.new("RGB", size, "red"), half(size)
    shown = painting(photo, mask, "x")
    assert (shown["of"], shown["painted"]) == ("x", False)
    small = Image.open(BytesIO(base64.b64decode(shown["photo"].split(",")[1])))
    assert max(small.size) <= LONGEST and small.size[0] / small.size[1] == size[0] / size[1]
    back = np.asarray(painted_mask(shown, photo))
    assert (back != np.asarray(mask)).mean() < 0.002
    assert set(np.unique(back)) == {0, 255}


def test_nothing_marked_is_no_mask():
    photo = Image.new("RGB", (30, 40))
    assert painted_mask(painting(photo, None, "x"), photo) is None


@pytest.mark.parametrize(
    "mask",
    [
        None,
        5,
        "",
        "data:image/svg+xml;base64,AAAA",
        "https://example.org/mask.png",
        PNG + "no base64!",
        PNG + base64.b64encode(b"no picture").decode(),
        PNG + "A" * 2_000_000,
        url(Image.new("1", (LONGEST + 1, 10))),
    ],
)
def test_what_is_no_mask_is_refused(mask):
    with pytest.raises(ToileError, match="mask"):
        painted_mask({"mask": mask, "painted": True}, Image.new("RGB", (30, 40)))


def test_a_mask_counts_for_its_own_photo_and_category_alone(tmp_path):
    file = str(tmp_path / "a.png")
    Image.new("RGB", (30, 40)).save(file)
    held = {"mask": url(half((30, 40))), "painted": True, "of": belongs_to(file, "upper")}

    def mask_with(category: str = "upper", **changed: object) -> object:
        return read_masked(file, held | changed, category, "the photo", Limits())[1]

    assert np.array_equal(np.asarray(mask_with()), np.asarray(half((30, 40))))
    assert mask_with(painted=False) == "auto"  # it is found at the photo's full size then, as by the commands
    assert mask_with("lower") == "auto"
    assert mask_with(of=belongs_to("another.png", "upper")) == "auto"
    assert mask_with(mask=url(Image.new("L", (30, 40)))) is None  # everything was wiped away
    assert read_masked(file, None, "upper", "the photo", Limits())[1] == "auto"
