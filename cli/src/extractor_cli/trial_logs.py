"""What a trial's workers wrote, the author's prints among it, taken out of the jail."""

import os
from pathlib import Path

from extractor_apis.errors import ExtractorError

_FILE_BYTES = 16 << 20
_FILES = 200


def keep(trial: Path, into: Path) -> None:
    """Copy the logs out of a trial's folder. Raises ExtractorError where they cannot be written.

    The author's code could write there, too: links are left, and of large files the end is taken.
    """
    try:
        into.mkdir(parents=True, exist_ok=True)
        for source in sorted(trial.glob("store/runs/*/logs/*"))[:_FILES]:
            _copy_end(source, into / source.name)
    except OSError as error:
        raise ExtractorError(f"cannot keep the logs in {into}: {error.strerror}") from error


def _copy_end(source: Path, target: Path) -> None:
    if not source.is_file() or source.is_symlink():
        return
    with open(source, "rb", opener=_open_no_link) as file, target.open("wb") as copy:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _FILE_BYTES))
        copy.write(file.read(_FILE_BYTES))


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
