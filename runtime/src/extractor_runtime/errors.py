"""Errors of a run, with the place in the author's archive where they came from (`places`)."""

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

    ``location`` is ``file.py:12`` in the archive, if known. The message may quote what the author's code
    made, and goes into states, dead letters and answers: no secret stays in it.
    """

    def __init__(self, message: str, location: str | None = None) -> None:
        message = redaction.redact(message)
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
    text = text[:500]
    if isinstance(error, ModuleNotFoundError) and "." not in str(error.name or "."):
        text += "; install it where the extractor runs, and name it in the manifest's dependencies"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
