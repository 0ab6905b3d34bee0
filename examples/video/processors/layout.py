"""Where which colours are in a frame: a low-frequency cosine transform, as MPEG-7's colour layout has it."""

import numpy as np
import numpy.typing as npt

from .frames import SIDE, Frames

Floats = npt.NDArray[np.floating]

_WAVES = 5
_PIECE = 1000
# Brightness, and two differences of colour that a grey has none of.
_CHANNELS = np.array([[1 / 3, 1 / 3, 1 / 3], [0.5, 0, -0.5], [-0.25, 0.5, -0.25]], np.float32)


def describe(frames: Frames) -> Floats:
    """Describe frames, a row of 75 numbers each.

    The distance of two rows is how much the frames differ once they are blurred: the root of the mean square,
    from 0 to 1.
    """
    # Some at a time: as floating-point numbers, the frames of a film are gigabytes.
    pieces = [frames[start : start + _PIECE] for start in range(0, len(frames), _PIECE)]
    return np.concatenate([_describe(piece) for piece in pieces])


def _describe(frames: Frames) -> Floats:
    channels = frames.astype(np.float32) @ (_CHANNELS.T / 255)
    waves = np.einsum("uy,nyxc,vx->nuvc", _COSINES, channels, _COSINES, optimize=True)
    return np.asarray(waves.reshape(len(frames), -1))


def _cosines() -> Floats:
    wave, place = np.mgrid[:_WAVES, :SIDE]
    cosines = np.cos(np.pi * wave * (place + 0.5) / SIDE) * np.where(wave == 0, 1, 2**0.5)
    return np.asarray(cosines / SIDE, np.float32)


_COSINES = _cosines()
