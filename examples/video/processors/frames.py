"""Frames of a video or a still as ffmpeg decodes them, reduced to what the descriptor looks at."""

import numpy as np
import numpy.typing as npt

from shared.plugins.sdk import run_tool

Frames = npt.NDArray[np.uint8]
"""Shape (frames, SIDE, SIDE, 3): red, green and blue."""

SIDE = 32
# Six hours of four frames a second.
_MAX_BYTES = 256 << 20
_TIMEOUT = 1800.0


def read(path: str, *, frames_per_second: float | None = None, seconds: float | None = None) -> Frames:
    """Decode the first video stream of a file, or a still: so many frames of a second, or all.

    What is shown after ``seconds`` is left out.
    """
    filters = [f"scale={SIDE}:{SIDE}:flags=area"]
    if frames_per_second is not None:
        filters.insert(0, f"fps={frames_per_second}")
    arguments = ["-v", "error", "-i", path, "-map", "0:v:0", "-vf", ",".join(filters)]
    if seconds is not None:
        arguments += ["-t", str(seconds)]
    arguments += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    decoded = run_tool("ffmpeg", arguments, timeout=_TIMEOUT, max_output=_MAX_BYTES).stdout
    frames = np.frombuffer(decoded, np.uint8).reshape(-1, SIDE, SIDE, 3)
    if not len(frames):
        raise ValueError("the video has no frames that can be decoded")
    return frames
