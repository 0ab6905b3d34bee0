"""Two classic descriptors: what colours a picture has, and how its brightness changes from place to place.

Both are histograms of something that every pixel has, whatever way up and wherever in the picture it is. So a
picture that is turned keeps its vectors, and a part of it has similar ones. The cosine of histograms' square
roots is the Bhattacharyya coefficient: 1 for equal ones, 0 for those that share nothing.
"""

import functools
import math

import numpy as np
from scipy import ndimage

from .picture import Floats

Axis = tuple[Floats, int]
"""A value of every pixel, from 0 to 1, and how many bins it is counted in."""

_SCALES = (1, 2, 4)
"""Pixels over which brightness is smoothed: fine, middling and coarse structure."""

_FLAT, _STEEP = 0.02, 0.4
"""Slopes and curvatures between which the bins are spread."""

_NAMES = {
    "black": (0.05, 0.05, 0.05),
    "grey": (0.5, 0.5, 0.5),
    "white": (0.95, 0.95, 0.95),
    "red": (0.75, 0.15, 0.15),
    "orange": (0.9, 0.5, 0.15),
    "yellow": (0.9, 0.85, 0.2),
    "green": (0.25, 0.55, 0.2),
    "blue": (0.2, 0.35, 0.75),
    "purple": (0.5, 0.2, 0.6),
    "pink": (0.9, 0.6, 0.7),
    "brown": (0.4, 0.25, 0.15),
}


def colour(rgb: Floats) -> Floats:
    """Count the colours: brightness, red against blue, green against both."""
    red, green, blue = np.moveaxis(rgb, -1, 0)
    warmth, greenness = _spread(red - blue), _spread(green - (red + blue) / 2)
    return _histogram((_brightness(rgb), 12), (warmth, 6), (greenness, 5))


def structure(rgb: Floats) -> Floats:
    """Count, at three scales, how bright, how steep and how curved the brightness is at a pixel."""
    brightness = _brightness(rgb)
    scales = [_surface(brightness, scale) for scale in _SCALES]
    return np.concatenate(scales) / math.sqrt(len(scales))


def colour_name(rgb: Floats) -> str:
    """Name the average colour."""
    mean = rgb.mean(axis=(0, 1))
    return min(_NAMES, key=lambda name: math.dist(mean, _NAMES[name]))


def _surface(brightness: Floats, scale: int) -> Floats:
    smooth = ndimage.gaussian_filter(brightness, scale)
    # Times the scale, so that the same thing shown larger is as steep and as curved.
    slope = ndimage.gaussian_gradient_magnitude(brightness, scale) * scale
    curvature = ndimage.gaussian_laplace(brightness, scale) * scale**2
    # Most of a picture is nearly flat: logarithms give the small values room.
    steepness = np.log1p(slope / _FLAT) / math.log1p(_STEEP / _FLAT)
    bend = np.arcsinh(curvature / _FLAT) / math.asinh(_STEEP / _FLAT) / 2 + 0.5
    return _histogram((steepness, 5), (bend, 5), (smooth, 4))


def _brightness(rgb: Floats) -> Floats:
    return np.asarray(rgb.mean(axis=-1))


def _spread(difference: Floats) -> Floats:
    """Bring -1 to 1 to 0 to 1, with room for the small differences that most colours have."""
    return np.asarray(np.sign(difference) * np.sqrt(np.abs(difference)) + 1) / 2


def _histogram(*axes: Axis) -> Floats:
    """Count pixels in a grid of bins, as a vector of unit length; each counts in the bins next to it.

    A hard limit between two bins would let a slight change of the picture move half of its pixels.
    """
    *others, last = (_shares(values.ravel(), bins) for values, bins in axes)
    counts = (functools.reduce(_combine, others).T @ last).ravel()
    return np.asarray(np.sqrt(counts / counts.sum()))


def _shares(values: Floats, bins: int) -> Floats:
    """Say, for each value, how much of it counts in each bin: shape (values, bins)."""
    places = np.clip(values * bins - 0.5, 0, bins - 1).astype(np.float32)
    return np.asarray(np.maximum(0, 1 - np.abs(places[:, None] - np.arange(bins, dtype=np.float32))))


def _combine(first: Floats, second: Floats) -> Floats:
    return (first[:, :, None] * second[:, None, :]).reshape(len(first), -1)
