import numpy as np
import pytest
from PIL import Image

from toile.errors import ToileError
from toile.evaluation.heat_map import HATCH, NOTHING, HeatMapStyle, colours, heat_map

CELL = 20
STYLE = HeatMapStyle(cell=CELL)


def cells(picture: Image.Image, colour: tuple[int, int, int]) -> int:
    """How many pixels have exactly this colour."""
    return int((np.asarray(picture) == colour).all(axis=-1).sum())


def shade(value: float, span: tuple[float, float] = (0.0, 1.0)) -> tuple[int, int, int]:
    red, green, blue = colours(np.array([value]), span)[0].tolist()
    return red, green, blue


def test_each_number_has_its_colour_where_it_stands() -> None:
    matrix = np.array([[0.1, 0.9], [0.9, 0.9], [0.5, 0.9]])
    pixels = np.asarray(heat_map(matrix, ["a", "b", "c"], ["d", "e"], STYLE))
    y, x = np.argwhere((pixels == shade(0.1)).all(axis=-1))[0]
    for (row, column), value in np.ndenumerate(matrix):
        at = pixels[y + row * CELL + CELL // 2, x + column * CELL + CELL // 2]
        assert tuple(at.tolist()) == shade(value)


def test_colours_grow_brighter_and_stop_at_the_ends() -> None:
    found = colours(np.array([-5, 0, 0.25, 0.5, 0.75, 1, 5]), (0.0, 1.0))
    assert found[0].tolist() == found[1].tolist() == [68, 1, 84]
    assert found[5].tolist() == found[6].tolist() == [253, 231, 37]
    brightness = found[1:6].astype(int).sum(axis=1).tolist()
    assert brightness == sorted(brightness) and len(set(brightness)) == 5


def test_a_negative_number_opens_the_bar_downwards() -> None:
    positive = heat_map(np.array([[0.0, 0.5]]), ["a"], ["b", "c"], STYLE)
    negative = heat_map(np.array([[0.0, -0.5]]), ["a"], ["b", "c"], STYLE)
    area = (CELL - 1) ** 2
    assert cells(positive, shade(0.5)) >= area
    assert cells(negative, shade(0.0, (-1, 1))) >= area
    assert cells(negative, shade(-0.5, (-1, 1))) >= area
    fixed = heat_map(np.array([[2.0]]), ["a"], style=HeatMapStyle(cell=CELL, span=(0.0, 4.0)))
    assert cells(fixed, shade(2.0, (0, 4))) >= area


def test_what_is_no_number_is_hatched() -> None:
    picture = heat_map(np.array([[np.nan, 1.0]]), ["a"], ["b", "c"], STYLE)
    hatch, ground = cells(picture, HATCH), cells(picture, NOTHING)
    assert hatch > CELL and ground > hatch
    assert hatch + ground == (CELL - 1) ** 2
    empty = heat_map(np.full((1, 1), np.nan), ["a"], style=STYLE)
    assert cells(empty, NOTHING) == ground


def test_large_cells_show_their_digits() -> None:
    def covered(side: int) -> float:
        picture = heat_map(np.array([[0.5]]), ["a"], style=HeatMapStyle(cell=side))
        return 1 - cells(picture, shade(0.5)) / (side - 1) ** 2

    assert covered(20) <= 0
    assert 0.02 < covered(50) < 0.3


def test_names_and_titles_make_room_for_themselves() -> None:
    matrix = np.ones((2, 2))
    plain = heat_map(matrix, ["a", "b"], style=STYLE)
    long = heat_map(matrix, ["a", "a much longer name"], style=STYLE)
    assert long.width > plain.width + 80 and long.height > plain.height + 80
    titles = HeatMapStyle(cell=CELL, title="a title that is longer than the matrix", row_title="rows")
    titled = heat_map(matrix, ["a", "b"], style=titles)
    assert titled.height > plain.height and titled.width > plain.width
    assert (np.asarray(titled)[:, -10:] == 255).all()  # nothing is cut off
    assert plain.mode == "RGB"


def test_another_number_of_names_is_refused() -> None:
    with pytest.raises(ToileError, match=r"\(2, 2\).*3 and 3 names"):
        heat_map(np.ones((2, 2)), ["a", "b", "c"])
    with pytest.raises(ToileError, match="0 and 0"):
        heat_map(np.ones((0, 0)), [])
