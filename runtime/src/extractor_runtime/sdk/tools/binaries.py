"""Which tools there are, where each is found, and who brings one that is missing."""

import os
import shutil

from extractor_runtime.sdk.tools.errors import ToolError

FOLDER = "EXTRACTOR_TOOLS"
"""Environment variable: a folder of the operator's own binaries, looked into first."""

_PACKAGES = {
    "ffmpeg": "ffmpeg",
    "ffprobe": "ffmpeg",
    "exiftool": "libimage-exiftool-perl",
    "mediainfo": "mediainfo",
    "convert": "imagemagick",
    "identify": "imagemagick",
    "sox": "sox libsox-fmt-all",
    "soxi": "sox libsox-fmt-all",
}
_VENDORS = {"REDline": "RED", "art-cmd": "ARRI"}

NAMES = (*_PACKAGES, *_VENDORS)


def find(tool: str) -> str:
    """Find a tool's binary.

    Raises ValueError for a name that is no tool, and ToolError, which says who brings it, for a missing one.
    """
    if tool not in NAMES:
        raise ValueError(f"{tool!r} is not one of the tools: {', '.join(NAMES)}")
    if found := shutil.which(tool, path=search_path()):
        return found
    if vendor := _VENDORS.get(tool):
        raise ToolError(
            f"{tool} is not installed: the platform's operator gets it from {vendor} "
            f"and puts it into the folder that {FOLDER} names"
        )
    raise ToolError(
        f"{tool} is not installed: it comes with the Debian package {_PACKAGES[tool].partition(' ')[0]} "
        f"(apt-get install {_PACKAGES[tool]})"
    )


def search_path() -> str:
    """Give the folders in which tools, and what they start, are looked for."""
    return os.pathsep.join(filter(None, [os.environ.get(FOLDER), os.environ.get("PATH", os.defpath)]))
