"""Recordings as ffmpeg decodes them: one channel, 8,000 samples a second."""

import numpy as np
import numpy.typing as npt

from shared.plugins import open_asset
from shared.plugins.sdk import run_tool

Floats = npt.NDArray[np.floating]

RATE = 8000
# Four hours and a half.
_MAX_BYTES = 256 << 20
_TIMEOUT = 600.0


def read(address: str, *, seconds: float | None = None) -> Floats:
    """Decode the first audio stream of a file, at a path or URL, to samples from -1 to 1.

    What is heard after ``seconds`` is left out.
    """
    output = ["-ac", "1", "-ar", str(RATE), "-f", "s16le", "-"]
    if seconds is not None:
        output = ["-t", str(seconds), *output]
    with open_asset(address) as path:
        arguments = ["-v", "error", "-i", path, "-map", "0:a:0", *output]
        decoded = run_tool("ffmpeg", arguments, timeout=_TIMEOUT, max_output=_MAX_BYTES).stdout
    samples = np.frombuffer(decoded, "<i2") / np.float32(32768)
    if not samples.any():
        raise ValueError("the recording is silent from beginning to end")
    return samples
