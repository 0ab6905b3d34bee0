"""Digests of open files, with a deadline."""

import hashlib
import math
import os
import time

from extractor_sandbox.extent import Extent


def digest(descriptor: int, deadline: float = math.inf) -> str:
    """Hash a file from its start. Raises TimeoutError at the deadline, by ``time.monotonic()``."""
    engine = hashlib.sha256()
    for piece in Extent(descriptor, 0, os.fstat(descriptor).st_size).pieces():
        if time.monotonic() > deadline:
            raise TimeoutError("the file could not be hashed in time")
        engine.update(piece)
    return f"sha256:{engine.hexdigest()}"
