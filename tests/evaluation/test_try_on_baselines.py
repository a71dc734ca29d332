from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tests.evaluation.small_pairs import SIZE, StripedPictures, striped

from toile.data.curation import bounding_box
from toile.data.doll_pairs import DollPairs, doll_pair
from toile.errors import ToileError
from toile.evaluation.try_on import Fitting, evaluate_try_on, others_garments, own_garments
from toile.evaluation.try_on_baselines import exact_warp, flat_positions, paste_flat

DOLL_SIZE = (128, 96)


class Strip(StripedPictures):
    """Of the garment, a strip of 8 by 32 pixels is all there is."""

    def silhouette(self) -> Image.Image:
        shape = Image.new("L", (SIZE[1], SIZE[0]), 0)
        shape.paste(255, (20, 8, 28, 40))
        return shape


def test_the_flat_garment_stands_in_the_masks_box_and_the_photo_stays() -> None:
    wearer, garment = striped(0), striped(7)
    picture = np.asarray(paste_flat(SIZE)([Fitting(wearer=wearer, garment=garment)])[0])
    inside = np.asarray(wearer.mask) == 255
    assert (picture[~inside] == np.asarray(wearer.person)[~inside]).all()
    left, top, right, bottom = bounding_box(np.asarray(wearer.mask)) or (0, 0, 0, 0)
    cloth = garment.garment.crop(bounding_box(np.asarray(garment.silhouette)))
    expected = np.asarray(cloth.resize((right - left, bottom - top)), dtype=float)
    assert np.abs(picture[top:bottom, left:right] - expected).mean() < 12


def test_a_garment_of_another_aspect_keeps_it_and_the_rest_is_filled() -> None:
    wearer, garment = striped(0, place=(2, 12)), striped(7)
    whole = replace(garment, pictures=Strip(seed=7, category="upper"))
    picture = np.asarray(paste_flat(SIZE)([Fitting(wearer=wearer, garment=whole)])[0]).astype(int)
    left, top, right, bottom = bounding_box(np.asarray(wearer.mask)) or (0, 0, 0, 0)
    strip = round((bottom - top) * 8 / 32)  # 8 wide and 32 high, as high as the box
    middle = (left + right - strip) // 2
    beside = picture[top:bottom, left : middle - 1]
    assert np.abs(beside - (150, 140, 130)).max() <= 2  # filled from the grey person around
    cloth = picture[top + 1 : bottom - 1, middle + 1 : middle + strip - 1]
    assert np.abs(cloth - (150, 140, 130)).max() > 20


def test_the_warp_is_turned_around() -> None:
    rows, columns = np.mgrid[:40, :30].astype(np.float32)
    warp = np.stack([columns * 0.8 + 2.25, rows * 0.9 + 1.5], axis=-1)
    visible = np.ones((40, 30), dtype=bool)
    visible[:, 20:] = False
    where, known = flat_positions(warp, visible)
    inner = np.zeros_like(known)
    inner[4:34, 5:15] = True
    assert known[inner].all()
    assert not known[:, 19:].any() and not known[:, 0].any()
    y, x = np.nonzero(inner)
    assert np.abs(where[inner][:, 0] - (x - 2.25) / 0.8).max() < 0.3
    assert np.abs(where[inner][:, 1] - (y - 1.5) / 0.9).max() < 0.3


def test_torn_and_hidden_cloth_is_not_joined() -> None:
    rows, columns = np.mgrid[:20, :20].astype(np.float32)
    torn = np.stack([columns + 10 * (columns >= 10), rows], axis=-1)
    _, known = flat_positions(np.pad(torn, ((0, 0), (0, 20), (0, 0)), constant_values=np.nan),
                              np.pad(np.ones((20, 20), dtype=bool), ((0, 0), (0, 20))))  # fmt: skip
    assert known[5, :9].all() and known[5, 21:29].all()
    assert not known[5, 11:19].any()


def test_the_oracle_is_near_the_photo_and_nothing_else_changes() -> None:
    pairs = DollPairs(40, 3, size=DOLL_SIZE)
    methods = {"oracle": exact_warp(DOLL_SIZE), "paste": paste_flat(DOLL_SIZE)}
    report = evaluate_try_on(methods, {"studio": pairs}, size=DOLL_SIZE)
    found = {name: np.mean(report.values["studio"][name]["L1 inside"]) for name in methods}
    assert 0 < found["oracle"] < 0.05
    assert found["oracle"] < found["paste"] / 2
    assert max(report.values["studio"]["oracle"]["L1 outside"]) == 0
    assert max(report.values["studio"]["paste"]["L1 outside"]) == 0


def test_the_oracle_is_fitted_to_another_size() -> None:
    fitting = own_garments([doll_pair(40, (64, 48), "studio")])
    assert exact_warp((32, 48))(fitting)[0].size == (48, 32)


def test_nobody_knows_the_warp_of_anothers_garment() -> None:
    dolls = [doll_pair(seed, (64, 48), "studio", "upper") for seed in (1, 2)]
    for fittings in (others_garments(dolls, seed=0), own_garments([striped(0)])):
        with pytest.raises(ToileError, match="no exact warp is known"):
            exact_warp(SIZE)(fittings)
