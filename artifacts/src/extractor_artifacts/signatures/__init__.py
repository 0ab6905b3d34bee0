"""Signatures: who signed an artifact, found where it is published and verified without the network."""

from extractor_artifacts.signatures.errors import Reason, SignatureError
from extractor_artifacts.signatures.find import Signed, attached, beside, read
from extractor_artifacts.signatures.form import SimpleSigning
from extractor_artifacts.signatures.trusted import Keyed, Keyless, public_instance, trust
from extractor_artifacts.signatures.verification import verify

__all__ = [
    "Keyed",
    "Keyless",
    "Reason",
    "SignatureError",
    "Signed",
    "SimpleSigning",
    "attached",
    "beside",
    "public_instance",
    "read",
    "trust",
    "verify",
]
