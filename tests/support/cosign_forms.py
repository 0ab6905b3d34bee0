"""What cosign writes when it signs: bundles, statements, payloads; and keys to sign with."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

SIGN_PREDICATE = "https://sigstore.dev/cosign/sign/v1"
STATEMENT_TYPE = "application/vnd.in-toto+json"
BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"

Json = dict[str, Any]


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True)
class KeyPair:
    """A key such as `cosign generate-key-pair` makes."""

    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def pem(self) -> bytes:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(serialization.Encoding.PEM, form)

    @property
    def der(self) -> bytes:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(serialization.Encoding.DER, form)

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.der).digest()

    def sign(self, content: bytes) -> bytes:
        return self.private.sign(content, ec.ECDSA(hashes.SHA256()))

    def sign_digest(self, subject: str) -> bytes:
        return self.private.sign(raw(subject), ec.ECDSA(Prehashed(hashes.SHA256())))

    def sign_blob(self, subject: str) -> bytes:
        """Do as `cosign sign-blob --key --bundle`."""
        return write_bundle(
            {"publicKey": {"hint": b64(self.id)}}, write_message(subject, self.sign_digest(subject))
        )

    def sign_image(self, subject: str, **statement: Any) -> bytes:
        """Do as `cosign sign --key`."""
        return write_bundle(
            {"publicKey": {"hint": b64(self.id)}}, write_envelope(self, make_statement(subject, **statement))
        )


def make_statement(subject: str, *, predicate: str = SIGN_PREDICATE) -> bytes:
    """Write what `cosign sign` says of an artifact."""
    subjects = [{"digest": {"sha256": subject.removeprefix("sha256:")}, "annotations": {}}]
    kind = "https://in-toto.io/Statement/v1"
    return json.dumps(
        {"_type": kind, "subject": subjects, "predicateType": predicate, "predicate": {}}
    ).encode()


def make_payload(subject: str) -> bytes:
    """Write what cosign 1 and 2 signed."""
    image = {"docker-manifest-digest": subject}
    critical = {
        "identity": {"docker-reference": ""},
        "image": image,
        "type": "cosign container image signature",
    }
    return json.dumps({"critical": critical, "optional": None}).encode()


def write_bundle(material: Json, content: Json) -> bytes:
    return json.dumps({"mediaType": BUNDLE_TYPE, "verificationMaterial": material, **content}).encode()


def write_message(subject: str, signature: bytes) -> Json:
    hashed = {"algorithm": "SHA2_256", "digest": b64(raw(subject))}
    return {"messageSignature": {"messageDigest": hashed, "signature": b64(signature)}}


def write_envelope(signer: KeyPair, payload: bytes) -> Json:
    signature = signer.sign(enveloped(payload))
    return {
        "dsseEnvelope": {
            "payload": b64(payload),
            "payloadType": STATEMENT_TYPE,
            "signatures": [{"sig": b64(signature)}],
        }
    }


def enveloped(payload: bytes) -> bytes:
    """Give what is signed of an envelope."""
    kind = STATEMENT_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def raw(subject: str) -> bytes:
    return bytes.fromhex(subject.removeprefix("sha256:"))


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()
