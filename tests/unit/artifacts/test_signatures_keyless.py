"""A keyless signature is good as a whole or not at all: whatever is changed is refused, with its reason."""

import base64
import contextlib
import copy
import json
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
import sigstore.errors
from hypothesis import given, settings
from hypothesis import strategies as st
from sigstore.verify import Verifier

from extractor_apis.verify import Identity, Signer
from extractor_artifacts.digest import Digest
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.signatures import (
    Keyless,
    Reason,
    SignatureError,
    SimpleSigning,
    form,
    keyless,
    public_instance,
    verify,
)
from support.cosign_forms import KeyPair, digest, make_payload, make_statement
from support.sigstore_world import ISSUER, SUBJECT, World

DIGEST, OTHER = digest(b"archive"), digest(b"another")
WORLD = World()
ROOT = WORLD.trusted_root()
IDENTITY = Identity(
    issuer=r"https://token\.actions\.example\.com", subject=r"https://code\.example\.com/acme/.*"
)
TRUST = Keyless((IDENTITY,), ROOT)
BLOB, IMAGE = WORLD.sign_blob(DIGEST), WORLD.sign_image(DIGEST)
WHEN = WORLD.now + timedelta(minutes=1)

Json = dict[str, Any]
Change = Callable[[Json], None]


def put(*path: Any, value: Any) -> Change:
    def change(bundle: Json) -> None:
        inner: Any = bundle
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value

    return change


def drop(*path: Any) -> Change:
    def change(bundle: Json) -> None:
        inner: Any = bundle
        for step in path[:-1]:
            inner = inner[step]
        del inner[path[-1]]

    return change


def flip(*path: Any) -> Change:
    """Change one bit of the bytes at the path."""

    def change(bundle: Json) -> None:
        inner: Any = bundle
        for step in path[:-1]:
            inner = inner[step]
        content = bytearray(base64.b64decode(inner[path[-1]]))
        content[len(content) // 2] ^= 1
        inner[path[-1]] = base64.b64encode(content).decode()

    return change


def changed(bundle: bytes, *changes: Change) -> bytes:
    read = copy.deepcopy(json.loads(bundle))
    for change in changes:
        change(read)
    return json.dumps(read).encode()


LOGGED = ("verificationMaterial", "tlogEntries", 0)
PROOF = (*LOGGED, "inclusionProof")
CERTIFICATE = ("verificationMaterial", "certificate", "rawBytes")


@pytest.mark.parametrize("bundle", [BLOB, IMAGE], ids=["sign-blob", "sign"])
def test_signature_of_a_wanted_identity_is_accepted_and_says_who_and_when(bundle: bytes) -> None:
    assert verify(DIGEST, [bundle], TRUST) == Signer(digest=DIGEST, issuer=ISSUER, subject=SUBJECT, at=WHEN)


@pytest.mark.parametrize("sign", [WORLD.sign_blob, WORLD.sign_image], ids=["sign-blob", "sign"])
@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"stamped": WHEN + timedelta(seconds=1)}, id="a log and a timestamp"),
        pytest.param({"rekor": 2}, id="a log of version 2, which knows no time, and a timestamp"),
    ],
)
def test_time_may_be_that_of_a_timestamp_authority(sign: Callable[..., bytes], options: Json) -> None:
    assert verify(DIGEST, [sign(DIGEST, **options)], TRUST) == Signer(
        digest=DIGEST, issuer=ISSUER, subject=SUBJECT, at=WHEN
    )


def test_no_network_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    assert verify(DIGEST, [BLOB], TRUST).subject == SUBJECT


def test_e_mail_address_is_a_subject() -> None:
    bundle = WORLD.sign_blob(DIGEST, identity="ann@example.com")
    trust = Keyless((Identity(issuer=".*", subject="ann@example[.]com"),), ROOT)

    assert verify(DIGEST, [bundle], trust).subject == "ann@example.com"


@pytest.mark.parametrize("order", [1, -1], ids=["last", "first"])
def test_one_good_signature_among_others_is_enough(order: int) -> None:
    bundles = [
        WORLD.sign_blob(OTHER),
        b"no bundle",
        WORLD.sign_blob(DIGEST, identity="eve@example.com"),
        BLOB,
    ]

    assert verify(DIGEST, bundles[::order], TRUST).subject == SUBJECT


@pytest.mark.parametrize(
    ("bundle", "want"),
    [
        pytest.param(WORLD.sign_blob(OTHER), Reason.OTHER_ARTIFACT, id="of another artifact"),
        pytest.param(WORLD.sign_image(OTHER), Reason.OTHER_ARTIFACT, id="statement about another artifact"),
        pytest.param(
            changed(WORLD.sign_blob(OTHER), drop("messageSignature", "messageDigest")),
            Reason.INVALID,
            id="of another artifact, which it does not say",
        ),
        pytest.param(
            WORLD.sign_image(
                DIGEST, statement=make_statement(DIGEST, predicate="https://slsa.dev/provenance/v1")
            ),
            Reason.UNSUPPORTED,
            id="an attestation",
        ),
        pytest.param(WORLD.sign_image(DIGEST, statement=b"[]"), Reason.MALFORMED, id="no statement"),
        pytest.param(
            WORLD.sign_blob(DIGEST, at=WORLD.now + timedelta(minutes=11)),
            Reason.EXPIRED,
            id="logged after its certificate expired",
        ),
        pytest.param(
            WORLD.sign_blob(DIGEST, at=WORLD.now - timedelta(minutes=1)),
            Reason.EXPIRED,
            id="logged before its certificate began",
        ),
        pytest.param(
            World(log=WORLD.log).sign_blob(DIGEST), Reason.UNTRUSTED, id="certified by another authority"
        ),
        pytest.param(
            World(authority=WORLD.authority, log=WORLD.log).sign_blob(DIGEST),
            Reason.NOT_LOGGED,
            id="certificate in another log of certificates",
        ),
        pytest.param(
            World(authority=WORLD.authority, certificate_log=WORLD.certificate_log).sign_blob(DIGEST),
            Reason.NOT_LOGGED,
            id="in another log",
        ),
        pytest.param(
            WORLD.sign_blob(DIGEST, rekor=2, at=WORLD.now + timedelta(minutes=11)),
            Reason.EXPIRED,
            id="stamped after its certificate expired",
        ),
        pytest.param(
            WORLD.sign_blob(DIGEST, stamped=WORLD.now + timedelta(minutes=11)),
            Reason.EXPIRED,
            id="stamped after its certificate expired, whatever the log says",
        ),
        pytest.param(
            replace(WORLD, stamps=World().stamps).sign_blob(DIGEST, rekor=2),
            Reason.NOT_LOGGED,
            id="stamped by another authority",
        ),
        pytest.param(KeyPair().sign_blob(DIGEST), Reason.OTHER_IDENTITY, id="by a key"),
        pytest.param(
            SimpleSigning(make_payload(DIGEST), b"", keyless=True), Reason.UNSUPPORTED, id="in the old form"
        ),
        pytest.param(
            WORLD.sign_blob(DIGEST, identity="https://evil.example.com/\x1b[2J"),
            Reason.MALFORMED,
            id="by somebody with a name that would clear the screen",
        ),
        pytest.param(b"", Reason.MALFORMED, id="empty"),
        pytest.param(b"[" * 100_000, Reason.MALFORMED, id="nested deeply"),
        pytest.param(BLOB[:-1], Reason.MALFORMED, id="truncated"),
        pytest.param(BLOB + b" " * 1024 * 1024, Reason.MALFORMED, id="huge"),
    ],
)
def test_signature_of_somebody_else_is_refused(bundle: bytes | SimpleSigning, want: Reason) -> None:
    with pytest.raises(SignatureError) as error:
        verify(DIGEST, [bundle], TRUST)

    assert error.value.reason is want


@pytest.mark.parametrize(
    ("change", "want"),
    [
        pytest.param(put("mediaType", value="application/json"), Reason.MALFORMED, id="another media type"),
        pytest.param(drop("verificationMaterial"), Reason.MALFORMED, id="no material"),
        pytest.param(flip(*CERTIFICATE), Reason.UNTRUSTED, id="certificate"),
        pytest.param(put(*LOGGED[:2], value=[]), Reason.NOT_LOGGED, id="not in the log"),
        pytest.param(drop(*PROOF), Reason.NOT_LOGGED, id="no proof of the log"),
        pytest.param(drop(*PROOF, "checkpoint"), Reason.NOT_LOGGED, id="no checkpoint"),
        pytest.param(flip(*PROOF, "rootHash"), Reason.NOT_LOGGED, id="another root of the log"),
        pytest.param(flip(*PROOF, "hashes", 0), Reason.NOT_LOGGED, id="another neighbour in the log"),
        pytest.param(put(*PROOF, "logIndex", value="0"), Reason.NOT_LOGGED, id="another place in the log"),
        pytest.param(put(*PROOF, "treeSize", value="3"), Reason.NOT_LOGGED, id="another size of the log"),
        pytest.param(flip(*LOGGED, "logId", "keyId"), Reason.NOT_LOGGED, id="another log's name"),
        pytest.param(
            flip(*LOGGED, "inclusionPromise", "signedEntryTimestamp"),
            Reason.NOT_LOGGED,
            id="promise of the log",
        ),
        pytest.param(drop(*LOGGED, "inclusionPromise"), Reason.NOT_LOGGED, id="no promise, so no time"),
        pytest.param(
            put(*LOGGED, "integratedTime", value=str(int(WHEN.timestamp()) + 1)), Reason.NOT_LOGGED, id="time"
        ),
        pytest.param(flip(*LOGGED, "canonicalizedBody"), Reason.NOT_LOGGED, id="what the log holds"),
    ],
)
@pytest.mark.parametrize("bundle", [BLOB, IMAGE], ids=["sign-blob", "sign"])
def test_changed_bundle_is_refused(bundle: bytes, change: Change, want: Reason) -> None:
    with pytest.raises(SignatureError) as error:
        verify(DIGEST, [changed(bundle, change)], TRUST)

    assert error.value.reason is want


@pytest.mark.parametrize(
    "bundle",
    [
        pytest.param(changed(BLOB, flip("messageSignature", "signature")), id="signature"),
        pytest.param(
            changed(IMAGE, flip("dsseEnvelope", "signatures", 0, "sig")), id="signature of a statement"
        ),
        pytest.param(
            changed(
                WORLD.sign_image(OTHER),
                put("dsseEnvelope", "payload", value=json.loads(IMAGE)["dsseEnvelope"]["payload"]),
            ),
            id="statement",
        ),
    ],
)
def test_signature_that_does_not_hold_is_refused(bundle: bytes) -> None:
    with pytest.raises(SignatureError, match="the signature does not hold") as error:
        verify(DIGEST, [bundle], TRUST)

    assert error.value.reason is Reason.INVALID


def test_refusal_in_words_that_are_not_known_is_passed_on() -> None:
    class Later:
        """A release whose sentences are others."""

        def verify_artifact(self, *_: object) -> None:
            raise sigstore.errors.VerificationError("the moon is full")

    with pytest.raises(SignatureError, match="sigstore does not accept it: the moon is full") as error:
        keyless.check(form.read_bundle(BLOB), Digest(DIGEST), cast("Verifier", Later()), TRUST.identities)

    assert error.value.reason is Reason.INVALID


@pytest.mark.parametrize("sign", [WORLD.sign_blob, WORLD.sign_image], ids=["sign-blob", "sign"])
def test_another_signatures_entry_of_the_log_is_refused(sign: Callable[[str], bytes]) -> None:
    entry = json.loads(sign(DIGEST))["verificationMaterial"]["tlogEntries"][0]

    with pytest.raises(SignatureError) as error:
        verify(DIGEST, [changed(sign(DIGEST), put(*LOGGED, value=entry))], TRUST)

    assert error.value.reason is Reason.NOT_LOGGED


@pytest.mark.parametrize(
    ("ours", "theirs"), [("dsseEnvelope", "dsse_envelope"), ("dsse_envelope", "dsseEnvelope")]
)
def test_bundle_that_two_readers_would_read_differently_is_refused(ours: str, theirs: str) -> None:
    bundle = json.loads(WORLD.sign_image(OTHER))
    signed, forged = bundle.pop("dsseEnvelope"), json.loads(IMAGE)["dsseEnvelope"]

    with pytest.raises(SignatureError):
        verify(DIGEST, [json.dumps({**bundle, ours: forged, theirs: signed}).encode()], TRUST)


def test_bundle_with_two_contents_is_refused() -> None:
    with pytest.raises(SignatureError, match="no signature, or two"):
        verify(DIGEST, [changed(BLOB, put("dsseEnvelope", value=json.loads(IMAGE)["dsseEnvelope"]))], TRUST)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(IMAGE) - 1), st.integers(0, 7))
def test_changed_byte_changes_nothing_or_is_refused(place: int, bit: int) -> None:
    content = bytearray(IMAGE)
    content[place] ^= 1 << bit

    with contextlib.suppress(SignatureError):
        assert verify(DIGEST, [bytes(content)], TRUST) == verify(DIGEST, [IMAGE], TRUST)


@pytest.mark.parametrize(
    ("issuer", "subject"),
    [
        pytest.param(ISSUER, "https://code.example.com/acme/", id="only the beginning matches"),
        pytest.param(ISSUER, "acme/extractor", id="only the middle matches"),
        pytest.param("https://other.example.com", ".*", id="another issuer"),
        pytest.param(ISSUER, "https://code.example.com/evil/.*", id="another subject"),
    ],
)
def test_pattern_that_does_not_match_the_whole_is_another_identity(issuer: str, subject: str) -> None:
    with pytest.raises(SignatureError) as error:
        verify(DIGEST, [BLOB], Keyless((Identity(issuer=issuer, subject=subject),), ROOT))

    assert error.value.reason is Reason.OTHER_IDENTITY
    assert SUBJECT in str(error.value) and ISSUER in str(error.value) and subject in str(error.value)


def test_artifact_without_a_signature_is_not_signed() -> None:
    with pytest.raises(SignatureError, match="is not signed") as error:
        verify(DIGEST, [], TRUST)

    assert error.value.reason is Reason.NOT_SIGNED


def test_more_signatures_than_anybody_makes_are_refused() -> None:
    with pytest.raises(SignatureError) as error:
        verify(DIGEST, [BLOB] * 65, TRUST)

    assert error.value.reason is Reason.TOO_MANY


def test_nearest_failure_is_the_one_that_is_told() -> None:
    bundles = [b"no bundle", WORLD.sign_blob(DIGEST, identity="eve@example.com"), WORLD.sign_blob(OTHER)]

    with pytest.raises(SignatureError, match=r"nor does any of 2 others.*signed by eve@example.com"):
        verify(DIGEST, bundles, TRUST)


@pytest.mark.parametrize(
    "root",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{}", id="no trusted root"),
        pytest.param(changed(ROOT, put("tlogs", value=[])), id="no log"),
        pytest.param(changed(ROOT, put("certificateAuthorities", value=[])), id="no authority"),
    ],
)
def test_trusted_root_that_vouches_for_nothing_is_an_error_of_its_own(root: bytes) -> None:
    with pytest.raises(ArtifactError, match="trusted root cannot be used"):
        verify(DIGEST, [BLOB], Keyless((IDENTITY,), root))


def test_trusted_root_without_a_log_of_certificates_is_not_complete() -> None:
    with pytest.raises(SignatureError, match="trusted root is not complete") as error:
        verify(DIGEST, [BLOB], Keyless((IDENTITY,), changed(ROOT, put("ctlogs", value=[]))))

    assert error.value.reason is Reason.UNTRUSTED


def test_public_instance_is_there_and_does_not_vouch_for_others() -> None:
    with pytest.raises(SignatureError) as error:
        verify(DIGEST, [BLOB], Keyless((IDENTITY,), public_instance()))

    assert error.value.reason is Reason.UNTRUSTED
