"""What can go wrong with a store, said so that the user can act on it."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from extractor_apis.errors import ExtractorError

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_ACCESS = (errno.EACCES, errno.EPERM, errno.EROFS)


class StoreError(ExtractorError):
    """A store cannot do what was asked."""


class StoreBusy(StoreError):
    """Another run is writing to the store."""


@contextmanager
def disk_errors_reported(root: Path) -> Iterator[None]:
    """Turn a full disk, a spent limit or a refused access, however it shows, into a StoreError."""
    try:
        yield
    except Exception as err:
        code = _system_error(err)
        if code in _NO_SPACE:
            raise StoreError(
                f"no space left on the disk of {root} ({os.strerror(code)}): free some and run again; "
                "nothing published is lost"
            ) from err
        if code in _NO_ACCESS:
            raise StoreError(
                f"{root} may not be written ({os.strerror(code)}): change its mode or take another folder"
            ) from err
        raise


def _system_error(err: Exception) -> int:
    """Find the number of a system error; 0 for others."""
    if isinstance(err, OSError) and err.errno:
        return err.errno
    # LanceDB tells it only inside the text of its own exceptions.
    told = re.search(r"os error (\d+)", str(err))
    return int(told[1]) if told else 0
