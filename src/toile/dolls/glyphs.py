"""Letters and logos as polygons, so that they are equal at each size and on every machine."""

import math
from itertools import pairwise

import numpy as np

from toile.dolls.skeleton import Points

# Strokes on a grid 4 wide and 6 high: pairs of digits are points, semicolons lift the pen.
LETTERS = {
    "A": "06 02 20 42 46;04 44", "B": "00 06 36 45 44 33 03;00 30 41 42 33", "C": "41 30 10 01 05 16 36 45",
    "D": "00 06 26 44 42 20 00", "E": "40 00 06 46;03 33", "F": "40 00 06;03 33",
    "G": "41 30 10 01 05 16 36 45 43 23", "H": "00 06;40 46;03 43", "I": "20 26;10 30;16 36",
    "J": "40 45 36 16 05", "K": "00 06;40 03 46", "L": "00 06 46", "M": "06 00 23 40 46", "N": "06 00 46 40",
    "O": "10 30 41 45 36 16 05 01 10", "P": "06 00 30 41 42 33 03", "Q": "10 30 41 45 36 16 05 01 10;24 46",
    "R": "06 00 30 41 42 33 03;23 46", "S": "41 30 10 01 02 13 33 44 45 36 16 05", "T": "00 40;20 26",
    "U": "00 05 16 36 45 40", "V": "00 26 40", "W": "00 16 23 36 40", "X": "00 46;40 06",
    "Y": "00 23 40;23 26",
    "Z": "00 40 06 46",
}  # fmt: skip
STROKE = 0.21
ADVANCE = 0.92


def word_polygons(word: str, centre: tuple[float, float], height: float) -> list[Points]:
    """Convex polygons that together draw a word, letters `height` high, centred on `centre`."""
    width = height * 0.62
    start = centre[0] - (len(word) - 1) * height * ADVANCE / 2 - width / 2
    polygons: list[Points] = []
    for index, letter in enumerate(word):
        left = start + index * height * ADVANCE
        for stroke in LETTERS[letter].split(";"):
            line = [
                (left + int(p[0]) / 4 * width, centre[1] - height / 2 + int(p[1]) / 6 * height)
                for p in stroke.split()
            ]
            polygons += stroke_polygons(line, height * STROKE)
    return polygons


def stroke_polygons(line: list[tuple[float, float]], width: float) -> list[Points]:
    """Convex polygons (six corners each, pointed ends) that draw a line of the given thickness."""
    polygons = []
    half = width / 2
    for (ax, ay), (bx, by) in pairwise(line):
        length = math.hypot(bx - ax, by - ay) or 1e-9
        ux, uy = (bx - ax) / length * half, (by - ay) / length * half
        corners = [
            (ax - uy, ay + ux), (ax - ux - uy * 0.45, ay - uy + ux * 0.45),
            (ax - ux + uy * 0.45, ay - uy - ux * 0.45),
            (ax + uy, ay - ux), (bx + uy, by - ux), (bx + ux + uy * 0.45, by + uy - ux * 0.45),
            (bx + ux - uy * 0.45, by + uy + ux * 0.45), (bx - uy, by + ux),
        ]  # fmt: skip
        polygons.append(np.array(corners))
    return polygons


def ellipse(centre: tuple[float, float], radii: tuple[float, float], count: int = 24) -> Points:
    """An ellipse as a polygon."""
    angles = [2 * math.pi * index / count for index in range(count)]
    return np.array(
        [(centre[0] + radii[0] * math.cos(a), centre[1] + radii[1] * math.sin(a)) for a in angles]
    )


def logo_polygons(name: str, centre: tuple[float, float], height: float) -> list[tuple[Points, bool]]:
    """Polygons of a logo and whether each is painted (True) or cut out again (False)."""
    shapes = _LOGOS[name]()
    return [(np.array(centre) + shape * (height / 2), filled) for shape, filled in shapes]


def _star(points: int, inner: float, turn: float = -math.pi / 2) -> Points:
    radii = [1.0 if index % 2 == 0 else inner for index in range(2 * points)]
    return np.array(
        [
            (r * math.cos(turn + math.pi * i / points), r * math.sin(turn + math.pi * i / points))
            for i, r in enumerate(radii)
        ]
    )


def _heart() -> Points:
    points = []
    for index in range(28):
        t = 2 * math.pi * index / 28
        x = 16 * math.sin(t) ** 3
        y = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
        points.append((x / 16, -y / 16 - 0.12))
    return np.array(points)


def _flower() -> list[tuple[Points, bool]]:
    petals = []
    for index in range(6):
        angle = math.pi * index / 3
        petals.append((ellipse((0.58 * math.cos(angle), 0.58 * math.sin(angle)), (0.36, 0.36), 16), True))
    return [*petals, (ellipse((0, 0), (0.28, 0.28), 16), False)]


def _leaf() -> Points:
    right = [(0.62 * math.sin(math.pi * t / 12) ** 0.9, -1 + t / 6) for t in range(13)]
    return np.array(right + [(-x, y) for x, y in reversed(right[1:-1])])


_BOLT = np.array([(0.25, -1), (-0.62, 0.12), (-0.05, 0.12), (-0.25, 1), (0.62, -0.22), (0.05, -0.22)])
_STALK = np.array([(-0.05, -0.5), (0.05, -0.5), (0.05, 0.9), (-0.05, 0.9)])

_LOGOS = {
    "star": lambda: [(_star(5, 0.42), True)],
    "heart": lambda: [(_heart(), True)],
    "bolt": lambda: [(_BOLT, True)],
    "ring": lambda: [(ellipse((0, 0), (1, 1)), True), (ellipse((0, 0), (0.55, 0.55)), False)],
    "mountain": lambda: [
        (np.array([(-1.2, 0.8), (-0.35, -0.8), (0.1, 0.0), (0.4, -0.35), (1.2, 0.8)]), True),
        (np.array([(-0.35, -0.55), (-0.6, -0.08), (-0.34, 0.1), (-0.1, -0.08)]), False),
    ],
    "moon": lambda: [(ellipse((0, 0), (1, 1)), True), (ellipse((0.45, -0.18), (0.82, 0.82)), False)],
    "flower": _flower,
    "diamond": lambda: [
        (np.array([(-0.6, -0.75), (0.6, -0.75), (1.0, -0.2), (0, 1.0), (-1.0, -0.2)]), True),
        (np.array([(-0.55, -0.2), (0.55, -0.2), (0.0, 0.55)]), False),
    ],
    "sun": lambda: [(_star(10, 0.68), True), (ellipse((0, 0), (0.42, 0.42), 18), False)],
    "leaf": lambda: [(_leaf(), True), (_STALK, False)],
}  # fmt: skip
