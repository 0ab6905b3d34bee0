"""A Sigstore instance of the tests' own: authorities, logs, and who signs with them.

What it makes is what cosign 3 makes, so that Sigstore's own verifier accepts it given the trusted root; every
part of it can be made wrong.
"""

import base64
import hashlib
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from support.cosign_forms import (
    Json,
    KeyPair,
    b64,
    enveloped,
    make_statement,
    raw,
    write_bundle,
    write_envelope,
    write_message,
)
from support.timestamps import TimestampAuthority

ISSUER = "https://token.actions.example.com"
SUBJECT = "https://code.example.com/acme/extractor/.github/workflows/release.yml@refs/tags/v1"
_ORIGIN = "log.example.com - 1"
_SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_ISSUER_V2 = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")


@dataclass(frozen=True)
class World:
    """An instance."""

    authority: KeyPair = field(default_factory=KeyPair)
    certificate_log: KeyPair = field(default_factory=KeyPair)
    log: KeyPair = field(default_factory=KeyPair)
    stamps: TimestampAuthority = field(default_factory=TimestampAuthority)
    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def trusted_root(self) -> bytes:
        """Write the instance's ``trusted_root.json``."""
        since = {"start": "2020-01-01T00:00:00Z"}

        def log(pair: KeyPair, url: str) -> Json:
            key = {"rawBytes": b64(pair.der), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": since}
            return {
                "baseUrl": url,
                "hashAlgorithm": "SHA2_256",
                "publicKey": key,
                "logId": {"keyId": b64(pair.id)},
            }

        def authority(*certificates: x509.Certificate) -> Json:
            chain = [each.public_bytes(serialization.Encoding.DER) for each in certificates]
            return {
                "subject": {"organization": "example", "commonName": "authority"},
                "uri": "https://authority.example.com",
                "certChain": {"certificates": [{"rawBytes": b64(der)} for der in chain]},
                "validFor": since,
            }

        root = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(self.log, "https://log.example.com")],
            "certificateAuthorities": [authority(self._root())],
            "timestampAuthorities": [authority(*self.stamps.certificates)],
            "ctlogs": [log(self.certificate_log, "https://ct.example.com")],
        }
        return json.dumps(root).encode()

    def sign_blob(self, subject: str, **options: Any) -> bytes:
        """Do as `cosign sign-blob --bundle` without a key; `_publish` says what may be different."""
        signer = KeyPair()
        signature = signer.sign_digest(subject)

        def record(certificate: x509.Certificate) -> Json:
            hashed = {"algorithm": "sha256", "value": subject.removeprefix("sha256:")}
            signed = {"content": b64(signature), "publicKey": {"content": b64(_pem(certificate))}}
            return _record("hashedrekord", {"data": {"hash": hashed}, "signature": signed})

        content = write_message(subject, signature)
        return self._publish(signer, signature, raw(subject), content, record, **options)

    def sign_image(self, subject: str, *, statement: bytes | None = None, **options: Any) -> bytes:
        """Do as `cosign sign` without a key."""
        signer = KeyPair()
        payload = make_statement(subject) if statement is None else statement
        content = write_envelope(signer, payload)
        signature = content["dsseEnvelope"]["signatures"][0]["sig"]

        def record(certificate: x509.Certificate) -> Json:
            hashed = {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()}
            signed = [{"signature": signature, "verifier": b64(_pem(certificate))}]
            return _record("dsse", {"envelopeHash": hashed, "payloadHash": hashed, "signatures": signed})

        signed = hashlib.sha256(enveloped(payload)).digest()
        return self._publish(signer, base64.b64decode(signature), signed, content, record, **options)

    def _publish(
        self,
        signer: KeyPair,
        signature: bytes,
        signed: bytes,
        content: Json,
        record: Callable[[x509.Certificate], Json],
        *,
        identity: str = SUBJECT,
        at: datetime | None = None,
        stamped: datetime | None = None,
        rekor: int = 1,
    ) -> bytes:
        """Certify the signer's key from now for ten minutes, log what was signed, and write the bundle.

        Version 2 of the log knows no time: an authority stamps the signature, as it also may with version 1.
        """
        at = at or self.now + timedelta(minutes=1)
        certificate = self._certificate(signer, identity)
        if rekor == 2:
            entry = self._entry(_second_record(certificate, signature, signed), 0)
            del entry["integratedTime"], entry["inclusionPromise"]
            stamped = at
        else:
            entry = self._entry(record(certificate), int(at.timestamp()))
        der = certificate.public_bytes(serialization.Encoding.DER)
        material: Json = {"certificate": {"rawBytes": b64(der)}, "tlogEntries": [entry]}
        if stamped:
            stamp = {"signedTimestamp": b64(self.stamps.stamp(signature, stamped))}
            material["timestampVerificationData"] = {"rfc3161Timestamps": [stamp]}
        return write_bundle(material, content)

    def _root(self) -> x509.Certificate:
        key = self.authority.private
        return (
            x509.CertificateBuilder()
            .subject_name(_name("authority"))
            .issuer_name(_name("authority"))
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
            .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )

    def _certificate(self, signer: KeyPair, subject: str) -> x509.Certificate:
        public = self.authority.private.public_key()
        name = x509.RFC822Name(subject) if "://" not in subject else x509.UniformResourceIdentifier(subject)
        encoded_issuer = b"\x0c" + bytes([len(ISSUER)]) + ISSUER.encode()
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(_name("authority"))
            .public_key(signer.private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now)
            .not_valid_after(self.now + timedelta(minutes=10))
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
            .add_extension(x509.SubjectAlternativeName([name]), critical=True)
            .add_extension(x509.UnrecognizedExtension(_ISSUER_V2, encoded_issuer), critical=False)
        )
        before = builder.sign(self.authority.private, hashes.SHA256()).tbs_certificate_bytes
        promise = _octets(self._timestamp(before))
        return builder.add_extension(x509.UnrecognizedExtension(_SCT_LIST, promise), critical=False).sign(
            self.authority.private, hashes.SHA256()
        )

    def _timestamp(self, certificate: bytes) -> bytes:
        """Promise to log a certificate, as RFC 6962 writes it."""
        at = int(self.now.timestamp() * 1000)
        length = len(certificate).to_bytes(3, "big")
        entry = struct.pack("!BBQH", 0, 0, at, 1) + self.authority.id + length + certificate + b"\0\0"
        signature = self.certificate_log.sign(entry)
        head = struct.pack("!B32sQHBBH", 0, self.certificate_log.id, at, 0, 4, 3, len(signature))
        timestamp = head + signature
        return struct.pack("!HH", len(timestamp) + 2, len(timestamp)) + timestamp

    def _entry(self, record: Json, at: int) -> Json:
        """Log a record as the second of two."""
        body = json.dumps(record, separators=(",", ":"), sort_keys=True).encode()
        first = hashlib.sha256(b"\0first").digest()
        root = hashlib.sha256(b"\1" + first + hashlib.sha256(b"\0" + body).digest()).digest()
        note = f"{_ORIGIN}\n2\n{b64(root)}\n"
        signed = b64(self.log.id[:4] + self.log.sign(note.encode()))
        promised = {"body": b64(body), "integratedTime": at, "logID": self.log.id.hex(), "logIndex": 1}
        promise = json.dumps(promised, separators=(",", ":"), sort_keys=True).encode()
        return {
            "logIndex": "1",
            "logId": {"keyId": b64(self.log.id)},
            "kindVersion": {"kind": record["kind"], "version": record["apiVersion"]},
            "integratedTime": str(at),
            "inclusionPromise": {"signedEntryTimestamp": b64(self.log.sign(promise))},
            "inclusionProof": {
                "logIndex": "1",
                "rootHash": b64(root),
                "treeSize": "2",
                "hashes": [b64(first)],
                "checkpoint": {"envelope": f"{note}\n\u2014 {_ORIGIN.split()[0]} {signed}\n"},
            },
            "canonicalizedBody": b64(body),
        }


def _record(kind: str, spec: Json) -> Json:
    return {"apiVersion": "0.0.1", "kind": kind, "spec": spec}


def _second_record(certificate: x509.Certificate, signature: bytes, signed: bytes) -> Json:
    """Write what version 2 of the log keeps."""
    der = certificate.public_bytes(serialization.Encoding.DER)
    verifier = {"x509Certificate": {"rawBytes": b64(der)}, "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
    data = {"algorithm": "SHA2_256", "digest": b64(signed)}
    spec = {
        "hashedRekordV002": {"data": data, "signature": {"content": b64(signature), "verifier": verifier}}
    }
    return {"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": spec}


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _octets(content: bytes) -> bytes:
    """Wrap as DER's OCTET STRING of fewer than 256 bytes."""
    length = bytes([len(content)]) if len(content) < 128 else b"\x81" + bytes([len(content)])
    return b"\x04" + length + content
