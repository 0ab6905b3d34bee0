"""A signature by a public key that the operator or the tenant names.

The key's holder is trusted, so neither a certificate nor the transparency log is asked for, as with Flux.
"""

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from extractor_apis.verify import Signer
from extractor_artifacts import digest as digests
from extractor_artifacts.digest import Digest
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.signatures import form, subject
from extractor_artifacts.signatures.errors import Reason, SignatureError
from extractor_artifacts.signatures.form import Bundle, SimpleSigning

_OF_DIGEST = ec.ECDSA(Prehashed(hashes.SHA256()))


@dataclass(frozen=True)
class Key:
    """A public key."""

    public: ec.EllipticCurvePublicKey
    fingerprint: Digest
    """SHA-256 of its DER form."""


def load(pem: bytes) -> Key:
    """Read a public key such as `cosign generate-key-pair` writes; raise ArtifactError for anything else."""
    try:
        public = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as err:
        raise ArtifactError("not a public key in PEM form: give the file cosign.pub") from err
    if not (isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1)):
        raise ArtifactError("the public key is not ECDSA P-256: make one with `cosign generate-key-pair`")
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Key(public, digests.of_bytes(der))


def check(signature: Bundle | SimpleSigning, digest: Digest, keys: tuple[Key, ...]) -> Signer:
    """Give the key that signed the artifact, or raise SignatureError."""
    if signature.keyless:
        raise SignatureError(
            Reason.OTHER_KEY,
            "it is signed without a key, but one is wanted: sign with it, or name the identity",
        )
    signed = _signed(signature, digest)
    for key in keys:
        try:
            key.public.verify(signature.signature, signed, _OF_DIGEST)
        except InvalidSignature:
            continue
        return Signer(digest=digest, key=key.fingerprint)
    wanted = ", ".join(key.fingerprint for key in keys)
    raise SignatureError(
        Reason.OTHER_KEY,
        f"it is not signed by the key {wanted}: another one signed it, or it was changed after that; "
        "sign it with that key, or give the key that signed it",
    )


def _signed(signature: Bundle | SimpleSigning, digest: Digest) -> bytes:
    """Give the SHA-256 of what a good signature signs; raise SignatureError if this one is of another."""
    if isinstance(signature, SimpleSigning):
        subject.check_payload(signature.payload, digest)
        return hashlib.sha256(signature.payload).digest()
    if signature.statement is not None:
        subject.check_statement(signature.statement, digest)
        return hashlib.sha256(subject.encode(signature.statement)).digest()
    form.check_digest(signature, digest)
    return bytes.fromhex(digests.digits(digest))
