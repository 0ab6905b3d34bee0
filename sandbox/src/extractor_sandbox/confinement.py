"""What the worker takes from itself before it touches the archive.

Today these are the kernel's resource limits; a file-system and system-call filter belongs here as well.
"""

import math
import resource
import sys

from extractor_sandbox import limits

_ADDRESS_SPACE = 1 << 30
_FILE_BYTES = limits.UNPACKED_BYTES + 32 * limits.MIB
_OPEN_FILES = 64


def confine(seconds: float) -> None:
    """Bound memory, processor time and file size; no core dump, which would hold the archive."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, math.ceil(seconds))
    _limit(resource.RLIMIT_FSIZE, _FILE_BYTES)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    if sys.platform == "linux":  # macOS refuses to bound the address space.
        _limit(resource.RLIMIT_AS, _ADDRESS_SPACE)


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))
