"""Credentials of a source's object store: from a mounted Secret's fields to variables of this process.

That is where the object stores' clients look for them, in the driver as in the author's steps. A Secret that
is mounted is one of the tenant's own, and no secret to the tenant's code.
"""

import os
import re
from collections.abc import MutableMapping
from pathlib import Path

from extractor_runtime import redaction
from extractor_runtime.sources.errors import SourceError

_FIELD = re.compile(r"(aws|google|azure)_[a-z0-9_]+", re.IGNORECASE)
_SECRET = re.compile(r"key|secret|token|account$|password", re.IGNORECASE)
_FIELD_BYTES = 64 * 1024


def use(folder: str, environment: MutableMapping[str, str] = os.environ) -> None:
    """Set the variables that the fields are named after; raise SourceError if they cannot be read."""
    try:
        for path in sorted(Path(folder).iterdir()):
            if _FIELD.fullmatch(path.name):
                environment[path.name.upper()] = _read(path)
    except (OSError, UnicodeDecodeError) as err:
        reason = err.strerror if isinstance(err, OSError) else "a field is no text"
        raise SourceError(f"cannot read the source's Secret in {folder}: {reason}; check it") from None


def _read(path: Path) -> str:
    with path.open("rb") as file:
        raw = file.read(_FIELD_BYTES + 1)
    if len(raw) > _FIELD_BYTES:
        raise SourceError(f"{path.name} of the source's Secret has more than {_FIELD_BYTES} bytes: check it")
    # Files, from which many Secrets are made, end with a line break.
    value = raw.decode().strip()
    if _SECRET.search(path.name):
        redaction.remember(path.name, value)
    return value
