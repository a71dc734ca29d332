import numpy as np
from PIL import Image

from toile.data.doll_pairs import DollPairs
from toile.data.record import GarmentPair
from toile.data.resized import ResizedPairs, fit_labels, fitted_box, resized
from toile.images import fit

DOLLS = DollPairs(3, 2, size=(64, 48))


def test_the_box_is_that_of_the_photo() -> None:
    for size in ((64, 96), (30, 20), (128, 96)):
        assert fitted_box((48, 64), size) == fit(Image.new("RGB", (48, 64)), size)[1]


def test_labels_are_never_mixed() -> None:
    parse = np.asarray(DOLLS[0].parse)
    fitted = np.asarray(fit_labels(DOLLS[0].parse, (100, 120)))
    assert fitted.shape == (100, 120)
    assert set(np.unique(fitted)) <= set(np.unique(parse))
    assert (fitted[:, :20] == 0).all()
    assert (np.asarray(fit_labels(DOLLS[0].parse, (128, 96)))[::2, ::2] == parse).all()


def test_joints_move_with_the_photo() -> None:
    pair, fitted = DOLLS[0], resized(DOLLS[0], (128, 192))  # twice as large, 48 of white on each side
    assert pair.pose is not None and fitted.pose is not None
    before, after = pair.pose.keypoints, fitted.pose.keypoints
    assert np.allclose(after[:, :2], before[:, :2] * 2 + (48, 0))
    assert (after[:, 2] == before[:, 2]).all()


def test_a_source_without_parse_and_pose_has_none_afterwards() -> None:
    class Bare:
        def person(self) -> Image.Image:
            return Image.new("RGB", (48, 64))

        garment = mask = silhouette = person

        def parse(self) -> None:
            return None

        def pose(self) -> None:
            return None

    pair = GarmentPair(
        identifier="a", category="upper", caption="", garment_caption="", source="", pictures=Bare()
    )
    fitted = resized(pair, (32, 32))
    assert fitted.parse is None and fitted.pose is None


def test_a_sequence_is_resized_as_it_is_read() -> None:
    pairs = ResizedPairs(DOLLS, (32, 24))
    assert len(pairs) == 2
    assert [pair.person.size for pair in pairs[:]] == [(24, 32), (24, 32)]
    assert pairs[-1].identifier == DOLLS[1].identifier
    assert pairs.fingerprint() != ResizedPairs(DOLLS, (24, 32)).fingerprint()
