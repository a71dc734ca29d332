"""What TWGTM's pipeline gives back."""

from dataclasses import dataclass

import numpy as np
from diffusers.utils import BaseOutput
from PIL import Image
from torch import Tensor

Pictures = list[Image.Image] | np.ndarray | Tensor


@dataclass
class TWGTMOutput(BaseOutput):
    """The pictures that were generated, and what else was asked for."""

    images: Pictures
    """RGB: PIL pictures or what `output_type` says."""
    silhouettes: Pictures | None = None
    """Predicted silhouettes of the flat garments, in the same form, 1 or white the garment."""
