from dataclasses import FrozenInstanceError, replace

import pytest
from PIL import Image

from toile.data.record import GarmentPair
from toile.errors import ToileError


class Counted:
    """Pictures that say how often they were read."""

    def __init__(self) -> None:
        self.read = 0

    def person(self) -> Image.Image:
        self.read += 1
        return Image.new("RGB", (4, 6), "red")

    garment = mask = silhouette = parse = person

    def pose(self) -> None:
        return None


def make(**changes: object) -> GarmentPair:
    pair = GarmentPair(
        identifier="a", category="upper", caption="", garment_caption="", source="test", pictures=Counted()
    )
    return replace(pair, **changes)


def test_pictures_are_read_when_asked_for_only() -> None:
    pictures = Counted()
    pair = make(pictures=pictures)
    assert pictures.read == 0
    assert pair.person.size == (4, 6)
    assert pictures.read == 1


def test_a_pair_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        make().caption = "another"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("reasons", "hard"),
    [
        (None, None),
        (frozenset(), False),
        (frozenset({"side_view"}), True),
        (frozenset({"extreme_proportion"}), False),
        (frozenset({"extreme_proportion", "occlusion"}), True),
    ],
)
def test_hard_is_what_the_fine_stage_leaves_out(reasons: frozenset[str] | None, hard: bool | None) -> None:
    assert make(reasons=reasons).hard is hard


def test_a_pair_is_its_own_unless_it_says_otherwise() -> None:
    pair = make()
    assert (pair.paired, pair.garment_identifier) == (True, "")
    assert pair.pose is None and pair.parse is not None


def test_an_empty_identifier_is_refused() -> None:
    with pytest.raises(ToileError, match="empty identifier"):
        make(identifier="")
