"""The two ways in which a step ends a reconcile without having failed, and the one in which it fails.

Any other exception is a bug, or a fault of the machine: it is tried again too, and logged with its traceback.
"""

from extractor_apis.conditions import Reason
from extractor_apis.errors import ExtractorError


class Waiting(ExtractorError):
    """Something has to come first, and will: we look again after so many seconds."""

    def __init__(self, reason: Reason, message: str, *, after: float) -> None:
        super().__init__(message)
        self.reason = reason
        self.after = after


class Stalled(ExtractorError):
    """Only a change by a person helps; the message says which."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Retrying(ExtractorError):
    """It failed, and may not the next time: the queue backs off."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ApiError(ExtractorError):
    """The API server did not do what it was asked to."""


class ApiUnavailable(ApiError):
    """It does not answer, or has too much to do: that says nothing of what it was asked."""


class Gone(ExtractorError):
    """The object is not there any more, or is not what it was when it was read."""


class Exists(ExtractorError):
    """An object of that name is there already."""
