"""How hard a pair is to restore, in numbers."""

import numpy as np

from toile.dolls.doll import FlatGarment, Hardness
from toile.dolls.outfit import GarmentSpec


def measure_hardness(garment: FlatGarment, spec: GarmentSpec) -> Hardness:
    """Measures the three kinds of hard pair from the exact geometry.

    Source: IGR (arXiv 2412.11513), Fig. 2: occlusion or truncation on the person, a garment picture in side
    view, extreme proportions.
    """
    height, width = garment.silhouette.shape
    inside = garment.silhouette > 0
    x, y = garment.warp[..., 0][inside], garment.warp[..., 1][inside]
    framed = (x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)
    total, in_frame = len(x), int(np.count_nonzero(framed))
    visible = int(np.count_nonzero(garment.warp_visible))
    placement = spec.placement
    turned = placement.shear != 0
    return Hardness(
        occlusion=1 - min(1.0, visible / in_frame) if in_frame else 0.0,
        truncation=1 - in_frame / total,
        side_view=1 - placement.width_factor if turned else 0.0,
        extreme_proportion=0.0 if turned else 1 - min(placement.width_factor, placement.height_factor),
    )
