from pathlib import Path

from toile.mask_names import mask_among, mask_names


def test_a_mask_is_called_as_its_photo_or_as_toile_mask_writes_it():
    assert mask_names("ann") == ("ann", "ann-mask")
    files = {name: Path(f"{name}.png") for name in ("ann", "ann-mask", "bo-mask", "mask")}
    assert mask_among(files, "ann") == Path("ann.png")
    assert mask_among(files, "bo") == Path("bo-mask.png")
    assert mask_among(files, "cy") is None
