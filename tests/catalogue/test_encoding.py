"""Pictures in memory are what `save_png` writes."""

import json

from PIL import Image

from toile.catalogue.encoding import encoded
from toile.decoding import decode
from toile.images import METADATA_KEY, encode_png, save_png
from toile.tasks.result import Result


def test_it_is_what_save_png_writes(tmp_path):
    picture = Image.effect_noise((30, 20), 50).convert("RGB")
    save_png(picture, tmp_path / "a.png", {"seed": 3, "prompt": "ä"})
    assert encode_png(picture, {"seed": 3, "prompt": "ä"}) == (tmp_path / "a.png").read_bytes()


def test_every_picture_but_the_mask_is_kept_and_says_what_it_is():
    pictures = {
        name: Image.new("RGB", (4, 4), colour)
        for name, colour in (("worn", "red"), ("mask", "white"), ("garment", "blue"))
    }
    kept = encoded(Result(pictures=pictures, metadata={"seed": 3}))
    assert list(kept) == ["worn", "garment"]
    for name, content in kept.items():
        picture = decode(content)
        assert picture.getpixel((0, 0)) == pictures[name].getpixel((0, 0))
        assert json.loads(picture.info[METADATA_KEY]) == {"seed": 3, "kind": name}
