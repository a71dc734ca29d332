"""Where a garment is worn when no mask says so: a rectangle for each category."""

from PIL import Image

from toile.errors import ToileError

REGIONS = {
    "upper": (0.08, 0.19, 0.91, 0.84),
    "lower": (0.22, 0.28, 0.79, 0.96),
    "dress": (0.20, 0.17, 0.81, 0.96),
}
"""x0, y0, x1, y1 in fractions of a photo that shows one person, standing, from head to foot.

Ours: the mean bounding boxes of the agnostic masks of a hundred Paper Dolls, widened by up to 0.05 on each
side. Arms that are stretched out reach beyond them; heads stay out, and so does most of the background.
"""


def default_region(category: str, size: tuple[int, int]) -> Image.Image:
    """Mark the place of a category in a photo of one standing person, never the whole person.

    Args:
        category: `upper`, `lower` or `dress`.
        size: (height, width) of the photo, without padding.

    Returns:
        An "L" mask of that size: 255 in the rectangle, 0 elsewhere.

    Raises:
        ToileError: when there is no rectangle for the category.
    """
    if category not in REGIONS:
        raise ToileError(f"category {category!r} is unknown; write one of {', '.join(REGIONS)}")
    height, width = size
    left, top, right, bottom = REGIONS[category]
    x0, y0 = round(left * width), round(top * height)
    x1, y1 = max(x0 + 1, round(right * width)), max(y0 + 1, round(bottom * height))
    mask = Image.new("L", (width, height), 0)
    mask.paste(255, (x0, y0, x1, y1))
    return mask
