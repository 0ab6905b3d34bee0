"""A signature by a key is good if that key made it, for that artifact, whatever a log says."""

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from extractor_apis.resource import LocalReference
from extractor_apis.verify import Identity, Signer, Verify
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.signatures import (
    Keyed,
    Keyless,
    Reason,
    SignatureError,
    SimpleSigning,
    trust,
    verify,
)
from support.cosign_forms import KeyPair, digest, make_payload, make_statement
from support.sigstore_world import World

DIGEST, OTHER = digest(b"archive"), digest(b"another")
KEY, STRANGER = KeyPair(), KeyPair()
SIGNER = Signer(digest=DIGEST, key=f"sha256:{KEY.id.hex()}")
FORM = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def simple(pair: KeyPair, payload: bytes, signed: bytes | None = None) -> SimpleSigning:
    return SimpleSigning(payload, pair.sign(payload if signed is None else signed), keyless=False)


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(KEY.sign_blob(DIGEST), id="sign-blob"),
        pytest.param(KEY.sign_image(DIGEST), id="sign"),
        pytest.param(simple(KEY, make_payload(DIGEST)), id="sign of cosign 2"),
    ],
)
def test_signature_by_one_of_the_keys_is_accepted(signature: bytes | SimpleSigning) -> None:
    assert verify(DIGEST, [signature], Keyed((STRANGER.pem, KEY.pem))) == SIGNER


@pytest.mark.parametrize(
    ("signature", "want"),
    [
        pytest.param(STRANGER.sign_blob(DIGEST), Reason.OTHER_KEY, id="sign-blob by another key"),
        pytest.param(STRANGER.sign_image(DIGEST), Reason.OTHER_KEY, id="sign by another key"),
        pytest.param(simple(STRANGER, make_payload(DIGEST)), Reason.OTHER_KEY, id="old form by another key"),
        pytest.param(KEY.sign_blob(OTHER), Reason.OTHER_ARTIFACT, id="sign-blob of another artifact"),
        pytest.param(KEY.sign_image(OTHER), Reason.OTHER_ARTIFACT, id="sign of another artifact"),
        pytest.param(
            simple(KEY, make_payload(OTHER)), Reason.OTHER_ARTIFACT, id="old form of another artifact"
        ),
        pytest.param(
            simple(KEY, make_payload(DIGEST), signed=make_payload(OTHER)),
            Reason.OTHER_KEY,
            id="old form whose payload was changed",
        ),
        pytest.param(
            KEY.sign_blob(OTHER).replace(
                *(
                    json.dumps(json.loads(KEY.sign_blob(each))["messageSignature"]["messageDigest"]).encode()
                    for each in (OTHER, DIGEST)
                )
            ),
            Reason.OTHER_KEY,
            id="of another artifact, which it does not say",
        ),
        pytest.param(
            KEY.sign_image(DIGEST, predicate="https://spdx.dev/Document"),
            Reason.UNSUPPORTED,
            id="an attestation",
        ),
        pytest.param(simple(KEY, b"{}"), Reason.MALFORMED, id="no payload"),
        pytest.param(
            simple(KEY, make_payload(DIGEST).replace(b"cosign container image", b"atomic container")),
            Reason.UNSUPPORTED,
            id="a payload of another tool",
        ),
        pytest.param(
            KEY.sign_image(DIGEST).replace(b"vnd.in-toto+json", b"octet-stream"),
            Reason.UNSUPPORTED,
            id="no statement",
        ),
        pytest.param(
            KEY.sign_blob(DIGEST).replace(b"SHA2_256", b"SHA2_512"),
            Reason.UNSUPPORTED,
            id="another kind of digest",
        ),
        pytest.param(World().sign_blob(DIGEST), Reason.OTHER_KEY, id="keyless"),
    ],
)
def test_other_signature_is_refused(signature: bytes | SimpleSigning, want: Reason) -> None:
    with pytest.raises(SignatureError) as error:
        verify(DIGEST, [signature], Keyed((KEY.pem,)))

    assert error.value.reason is want


def test_key_that_is_wanted_is_named_by_its_fingerprint() -> None:
    with pytest.raises(SignatureError, match=f"not signed by the key sha256:{KEY.id.hex()}"):
        verify(DIGEST, [STRANGER.sign_blob(DIGEST)], Keyed((KEY.pem,)))


@pytest.mark.parametrize(
    "pem",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", id="no key"),
        pytest.param(rsa.generate_private_key(65537, 2048).public_key().public_bytes(*FORM), id="RSA"),
        pytest.param(
            ec.generate_private_key(ec.SECP384R1()).public_key().public_bytes(*FORM), id="another curve"
        ),
    ],
)
def test_key_of_another_kind_is_an_error_of_its_own(pem: bytes) -> None:
    with pytest.raises(ArtifactError, match="key"):
        verify(DIGEST, [KEY.sign_blob(DIGEST)], Keyed((pem,)))


def test_trust_in_a_secret_is_in_its_public_keys() -> None:
    secret = {"a.pub": KEY.pem, "cosign.key": b"private", "b.pub": STRANGER.pem}
    wanted = Verify(secret_ref=LocalReference(name="keys"))

    assert trust(wanted, trusted_root=b"", secret=secret) == Keyed((KEY.pem, STRANGER.pem))


def test_trust_in_identities_is_in_who_the_instance_vouches_for() -> None:
    identity = Identity(issuer="a", subject="b")

    assert trust(Verify(identities=(identity,)), trusted_root=b"root", secret={}) == Keyless(
        (identity,), b"root"
    )


def test_secret_without_public_keys_is_refused() -> None:
    with pytest.raises(ArtifactError, match=r"the secret keys has 0 public keys.*\*\.pub"):
        trust(
            Verify(secret_ref=LocalReference(name="keys")),
            trusted_root=b"",
            secret={"cosign.key": b"private"},
        )


def test_statement_about_several_artifacts_is_about_each() -> None:
    statement = json.loads(make_statement(OTHER))
    statement["subject"].append(json.loads(make_statement(DIGEST))["subject"][0])
    world = World()
    trusted = Keyless((Identity(issuer=".*", subject=".*"),), world.trusted_root())

    for subject in (DIGEST, OTHER):
        bundle = world.sign_image(subject, statement=json.dumps(statement).encode())
        assert verify(subject, [bundle], trusted).digest == subject
