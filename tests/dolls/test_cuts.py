from functools import lru_cache

import cv2
import numpy as np
import pytest

from toile.dolls.cuts import build_cut
from toile.dolls.scene import sample_scene


@lru_cache(maxsize=1)
def specs():
    return [spec for seed in range(60) for spec in sample_scene(seed, "studio", None).garments]


def test_outlines_are_symmetric():
    for spec in specs():
        outline = build_cut(spec).outline
        mirror = outline * np.array([-1.0, 1.0])
        distances = np.hypot(*(outline[:, None] - mirror[None]).transpose(2, 0, 1)).min(axis=1)
        assert distances.max() < 1e-9, spec.cut


def test_sleeves_hang_clear_of_the_body():
    for spec in specs():
        cut = build_cut(spec)
        if cut.sleeve is not None:
            x, y = cut.sleeve.cuff_inner
            assert x > np.interp(y, *cut.sides) - 0.004, (spec.cut, spec.sleeve_angle)


def test_longer_garments_are_longer():
    for spec in specs():
        low = build_cut(spec).outline[:, 1].max()
        if spec.category in ("lower", "dress"):
            assert low == pytest.approx(spec.hem, abs=0.05)


def test_the_inside_lies_within_the_outline():
    for spec in specs():
        cut = build_cut(spec)
        if cut.inside is not None:
            size = 400
            masks = []
            for points in (cut.outline, cut.inside):
                mask = np.zeros((size, size), np.uint8)
                cv2.fillPoly(mask, [np.rint((points + np.array([0.5, 0.0])) * size).astype(np.int32)], 1)
                masks.append(mask)
            assert (masks[1] & ~masks[0]).sum() < 12
