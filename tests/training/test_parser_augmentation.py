import numpy as np
import pytest

from toile.data.parse_labels import LIP
from toile.dolls import Doll, draw_doll
from toile.training.parser_augmentation import augment, change_cloth, change_ground, flip, move


@pytest.fixture(scope="module")
def doll() -> Doll:
    return draw_doll(4_000_001, size=(128, 96), mode="street")


def test_the_same_state_gives_the_same_view(doll: Doll) -> None:
    views = [augment(doll.person, doll.parse, np.random.default_rng(3)) for _ in range(2)]
    assert (views[0][0] == views[1][0]).all() and (views[0][1] == views[1][1]).all()


def test_views_keep_their_size_and_kind_and_leave_the_doll_alone(doll: Doll) -> None:
    before = doll.person.copy(), doll.parse.copy()
    labels = set(np.unique(doll.parse)) | {
        LIP[f"{side} {part}"] for side in ("left", "right") for part in ("arm", "leg", "shoe")
    }
    different = set()
    for seed in range(30):
        picture, parse = augment(doll.person, doll.parse, np.random.default_rng(seed))
        assert picture.shape == doll.person.shape and picture.dtype == np.uint8
        assert parse.dtype == np.uint8 and set(np.unique(parse)) <= labels | {0}
        different.add(picture.tobytes())
    assert len(different) == 30
    assert (before[0] == doll.person).all() and (before[1] == doll.parse).all()


def test_a_mirror_changes_sides(doll: Doll) -> None:
    picture, parse = flip(doll.person, doll.parse)
    assert (picture[:, ::-1] == doll.person).all()
    for side, other in (("left", "right"), ("right", "left")):
        for part in ("arm", "leg", "shoe"):
            mirrored = parse[:, ::-1] == LIP[f"{side} {part}"]
            assert (mirrored == (doll.parse == LIP[f"{other} {part}"])).all()
    assert ((parse[:, ::-1] == LIP["face"]) == (doll.parse == LIP["face"])).all()
    twice = flip(picture, parse)
    assert (twice[1] == doll.parse).all()


def test_picture_and_labels_move_together() -> None:
    """A picture painted with its labels still shows them after a move."""
    parse = np.zeros((128, 96), np.uint8)
    parse[30:100, 20:70] = 5
    painted = np.repeat((parse * 40)[..., None], 3, axis=2)
    for seed in range(10):
        picture, moved = move(painted, parse, np.random.default_rng(seed))
        inside = picture[moved == 5]
        assert not len(inside) or (inside > 90).all(axis=1).mean() > 0.9


def test_people_come_small_and_cut(doll: Doll) -> None:
    shares, cut = [], 0
    for seed in range(60):
        parse = move(doll.person, doll.parse, np.random.default_rng(seed))[1]
        shares.append((parse > 0).mean() / (doll.parse > 0).mean())
        cut += bool((parse[0] > 0).any() or (parse[:, 0] > 0).any())
    assert min(shares) < 0.5 and max(shares) > 1.3
    assert cut > 5


def test_grounds_change_only_the_ground(doll: Doll) -> None:
    inside = np.isin(doll.parse, (LIP["upper"], LIP["dress"], LIP["face"]))
    deep = (
        inside
        & np.roll(inside, 4, 0)
        & np.roll(inside, -4, 0)
        & np.roll(inside, 4, 1)
        & np.roll(inside, -4, 1)
    )
    changed = change_ground(doll.person, doll.parse, np.random.default_rng(0)).astype(int)
    assert deep.any()
    assert np.abs(changed - doll.person)[deep].max() <= 1
    assert np.abs(changed - doll.person)[doll.parse == 0].mean() > 10


def test_cloths_change_only_the_person(doll: Doll) -> None:
    changed = change_cloth(doll.person, doll.parse, np.random.default_rng(0)).astype(int)
    assert not np.abs(changed - doll.person)[doll.parse == 0].any()
    assert np.abs(changed - doll.person)[doll.parse > 0].mean() > 3
