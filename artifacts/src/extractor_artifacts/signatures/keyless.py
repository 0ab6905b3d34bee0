"""A signature by a short-lived certificate that names who asked for it.

Sigstore's own verifier decides, without the network: the certificate's chain and its log, the time, the proof
of the transparency log, the signature. What is checked here before that explains better: it only refuses.
"""

import datetime
import json
import re

from cryptography import x509
from cryptography.hazmat import asn1
from sigstore import errors as sigstore_errors
from sigstore import hashes, models
from sigstore.verify import Verifier
from sigstore_models.common.v1 import HashAlgorithm
from sigstore_models.trustroot.v1 import TrustedRoot

from extractor_apis import verify
from extractor_apis.verify import Identity, Signer
from extractor_artifacts import digest as digests
from extractor_artifacts.digest import Digest
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.signatures import form, subject
from extractor_artifacts.signatures.errors import Reason, SignatureError, shown
from extractor_artifacts.signatures.form import Bundle, SimpleSigning

_ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
_OLD_ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_USER_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7")
_WORDINGS = (
    (
        r"[Uu]nsupported",
        Reason.UNSUPPORTED,
        "it is in a form that cannot be verified ({}): sign again with cosign 3",
    ),
    (
        r"log entry|SCT|verified time|[Tt]imestamp",
        Reason.NOT_LOGGED,
        "no log of the trusted root vouches for it ({}): sign with the log on, or give the trusted root of "
        "the instance that signed",
    ),
    (
        r"[Ss]ignature is invalid|invalid signature|digest mismatch",
        Reason.INVALID,
        "the signature does not hold ({}): it was changed after it was made; sign again",
    ),
)
"""What sigstore's one class of errors is about, by its words: it tells it in no other way. They are those of
its release 4.5; an error in words that are not here is passed on as it is, and a refusal all the same."""


def load(trusted_root: bytes) -> Verifier:
    """Read a trusted root (``trusted_root.json``); raise ArtifactError if it is none."""
    try:
        return Verifier(trusted_root=models.TrustedRoot(TrustedRoot.from_json(trusted_root)))
    except (ValueError, sigstore_errors.Error) as err:
        raise ArtifactError(
            "the trusted root cannot be used: give a trusted_root.json with authorities, logs and their keys"
        ) from err


def check(
    signature: Bundle | SimpleSigning, digest: Digest, verifier: Verifier, identities: tuple[Identity, ...]
) -> Signer:
    """Give the identity that signed the artifact, or raise SignatureError."""
    if not signature.keyless:
        raise SignatureError(
            Reason.OTHER_IDENTITY,
            "it is signed by a key, but an identity is wanted: sign without one, or give the key",
        )
    if isinstance(signature, SimpleSigning):
        raise SignatureError(
            Reason.UNSUPPORTED,
            "it is signed in the form of cosign 1 and 2, which holds no proof of its place in the log: "
            "sign again with cosign 3",
        )
    try:
        return _check(signature, digest, verifier, identities)
    except SignatureError:
        raise
    except sigstore_errors.Error as err:
        raise _explained(err) from err
    except Exception as err:
        # Whoever made the bundle chose every byte of it: what a library stumbles over is no good signature.
        raise SignatureError(
            Reason.MALFORMED, f"the signature cannot be read ({type(err).__name__}): sign again with cosign 3"
        ) from err


def _check(signature: Bundle, digest: Digest, verifier: Verifier, identities: tuple[Identity, ...]) -> Signer:
    bundle = models.Bundle.from_json(signature.content)
    form.check_digest(signature, digest)
    times = _times(bundle)
    _check_validity(bundle.signing_certificate, times)
    wanted = _Wanted(identities)
    if signature.statement is None:
        hashed = hashes.Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(digests.digits(digest)))
        verifier.verify_artifact(hashed, bundle, wanted)
    else:
        kind, statement = verifier.verify_dsse(bundle, wanted)
        if kind != subject.STATEMENT_TYPE:
            raise SignatureError(
                Reason.UNSUPPORTED, "the envelope holds no statement: sign with `cosign sign`"
            )
        subject.check_statement(statement, digest)
    issuer, name = _identity(bundle.signing_certificate)
    return Signer(digest=digest, issuer=issuer, subject=name, at=times[0])


class _Wanted:
    """Sigstore's question to us, once it trusts the certificate: is it one of those?"""

    def __init__(self, identities: tuple[Identity, ...]) -> None:
        self._identities = identities

    def verify(self, cert: x509.Certificate) -> None:
        issuer, name = _identity(cert)
        for identity in self._identities:
            if verify.matches(identity.issuer, issuer) and verify.matches(identity.subject, name):
                return
        wanted = " or ".join(f"{each.subject} of {each.issuer}" for each in self._identities)
        raise SignatureError(
            Reason.OTHER_IDENTITY,
            f"it is signed by {shown(name)} of {shown(issuer)}, but wanted is {shown(wanted)}: "
            "let that identity sign it, or change the patterns (they match the whole value)",
        )


def _identity(certificate: x509.Certificate) -> tuple[str, str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    (name,) = names
    match name:
        case x509.RFC822Name(value=str(subject)) | x509.UniformResourceIdentifier(value=str(subject)):
            pass
        case x509.OtherName(type_id=kind, value=encoded) if kind == _USER_NAME:
            subject = asn1.decode_der(str, encoded)
        case _:
            raise ValueError("a certificate of Fulcio's names an e-mail address, a URI or a user name")
    issuer = _issuer(certificate)
    if not (issuer + subject).isprintable():
        raise ValueError("who signed could not be shown on one line")
    return issuer, subject


def _issuer(certificate: x509.Certificate) -> str:
    for oid in (_ISSUER, _OLD_ISSUER):
        for extension in certificate.extensions:
            if extension.oid == oid and isinstance(extension.value, x509.UnrecognizedExtension):
                encoded = extension.value.value
                return asn1.decode_der(str, encoded) if oid == _ISSUER else encoded.decode()
    raise ValueError("a certificate of Fulcio's names the issuer")


def _times(bundle: models.Bundle) -> list[datetime.datetime]:
    """List when the log and the timestamp authorities say that they saw the signature."""
    (entry,) = json.loads(bundle.to_json())["verificationMaterial"]["tlogEntries"]
    stamps = bundle.verification_material.timestamp_verification_data
    times = [stamp.tst_info.gen_time for stamp in (stamps.rfc3161_timestamps if stamps else [])]
    if "inclusionPromise" in entry and "integratedTime" in entry:
        times.insert(0, datetime.datetime.fromtimestamp(int(entry["integratedTime"]), tz=datetime.UTC))
    return times


def _check_validity(certificate: x509.Certificate, times: list[datetime.datetime]) -> None:
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    for at in times:
        if not first <= at <= last:
            raise SignatureError(
                Reason.EXPIRED,
                f"its certificate was valid from {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC, "
                f"but signed at {at:%Y-%m-%d %H:%M:%S}: sign again",
            )


def _explained(err: sigstore_errors.Error) -> SignatureError:
    text = shown(str(err))
    if isinstance(err, sigstore_errors.CertValidationError):
        return SignatureError(
            Reason.UNTRUSTED,
            "its certificate is of no authority in the trusted root: sign with the Sigstore instance that is "
            "trusted, or give the trusted root of the one that signed",
        )
    if isinstance(err, sigstore_errors.MetadataError):
        return SignatureError(
            Reason.UNTRUSTED,
            f"the trusted root is not complete ({text}): give one with the keys of both logs",
        )
    if isinstance(err, models.InvalidBundle):
        # The text of this one may be many lines of what was read.
        reason = Reason.NOT_LOGGED if re.search("entry|Entries|inclusion", text) else Reason.MALFORMED
        return SignatureError(
            reason,
            "the bundle lacks what shows that a log and an authority vouch for it: sign again with cosign 3",
        )
    for words, reason, meaning in _WORDINGS:
        if re.search(words, text):
            return SignatureError(reason, meaning.format(text))
    return SignatureError(
        Reason.INVALID,
        f"sigstore does not accept it: {text}; sign again with cosign 3, or look that sentence up",
    )
