"""What only the whole set shows."""

from hashlib import blake2b

import pytest

from toile.data.doctor.census import Census
from toile.data.doctor.item import PictureFacts
from toile.data.doctor.layout import Role

TRAIN, TEST = frozenset({"train"}), frozenset({"test"})


def facts(
    name: str, *, digest: str = "", size: tuple[int, int] = (30, 40), role: Role = "person", sides: int = 0
):
    """A picture that looks like no other, unless its digest is given."""
    number = int.from_bytes(blake2b((digest or name).encode(), digest_size=8).digest(), "big")
    colour = (number % 251).to_bytes(1, "big") * 432
    return PictureFacts(
        name=name, role=role, identifier=name.removesuffix(".jpg"), group="", size=size,
        digest=(digest or name).encode(), perceptual=number, thumbnail=colour, white_sides=sides,
    )  # fmt: skip


def found(*pictures: PictureFacts) -> set[tuple[str, str]]:
    census = Census()
    for picture in pictures:
        census.add(picture)
    splits = {"t": TRAIN, "v": TEST, "b": TRAIN | TEST}
    return {
        (finding.code, finding.file)
        for finding in census.findings(lambda name: splits.get(name[0], frozenset()))
    }


MANY = tuple(facts(f"x{number}.jpg") for number in range(6))


def test_nothing_is_usual_among_few() -> None:
    assert found(facts("a", size=(40, 30)), facts("b")) == set()


def test_sizes() -> None:
    odd, lying = facts("odd", size=(15, 20)), facts("lying", size=(40, 30))
    assert found(*MANY, odd, lying) == {("size-differs", "odd"), ("picture-landscape", "lying")}


def test_a_flat_photo_among_others_but_not_where_all_are() -> None:
    assert found(*MANY, facts("flat", sides=4)) == {("looks-flat", "flat")}
    assert found(*(facts(f"x{number}", sides=4) for number in range(6))) == set()


@pytest.mark.parametrize(
    ("names", "codes"),
    [
        (("t1", "v1"), {("leak", "t1")}),
        (("v1", "t1", "t2"), {("leak", "t1"), ("leak", "t2")}),
        (("t1", "t2"), {("duplicate", "t2")}),
        (("v1", "v2", "t1"), {("leak", "t1"), ("duplicate", "v2")}),
        (("x1", "x2"), {("duplicate", "x2")}),
    ],
)
def test_copies(names: tuple[str, ...], codes: set[tuple[str, str]]) -> None:
    assert found(*(facts(name, digest="same") for name in names)) == codes


def test_a_picture_that_is_photo_and_garment() -> None:
    pair = facts("a", digest="same"), facts("b", digest="same", role="garment")
    assert found(*pair) == {("mixed-up", "b")}


def test_one_picture_in_two_rows_counts_once() -> None:
    assert found(facts("a"), facts("a")) == set()
