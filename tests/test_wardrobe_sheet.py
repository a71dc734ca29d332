import pytest
from PIL import Image

from toile.wardrobe_sheet import CARD, CELL, GAP, WIDTH, draw_outfits


def garments(*colors: str, size: tuple[int, int] = (30, 40)):
    return [("upper", Image.new("RGB", size, color)) for color in colors]


def area(sheet: Image.Image, color: str) -> int:
    wanted = Image.new("RGB", (1, 1), color).getpixel((0, 0))
    return sum(count for count, found in sheet.getcolors(2**16) if found == wanted)


def test_every_garment_is_shown_whole():
    sheet = draw_outfits(["a", "b"], [garments("red", "lime"), garments("blue")])
    assert [area(sheet, color) for color in ("red", "lime", "blue")] == [1200] * 3


@pytest.mark.parametrize(("size", "shown"), [((500, 500), (144, 144)), ((144, 768), (36, 192))])
def test_large_pictures_are_scaled_into_their_cell(size, shown):
    sheet = draw_outfits(["a"], [garments("red", size=size)])
    assert area(sheet, "red") == shown[0] * shown[1]


def test_rows_are_as_full_as_the_sheet_is_wide():
    one = draw_outfits(["a"], [garments("red")])
    several = draw_outfits(["a"] * 7, [garments("red")] * 7)
    assert one.width < several.width <= WIDTH < several.width + CELL[0] + 3 * GAP
    assert several.height - one.height == one.height - GAP  # two rows
    wide = draw_outfits(["a", "b"], [garments("red"), garments(*["red"] * 10)])
    assert wide.width > WIDTH and wide.height == several.height


def test_long_names_stay_on_their_card():
    sheet = draw_outfits(["name " * 40], [garments("red")])
    right = sheet.crop((sheet.width - GAP, 0, sheet.width, sheet.height))
    assert len(right.getcolors()) == 1  # the sheet's own ground
    card_edge = sheet.crop((sheet.width - 2 * GAP, GAP, sheet.width - GAP, sheet.height - GAP))
    assert {color for _, color in card_edge.getcolors()} == {Image.new("RGB", (1, 1), CARD).getpixel((0, 0))}


def test_accents_do_not_become_boxes():
    assert (
        draw_outfits(["été"], [garments("red")]).tobytes()
        == draw_outfits(["ete"], [garments("red")]).tobytes()
    )
