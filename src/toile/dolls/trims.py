"""What is drawn on a garment: seams, hems, collars, pockets, buttons and zips."""

from toile.dolls.outfit import GarmentSpec
from toile.dolls.shapes import (
    NECKS,
    SHOULDER_Y,
    Line,
    Sleeve,
    Trim,
    between,
    bezier,
    both,
    disk,
    neck_front,
    patch,
    seam,
)

RIBBED = ("hoodie", "sweater", "jacket")
MAIN, ACCENT, BELOW = 0, 2, -1


def top_trims(
    spec: GarmentSpec, heights: tuple[float, ...], widths: tuple[float, ...], sleeve: Sleeve | None
) -> list[Trim]:
    """Trims of a top or a dress; `heights` and `widths` are its side seam, down to the hem."""
    hem, edge = heights[-1], widths[-1]
    trims = [] if sleeve is None else _cuffs(spec, sleeve)
    if spec.category == "upper":
        trims += _hem(spec, hem, edge)
    return [*trims, *_neck(spec), *_waist(spec), *_closure(spec, hem), *_pockets(spec, hem)]


def _rib_colour(spec: GarmentSpec) -> int:
    return ACCENT if spec.tucked else BELOW


def _cuffs(spec: GarmentSpec, sleeve: Sleeve) -> list[Trim]:
    trims = both([sleeve.shoulder, sleeve.armpit], width=0.0035, tone=0.80)
    depth = 0.024 if spec.cut in RIBBED else 0.009
    share = 1 - depth / max(sleeve.length, 0.05)
    outer = between(sleeve.shoulder, sleeve.cuff_outer, share)
    inner = between(sleeve.armpit, sleeve.cuff_inner, share)
    if spec.cut in RIBBED:
        trims += both(
            [outer, sleeve.cuff_outer, sleeve.cuff_inner, inner], tone=0.84, colour=_rib_colour(spec)
        )
    return trims + both([outer, inner], width=0.003, tone=0.76)


def _hem(spec: GarmentSpec, hem: float, edge: float) -> list[Trim]:
    depth = 0.026 if spec.cut in RIBBED else 0.010
    line = [(-edge - 0.01, hem - depth), (edge + 0.01, hem - depth)]
    trims = [seam(line, 0.003, 0.76)]
    if spec.cut in RIBBED:
        band = [*line, (edge + 0.02, hem + 0.02), (-edge - 0.02, hem + 0.02)]
        trims.insert(0, patch(band, 0.84, _rib_colour(spec)))
    return trims


def _neck(spec: GarmentSpec) -> list[Trim]:
    front = neck_front(spec)
    if spec.neckline == "turtle":
        return [seam([(-0.06, 0.166), (0.06, 0.166)], 0.004, 0.76)]
    if spec.neckline == "hood":
        cords = both([(0.020, 0.205), (0.022, 0.262)], width=0.0055, tone=1.0, colour=ACCENT)
        return [seam(front, 0.006, 0.70), *cords]
    if spec.neckline == "collar":
        edge = [(0.048, 0.168), (0.042, 0.212), (0.003, 0.208)]
        flap = [(0.040, 0.160), *edge, (0.018, 0.188)]
        return both(flap, tone=1.0, colour=MAIN) + both(edge, width=0.0035, tone=0.66)
    return [seam([(x, y + 0.005) for x, y in front], 0.010, 0.82)]


def _waist(spec: GarmentSpec) -> list[Trim]:
    if "waist seam" in spec.trims:
        return [seam([(-0.12, 0.390), (0.12, 0.390)], 0.0045, 0.74)]
    if "belt" in spec.trims:
        belt = [(-0.13, 0.376), (0.13, 0.376), (0.13, 0.400), (-0.13, 0.400)]
        buckle = [(-0.013, 0.373), (0.013, 0.373), (0.013, 0.403), (-0.013, 0.403)]
        return [patch(belt, 1.0, ACCENT), patch(buckle, 0.6, ACCENT)]
    return []


def _closure(spec: GarmentSpec, hem: float) -> list[Trim]:
    """Buttons or a zip down the middle."""
    top = SHOULDER_Y + NECKS[spec.neckline][1]
    middle = [(0.0, top), (0.0, hem + 0.02)]
    if "zip" in spec.trims:
        return [seam(middle, 0.009, 1.0, ACCENT), seam(middle, 0.0028, 0.55, ACCENT)]
    if "buttons" not in spec.trims:
        return []
    count = max(3, round((hem - top) / 0.055))
    heights = [top + 0.016 + (hem - top - 0.03) * index / (count - 1) for index in range(count)]
    placket = both([(0.012, top), (0.012, hem + 0.02)], width=0.003, tone=0.74)
    return placket + [disk((0.0, y), 0.0062, ACCENT, 1.0) for y in heights]


def _pockets(spec: GarmentSpec, hem: float) -> list[Trim]:
    if "pouch" in spec.trims:
        low, half = hem - 0.032, [(0.044, -0.072), (0.070, -0.026), (0.070, 0.0)]
        right = [(x, low + y) for x, y in half]
        pouch = [(-0.044, low - 0.072), *right, *[(-x, y) for x, y in reversed(right[1:])]]
        return [patch(pouch, 0.92), seam([*pouch, pouch[0]], 0.0035, 0.70)]
    if "side pockets" in spec.trims:
        return both([(0.058, hem - 0.125), (0.078, hem - 0.060)], width=0.008, tone=0.58)
    if "pocket" in spec.trims:
        box = [(0.030, 0.245), (0.074, 0.245), (0.074, 0.290), (0.052, 0.302), (0.030, 0.290)]
        return [patch(box, 1.0, ACCENT), seam([*box, box[0]], 0.003, 0.70)]
    return []


def lower_trims(spec: GarmentSpec, outs: tuple[float, ...], ins: tuple[float, ...]) -> list[Trim]:
    """Trims of trousers, shorts and skirts, given the outer and inner half widths from waist to hem."""
    band = [(-0.13, 0.39), (0.13, 0.39), (0.13, 0.424), (-0.13, 0.424)]
    hem: Line = [(ins[-1] - 0.01, spec.hem - 0.013), (outs[-1] + 0.02, spec.hem - 0.013)]
    trims = [patch(band, 0.86), seam(band[2:], 0.0035, 0.68), *both(hem, width=0.003, tone=0.76)]
    if "fly" in spec.trims:
        trims.append(seam([(0.0, 0.424), (0.0, 0.562)], 0.0035, 0.68))
        trims.append(seam(bezier((0.024, 0.424), (0.026, 0.500), (0.0, 0.518)), 0.003, 0.74))
        trims += both(bezier((0.058, 0.424), (0.062, 0.462), (0.106, 0.470)), width=0.0035, tone=0.66)
        trims.append(disk((0.0, 0.411), 0.0075, ACCENT, 1.0))
    if "seam" in spec.trims:
        trims.append(seam([(0.0, 0.424), (0.0, spec.hem)], 0.003, 0.78))
    if "pleats" in spec.trims:
        for share in (-0.78, -0.52, -0.26, 0.0, 0.26, 0.52, 0.78):
            trims.append(seam([(share * outs[0], 0.424), (share * outs[-1], spec.hem + 0.01)], 0.0045, 0.70))
    return trims
