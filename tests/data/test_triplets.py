from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tests.data.small_parser import figure, lip_labels

from toile.data.doll_pairs import doll_pair
from toile.data.parsing import Parser
from toile.data.record import GarmentPair
from toile.data.triplets import PairTriplets, Triplet, TripletGarment, triplet_of
from toile.errors import ToileError

SIZE = (256, 192)
IN_HAT = 20
"""The seed of a doll in a tank top, trousers and a hat."""


class FigurePictures:
    """The drawn figure as a pair, with or without its parse map."""

    def __init__(self, worn: tuple[int, ...] = (1, 2, 3), parsed: bool = True) -> None:
        self.photo, labels = figure(worn)
        self.labels = Image.fromarray(lip_labels(labels)) if parsed else None

    def person(self) -> Image.Image:
        return self.photo

    def garment(self) -> Image.Image:
        return Image.new("RGB", (64, 96), "red")

    def mask(self) -> Image.Image:
        return Image.new("L", (64, 96), 255)

    def silhouette(self) -> Image.Image:
        return Image.new("L", (64, 96), 255)

    def parse(self) -> Image.Image | None:
        return self.labels

    def pose(self) -> None:
        return None


def pair(category: str = "upper", **pictures: object) -> GarmentPair:
    return GarmentPair(
        identifier="figure",
        category=category,
        caption="a figure",
        garment_caption="a red shirt",
        source="drawn",
        pictures=FigurePictures(**pictures),
    )


def test_the_in_shop_garment_and_its_counterpart_cut_from_the_photo():
    made = triplet_of(pair())
    assert isinstance(made, Triplet) and made.kinds == ("upper", "lower")
    assert [garment.cut_out for garment in made.garments] == [False, True]
    assert (made.identifier, made.source, made.caption) == ("figure", "drawn", "a figure")
    assert made.garments[0].caption == "a red shirt" and made.garments[1].caption == ""
    assert made.garment("upper").getpixel((5, 5)) == (255, 0, 0)
    trousers = np.asarray(made.garment("lower")).astype(int)
    assert abs(trousers[48, 32] - (30, 40, 160)).max() < 25 and (trousers[:, 0] == 255).all()
    labels = np.asarray(FigurePictures().parse())
    for kind, number in (("upper", 5), ("lower", 9)):
        assert ((np.asarray(made.worn(kind)) > 0) == (labels == number)).all()
    assert made.person.size == (64, 96)


def test_the_reverse_from_a_lower_garment():
    made = triplet_of(pair("lower"))
    assert isinstance(made, Triplet) and made.kinds == ("lower", "upper")
    assert [garment.cut_out for garment in made.garments] == [False, True]


def test_hats_make_the_third_garment():
    doll = doll_pair(IN_HAT, SIZE, "studio", "upper")
    assert triplet_of(doll).kinds == ("upper", "lower", "hat")
    assert triplet_of(doll, hats="none").kinds == ("upper", "lower")
    assert triplet_of(doll, hats="only").kinds == ("upper", "lower", "hat")
    assert triplet_of(pair(), hats="only") == "no hat"
    assert triplet_of(doll_pair(IN_HAT, SIZE, "studio", "dress")).kinds == ("dress", "hat")


@pytest.mark.parametrize(
    ("made_of", "reason"),
    [
        (pair(worn=(1, 2)), "no counterpart"),
        (pair(worn=(1, 3)), "garment not found"),
        (pair(parsed=False), "no parse map"),
        (replace(pair(), paired=False), "unpaired"),
        (pair("dress"), "garment not found"),
    ],
)
def test_pairs_that_make_none_say_why(made_of, reason):
    assert triplet_of(made_of) == reason
    assert list(PairTriplets([made_of])) == [reason]


def test_a_parser_takes_the_place_of_the_parse_map(parser_folder):
    parser = Parser.from_pretrained(parser_folder)
    made = triplet_of(pair(parsed=False), parser=parser)
    assert isinstance(made, Triplet) and made.kinds == ("upper", "lower")


def test_a_sequence_is_read_as_it_is_indexed():
    made = PairTriplets([pair(), pair(worn=(1, 2))])
    assert len(made) == 2 and made[-1] == "no counterpart"
    assert [type(item) for item in made[:]] == [Triplet, str]


@pytest.mark.parametrize("kinds", [("upper",), ("upper", "upper"), ()])
def test_an_outfit_has_two_garments_of_different_kinds(kinds):
    garments = tuple(TripletGarment(kind=kind, cut_out=False) for kind in kinds)
    with pytest.raises(ToileError, match="needs two or more"):
        replace(triplet_of(pair()), garments=garments)


def test_a_kind_that_is_not_worn_is_refused():
    for picture in (triplet_of(pair()).garment, triplet_of(pair()).worn):
        with pytest.raises(ToileError, match="no garment of the kind 'hat'; it has upper, lower"):
            picture("hat")
