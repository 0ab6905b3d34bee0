"""How a stretch of sound sounds: its log-mel spectrum, summed up over time.

The spectrum is taken in bands that are spaced as we hear, its logarithm because we hear that way too. What is
kept of each band is how loud it is on average, how much that varies, and how quickly. None of it depends on
when the stretch begins, or on how loud all of it was recorded.
"""

import numpy as np

from .recording import RATE, Floats

_BANDS = 40
_WINDOW = 512
_STEP = 128
_LOWEST, _HIGHEST = 60.0, 3900.0
# What is weaker than the strongest by this much, 40 dB, is taken for noise.
_FLOOR = 1e-4


def describe(samples: Floats) -> Floats:
    """Describe a stretch of sound as 120 numbers; the cosine of two says how alike they sound."""
    spectrum = _log_mel(samples)
    level = spectrum.mean(axis=0)
    parts = (level - level.mean(), spectrum.std(axis=0), np.abs(np.diff(spectrum, axis=0)).mean(axis=0))
    # Each part counts alike, whatever its unit.
    return np.concatenate([part / (np.linalg.norm(part) + 1e-6) for part in parts]).astype(np.float32)


def _log_mel(samples: Floats) -> Floats:
    """Give the loudness of each band at each step, shape (steps, bands)."""
    padded = np.pad(samples, (0, max(0, 2 * _WINDOW - len(samples))))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_STEP]
    power = np.abs(np.fft.rfft(windows * np.hanning(_WINDOW), axis=1)) ** 2
    bands = power @ _FILTERS
    return np.asarray(np.log(bands + _FLOOR * bands.max() + 1e-12))


def _filters() -> Floats:
    """Build triangles over the frequencies, evenly spaced in mel: each begins where another has its peak."""
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (_LOWEST, _HIGHEST))
    edges = 700 * (10 ** (np.linspace(low, high, _BANDS + 2) / 2595) - 1)
    below, peak, above = edges[:-2], edges[1:-1], edges[2:]
    hertz = np.fft.rfftfreq(_WINDOW, 1 / RATE)[:, None]
    rising, falling = (hertz - below) / (peak - below), (above - hertz) / (above - peak)
    triangles = np.maximum(0, np.minimum(rising, falling))
    # A triangle that is narrower than a bin has none: it gets the nearest.
    for band in np.flatnonzero(triangles.sum(axis=0) == 0):
        triangles[np.abs(hertz[:, 0] - peak[band]).argmin(), band] = 1
    return np.asarray(triangles)


_FILTERS = _filters()
