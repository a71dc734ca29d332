"""A picture of many pictures: rows of examples, a column for each method, titles above."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

GAP = 4
TITLE = 14


def picture_sheet(titles: Sequence[str], rows: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """Lay pictures of one size out in rows.

    Args:
        titles: one for each column; cut where the column ends.
        rows: RGB pictures, as many in each row as there are titles.

    Raises:
        ValueError: when a row has another number of pictures.
    """
    width, height = rows[0][0].size
    sheet = Image.new(
        "RGB", (len(titles) * (width + GAP) + GAP, TITLE + len(rows) * (height + GAP) + GAP), "#d8d8d8"
    )
    for column, (title, x) in enumerate(zip(titles, range(GAP, sheet.width, width + GAP), strict=False)):
        label = Image.new("RGB", (width, TITLE), "#d8d8d8")
        ImageDraw.Draw(label).text((1, 1), title, fill="black")
        sheet.paste(label, (x, 1))
        for number, row in enumerate(rows):
            if len(row) != len(titles):
                raise ValueError(f"row {number} has {len(row)} pictures for {len(titles)} titles")
            sheet.paste(row[column], (x, TITLE + GAP + number * (height + GAP)))
    return sheet
