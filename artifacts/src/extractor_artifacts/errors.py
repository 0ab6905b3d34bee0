"""What goes wrong with an archive, as a sentence; what goes wrong with its source, also as a word."""

from typing import ClassVar

from extractor_apis import errors
from extractor_apis.conditions import Reason


class ArtifactError(errors.ExtractorError):
    """An archive could not be fetched, stored or found: which one, why, and what to do next."""


class SourceError(ArtifactError):
    """A source does not give the archive that was asked for."""

    reason: ClassVar[Reason]
    """The word for it in a condition."""
    is_transient: ClassVar[bool] = False
    """Whether time may heal it; otherwise somebody has to change something."""


class FetchFailed(SourceError):
    """The network or the server failed."""

    reason = Reason.FETCH_FAILED
    is_transient = True


class SourceRefused(SourceError):
    """It is nothing that may be, or can be, read as a source."""

    reason = Reason.SOURCE_REFUSED


class NotFound(SourceError):
    """There is nothing at this place."""

    reason = Reason.NOT_FOUND


class AuthenticationFailed(SourceError):
    """The server wants credentials, or others than it was given."""

    reason = Reason.AUTHENTICATION_FAILED


class DigestMismatch(SourceError):
    """Other bytes came than were asked for."""

    reason = Reason.DIGEST_MISMATCH


class ArchiveTooLarge(SourceError):
    """It weighs more than an archive may."""

    reason = Reason.TOO_LARGE

    def __init__(self, origin: str, max_bytes: int) -> None:
        super().__init__(
            f"{origin} is larger than {max_bytes:,} bytes: leave out what is not needed at run time, "
            "or load large weights from a model hub"
        )
