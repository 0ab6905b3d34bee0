"""Real media, made by the tools themselves: a video with sound, a photo with EXIF, a 16-bit WAV."""

import math
import shutil
import struct
import wave
from pathlib import Path

from extractor_runtime.sdk.tools import run_tool
from support import peers

VIDEO_SECONDS = 4.0
RATE = 8000


def need(*tools: str) -> None:
    """End a test whose tools are missing: skipped on a laptop, failed in CI."""
    if absent := [tool for tool in tools if shutil.which(tool) is None]:
        peers.missing(f"{', '.join(absent)}: not installed; docs/tools.md names the packages")


def make_video(path: Path) -> Path:
    """Make a video of two scenes of two seconds, the first red and the second blue, with a tone of 440 Hz."""
    sources = ["color=red:size=64x48:rate=10:duration=2", "color=blue:size=64x48:rate=10:duration=2"]
    run_tool(
        "ffmpeg",
        [
            *(word for source in sources for word in ("-f", "lavfi", "-i", source)),
            *("-f", "lavfi", "-i", f"sine=frequency=440:duration={VIDEO_SECONDS}"),
            *("-filter_complex", "[0:v][1:v]concat=n=2[v]", "-map", "[v]", "-map", "2:a"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", path),
        ],
    )
    return path


def make_photo(path: Path) -> Path:
    """Make a JPEG of 64 by 48 with a camera, a date and a place in its EXIF."""
    run_tool("convert", ["-size", "64x48", "gradient:red-blue", path])
    tags = ["-Make=Lumen", "-DateTimeOriginal=2026:11:22 10:00:00", "-GPSLatitude=48.2", "-GPSLatitudeRef=N"]
    run_tool("exiftool", ["-overwrite_original", *tags, path])
    return path


def make_wav(path: Path, seconds: float = 1.0) -> Path:
    """Make a mono tone of 440 Hz, 16 bits at 8,000 Hz."""
    samples = [round(20_000 * math.sin(2 * math.pi * 440 * n / RATE)) for n in range(int(seconds * RATE))]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return path
