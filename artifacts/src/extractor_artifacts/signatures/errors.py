"""Why a signature does not do, as a sentence and as a word that programs know."""

from enum import StrEnum

from extractor_artifacts.errors import ArtifactError


class Reason(StrEnum):
    """Why an artifact is not verified; those nearest to a good signature come last."""

    NOT_SIGNED = "NotSigned"
    TOO_MANY = "TooManySignatures"
    MALFORMED = "MalformedSignature"
    UNSUPPORTED = "UnsupportedSignature"
    OTHER_ARTIFACT = "OtherArtifact"
    UNTRUSTED = "UntrustedAuthority"
    OTHER_KEY = "OtherKey"
    NOT_LOGGED = "NotLogged"
    EXPIRED = "CertificateExpired"
    INVALID = "InvalidSignature"
    OTHER_IDENTITY = "OtherIdentity"


class SignatureError(ArtifactError):
    """An artifact is not signed by whom it must be: what is wrong, and what to do next."""

    def __init__(self, reason: Reason, message: str) -> None:
        """Name the reason, and say it."""
        super().__init__(message)
        self.reason = reason


def shown(text: str) -> str:
    """Write what an attacker may have chosen so that it stays on its line and within bounds."""
    return (text if text.isprintable() else ascii(text))[:300]
