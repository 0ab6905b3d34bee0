"""Errors of a run, with the place in the author's archive where they came from."""

import traceback
from pathlib import Path

from extractor_apis.errors import ExtractorError
from extractor_runtime import redaction


class RunError(ExtractorError):
    """The run as a whole cannot go on."""


class SetupError(RunError):
    """The author's code asks for what this system, or this run, does not have: no row can do without."""


class WorkerDied(RunError):
    """A process that ran the author's code is gone, and with it what it was doing."""


class AuthorError(RunError):
    """The author's code raised, hung or broke a promise.

    ``location`` is ``file.py:12`` in the archive, if known.
    """

    def __init__(self, message: str, location: str | None = None) -> None:
        super().__init__(f"{location}: {message}" if location else message)
        self.message = message
        self.location = location


class Overdue(AuthorError):
    """The author's code did not come back in time, and may still be running."""


def describe(error: BaseException) -> str:
    """Put an author's exception on one bounded line: type and message, no secret, never a traceback."""
    try:
        text = " ".join(redaction.redact(str(error)).split())
    except Exception as broken:
        text = f"(its message cannot be read: __str__ raised {type(broken).__name__})"
    return f"{type(error).__name__}: {text[:500]}" if text else type(error).__name__


def locate(error: BaseException, root: Path) -> str | None:
    """Find the innermost line of the archive that an exception passed through, as ``path.py:12``."""
    if isinstance(error, SyntaxError) and error.filename and (place := _within(error.filename, root)):
        return f"{place}:{error.lineno}"
    frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    return innermost(frames, root)


def innermost(frames: list[tuple[str, int | None]], root: Path) -> str | None:
    """Find the last of (file, line) pairs, outermost first, that lies in the archive."""
    for filename, line in reversed(frames):
        if place := _within(filename, root):
            return f"{place}:{line}"
    return None


def _within(filename: str, root: Path) -> str | None:
    path = Path(filename)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else None
