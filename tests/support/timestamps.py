"""A timestamp authority of the tests' own (RFC 3161): it says when it saw a signature."""

import functools
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_SHA256 = bytes.fromhex("300b0609608648016503040201")
_ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_TIMESTAMP = bytes.fromhex("060b2a864886f70d0109100104")
_CONTENT_TYPE = bytes.fromhex("06092a864886f70d010903")
_MESSAGE_DIGEST = bytes.fromhex("06092a864886f70d010904")
_POLICY = bytes.fromhex("06022a03")
_SEQUENCE, _SET, _INTEGER, _OCTETS, _TIME = 0x30, 0x31, 0x02, 0x04, 0x18


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class TimestampAuthority:
    """Its keys; the root certifies the one that signs."""

    root: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    key: ec.EllipticCurvePrivateKey = field(default_factory=_key)

    @functools.cached_property
    def certificates(self) -> tuple[x509.Certificate, x509.Certificate]:
        """Give the certificate that signs, and the root's."""
        stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        root = self._certificate("stamps root", self.root).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        leaf = self._certificate("stamps", self.key).add_extension(stamping, critical=True)
        return leaf.sign(self.root, hashes.SHA256()), root.sign(self.root, hashes.SHA256())

    def stamp(self, signature: bytes, at: datetime) -> bytes:
        """Say that the signature was seen."""
        leaf = self.certificates[0]
        imprint = _der(_SEQUENCE, _SHA256, _der(_OCTETS, hashlib.sha256(signature).digest()))
        time = _der(_TIME, f"{at:%Y%m%d%H%M%SZ}".encode())
        said = _der(_SEQUENCE, _der(_INTEGER, b"\1"), _POLICY, imprint, _der(_INTEGER, b"\1"), time)
        attributes = b"".join(
            sorted(
                [
                    _der(_SEQUENCE, _CONTENT_TYPE, _der(_SET, _TIMESTAMP)),
                    _der(
                        _SEQUENCE, _MESSAGE_DIGEST, _der(_SET, _der(_OCTETS, hashlib.sha256(said).digest()))
                    ),
                ]
            )
        )
        signed = self.key.sign(_der(_SET, attributes), ec.ECDSA(hashes.SHA256()))
        signer = _der(
            _SEQUENCE,
            _der(_INTEGER, b"\1"),
            _der(_SEQUENCE, leaf.issuer.public_bytes(), _der(_INTEGER, bytes([leaf.serial_number]))),
            _SHA256,
            _der(0xA0, attributes),
            _ECDSA_SHA256,
            _der(_OCTETS, signed),
        )
        content = _der(
            _SEQUENCE,
            _der(_INTEGER, b"\3"),
            _der(_SET, _SHA256),
            _der(_SEQUENCE, _TIMESTAMP, _der(0xA0, _der(_OCTETS, said))),
            _der(0xA0, leaf.public_bytes(serialization.Encoding.DER)),
            _der(_SET, signer),
        )
        granted = _der(_SEQUENCE, _der(_INTEGER, b"\0"))
        return _der(_SEQUENCE, granted, _der(_SEQUENCE, _SIGNED_DATA, _der(0xA0, content)))

    def _certificate(self, name: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        public = key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stamps root")]))
            .public_key(public)
            .serial_number(7)
            .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
            .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    if 128 <= size < 256:
        length = bytes([0x81, size])
    return bytes([tag]) + length + content
