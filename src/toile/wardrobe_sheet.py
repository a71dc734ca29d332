"""A contact sheet of outfits: a card for each, its name above, its garments side by side."""

import unicodedata
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

Garment = tuple[str, Image.Image]
"""A kind, and a picture."""

CELL = (144, 192)
"""(width, height) that a garment's picture has, at most."""
GAP, TITLE, LABEL = 10, 26, 20
WIDTH = 1024
"""Of the sheet, unless one outfit alone needs more."""
PAPER, CARD, INK, PALE = "#ece9e2", "#ffffff", "#28282e", "#77757d"


def draw_outfits(titles: Sequence[str], outfits: Sequence[Sequence[Garment]]) -> Image.Image:
    """Draw outfits in rows that are as full as the sheet is wide.

    Args:
        titles: one for each outfit; cut where its card ends.
        outfits: the garments of each, pictures in RGB.
    """
    cards = [_card(title, garments) for title, garments in zip(titles, outfits, strict=True)]
    rows = _rows(cards)
    width = max(sum(card.width + GAP for card in row) for row in rows) + GAP
    height = sum(row[0].height + GAP for row in rows) + GAP
    sheet, top = Image.new("RGB", (width, height), PAPER), GAP
    for row in rows:
        left = GAP
        for card in row:
            sheet.paste(card, (left, top))
            left += card.width + GAP
        top += row[0].height + GAP
    return sheet


def _rows(cards: Sequence[Image.Image]) -> list[list[Image.Image]]:
    rows: list[list[Image.Image]] = [[]]
    for card in cards:
        if rows[-1] and sum(other.width + GAP for other in (*rows[-1], card)) > WIDTH - GAP:
            rows.append([])
        rows[-1].append(card)
    return rows


def _card(title: str, garments: Sequence[Garment]) -> Image.Image:
    width, height = CELL
    size = len(garments) * (width + GAP) + GAP, TITLE + height + LABEL + GAP
    card = Image.new("RGB", size, CARD)
    draw = ImageDraw.Draw(card)
    _write(draw, title, (GAP, 6), size[0] - 2 * GAP, 14, INK)
    for number, (kind, picture) in enumerate(garments):
        left = GAP + number * (width + GAP)
        small = picture.copy()
        small.thumbnail(CELL, Image.Resampling.LANCZOS)
        card.paste(small, (left + (width - small.width) // 2, TITLE + (height - small.height) // 2))
        _write(draw, kind, (left, TITLE + height + 4), width, 12, PALE)
    return card


def _write(
    draw: ImageDraw.ImageDraw, text: str, place: tuple[int, int], width: int, size: int, color: str
) -> None:
    """One line, cut where the width ends; without accents, which Pillow's own font has not."""
    font = ImageFont.load_default(size)
    shown = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    while len(shown) > 1 and draw.textlength(shown, font=font) > width:
        shown = shown.rstrip("…")[:-1].rstrip() + "…"
    draw.text(place, shown, font=font, fill=color)
