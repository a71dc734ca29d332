import numpy as np
import pytest

from toile.data.augmentation import AugmentationSettings, AugmentedPairs
from toile.data.doll_pairs import doll_pair
from toile.data.readable import loaded
from toile.data.warp_points import inverted_points, points_in_cells, sampled_points, unknown_points

SIZE = (64, 48)


def colours_at(picture, points):
    """A picture's colours at points in [0, 1], (n 3), by nearest pixels."""
    height, width = picture.shape[:2]
    x, y = (np.floor(points * [width, height]).astype(int)).T
    return picture[y, x].astype(float)


@pytest.mark.parametrize("mode", ["studio", "street"])
def test_points_lead_to_the_same_cloth_in_the_photo(mode):
    errors, chance = [], []
    for seed in range(8):
        pair = doll_pair(seed, (256, 192), mode)
        points, person, garment = pair.points, np.array(pair.person), np.array(pair.garment)
        known = ~np.isnan(points).any(axis=-1)
        assert 0 < known.sum() <= (np.array(pair.silhouette) > 0).sum()
        assert (points[known] >= 0).all() and (points[known] <= 1).all()
        seen = colours_at(person, points[known])
        errors.append(np.abs(seen - garment[known]).mean())
        chance.append(
            np.abs(np.random.default_rng(0).permutation(person.reshape(-1, 3))[: len(seen)] - seen).mean()
        )
    assert np.mean(errors) < 0.4 * np.mean(chance)  # folds and light stay


def test_decoded_pictures_still_know_their_points_and_changed_ones_do_not():
    pair = doll_pair(3, SIZE, "studio")
    np.testing.assert_array_equal(loaded(pair).points, pair.points)
    changed = AugmentedPairs([pair], AugmentationSettings())[0]
    assert changed.points is None
    assert loaded(changed).points is None


def test_the_middle_of_each_cell_is_sampled():
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    points = np.stack([(x + 0.5) / SIZE[1], (y + 0.5) / SIZE[0]], axis=-1).astype(np.float32)
    sampled = sampled_points(points, (8, 6))
    assert sampled.shape == (8, 6, 2)
    middle = np.stack(np.meshgrid((np.arange(6) + 0.5) / 6, (np.arange(8) + 0.5) / 8), axis=-1)
    np.testing.assert_allclose(sampled, middle, atol=0.5 / 48 + 1e-6)


def test_the_way_back_leads_where_the_way_there_came_from():
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    points = np.stack([1 - (x + 0.5) / SIZE[1], (y + 0.5) / SIZE[0]], axis=-1).astype(np.float32)  # mirrored
    points[:, 24:] = np.nan  # so that the photo's left half comes from nowhere
    back = inverted_points(points, (8, 6))
    assert np.isnan(back[:, :3]).all()
    expected = 1 - (np.arange(3, 6) + 0.5) / 6
    np.testing.assert_allclose(back[:, 3:, 0], np.broadcast_to(expected, (8, 3)), atol=0.5 / 48 + 1e-6)
    np.testing.assert_allclose(
        back[:, 3:, 1], np.broadcast_to((np.arange(8)[:, None] + 0.5) / 8, (8, 3)), atol=0.01
    )


def test_nothing_known_stays_nothing():
    nothing = unknown_points(SIZE)
    assert np.isnan(inverted_points(nothing, (8, 6))).all()
    assert np.isnan(sampled_points(nothing, (8, 6))).all()


def test_a_pairs_points_are_known_only_where_nothing_is_padded():
    points, cells = doll_pair(3, SIZE, "studio").points, (8, 6)
    np.testing.assert_array_equal(points_in_cells(points, SIZE, cells), sampled_points(points, cells))
    np.testing.assert_array_equal(
        points_in_cells(points, SIZE, cells, back=True), inverted_points(points, cells)
    )
    for unknown in (points_in_cells(None, SIZE, cells), points_in_cells(points, (64, 64), cells)):
        assert unknown.shape == (8, 6, 2) and np.isnan(unknown).all()
