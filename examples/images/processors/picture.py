"""Pictures as both halves see them: upright, in RGB, and reduced alike."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from shared.plugins import open_asset

Floats = npt.NDArray[np.floating]

_SIDE = 256
_SMALLEST = 8


@dataclass(frozen=True)
class Picture:
    """What is described: at most 256 pixels a side, values from 0 to 1."""

    rgb: Floats
    """Shape (rows, columns, 3)."""
    width: int
    """Of the picture itself."""
    height: int


def load(address: str) -> Picture:
    """Read the image at a path or URL, turned as its camera says."""
    with open_asset(address) as path, Image.open(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    # Halved until it fits: were all resized to one size, things would be larger in a part than in the whole.
    factor = 1
    while max(upright.size) > _SIDE * factor:
        factor *= 2
    small = upright.reduce(factor)
    if min(small.size) < _SMALLEST:
        raise ValueError(f"{upright.width} by {upright.height} pixels are too few to describe")
    return Picture(np.asarray(small, np.float32) / 255, upright.width, upright.height)
