"""Signatures are found where cosign puts them, in a real registry and in one that says what it is told to."""

import base64
import ipaddress
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from extractor_apis.verify import Identity, Signer
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.patience import Patience
from extractor_artifacts.signatures import (
    Keyed,
    Keyless,
    Reason,
    SignatureError,
    Signed,
    SimpleSigning,
    attached,
    verify,
)
from extractor_artifacts.sources import Access, AddressPolicy, Credentials
from support.cosign_forms import KeyPair, digest, make_payload
from support.oci_registry import MANIFEST, Registry, oci_registry
from support.scripted_http import Answer, serve
from support.sigstore_world import SUBJECT, World

pytestmark = pytest.mark.integration

HERE = AddressPolicy((ipaddress.ip_network("127.0.0.0/8"),))
HASTY = Patience(connect=2, read=2, total=10, attempts=2, pause=0.001, longest_pause=0.01)
ACCESS = Access(HERE, Credentials(), HASTY)
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
KEY, WORLD = KeyPair(), World()
TRUST = Keyless((Identity(issuer=".*", subject=".*"),), WORLD.trusted_root())
NOTHING = Answer(b"{}", 404)


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with oci_registry() as running:
        yield running


def describe(content: bytes, **fields: object) -> dict[str, object]:
    return {"mediaType": MANIFEST, "digest": digest(content), "size": len(content), **fields}


def found(host: str, name: str) -> Signed:
    return attached(f"oci://{host}/{name}", access=ACCESS)


def test_keyless_signature_of_an_artifact_is_found_and_verified(registry: Registry) -> None:
    subject = registry.push("acme/keyless", "v1", b"archive")
    registry.attach("acme/keyless", subject, [WORLD.sign_image(subject)])

    signed = found(registry.host, "acme/keyless:v1")

    assert signed.digest == subject
    assert verify(signed.digest, signed.signatures, TRUST).subject == SUBJECT


def test_artifact_is_found_by_its_digest(registry: Registry) -> None:
    subject = registry.push("acme/pinned", "v1", b"archive")

    assert found(registry.host, f"acme/pinned:v2@{subject}") == Signed(subject, ())


def test_signature_in_the_old_place_is_verified_with_its_key(registry: Registry) -> None:
    subject = registry.push("acme/old", "v1", b"archive")
    signature = base64.b64encode(KEY.sign(make_payload(subject))).decode()
    registry.attach_simple(
        "acme/old", subject, make_payload(subject), {"dev.cosignproject.cosign/signature": signature}
    )

    signed = found(registry.host, "acme/old:v1")

    assert verify(subject, signed.signatures, Keyed((KEY.pem,))) == Signer(
        digest=subject, key=f"sha256:{KEY.id.hex()}"
    )


def test_old_keyless_signature_is_told_from_one_by_a_key(registry: Registry) -> None:
    subject = registry.push("acme/old-keyless", "v1", b"archive")
    annotations = {"dev.cosignproject.cosign/signature": "no base64", "dev.sigstore.cosign/certificate": "…"}
    registry.attach_simple("acme/old-keyless", subject, make_payload(subject), annotations)

    signed = found(registry.host, "acme/old-keyless:v1")

    assert signed.signatures == (SimpleSigning(make_payload(subject), b"", keyless=True),)


def test_attestations_are_not_taken_for_signatures(registry: Registry) -> None:
    subject = registry.push("acme/attested", "v1", b"archive")
    kind = {"annotations": {"dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v1"}}
    registry.attach("acme/attested", subject, [b"{}"] * 70, **kind)

    assert found(registry.host, "acme/attested:v1") == Signed(subject, ())


def test_attestation_that_only_its_manifest_calls_one_is_not_taken_for_a_signature() -> None:
    said = {"dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v1"}
    referrer = json.dumps({"layers": [describe(b"bundle")], "annotations": said}).encode()
    index = json.dumps({"manifests": [describe(referrer, artifactType=BUNDLE)]}).encode()

    with serve(Answer(b"{}"), Answer(index), Answer(referrer), NOTHING) as server:
        assert found(server.url.removeprefix("http://"), "acme/x:v1").signatures == ()


def test_more_signatures_than_are_looked_at_are_noticed(registry: Registry) -> None:
    subject = registry.push("acme/flooded", "v1", b"archive")
    registry.attach("acme/flooded", subject, [KEY.sign_image(subject)] * 66)

    with pytest.raises(SignatureError) as error:
        verify(subject, found(registry.host, "acme/flooded:v1").signatures, TRUST)

    assert error.value.reason is Reason.TOO_MANY


def test_huge_bundle_is_not_read(registry: Registry) -> None:
    subject = registry.push("acme/huge", "v1", b"archive")
    registry.attach("acme/huge", subject, [b" " * (1024 * 1024 + 1)])

    with pytest.raises(ArtifactError, match="larger than 1,048,576 bytes"):
        found(registry.host, "acme/huge:v1")


def test_artifact_that_is_not_there_is_said_so(registry: Registry) -> None:
    with pytest.raises(ArtifactError, match=r"oci://.*/acme/nothing:latest is not there"):
        found(registry.host, "acme/nothing")


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("oci://registry.example.com", id="no repository"),
        pytest.param("oci://registry.example.com/Acme", id="upper case"),
        pytest.param("oci://user:secret@registry.example.com/acme", id="credentials"),
        pytest.param("oci://registry.example.com/acme/../other", id="dots"),
        pytest.param("oci://registry.example.com/acme@sha256:12", id="a short digest"),
    ],
)
def test_location_that_is_none_is_refused(location: str) -> None:
    with pytest.raises(ArtifactError, match="write oci://host/repository:tag") as error:
        attached(location)

    assert "secret" not in str(error.value)


def test_registry_with_the_referrers_api_is_asked_by_it() -> None:
    subject, bundle = b'{"layers":[]}', b"bundle"
    layer = describe(bundle, mediaType=BUNDLE)
    referrer = json.dumps({"layers": [layer]}).encode()
    index = json.dumps({"manifests": [describe(referrer, artifactType=BUNDLE), describe(b"sbom")]}).encode()
    answers = [Answer(subject), Answer(index), Answer(referrer), Answer(bundle), NOTHING]

    with serve(*answers) as server:
        signed = found(server.url.removeprefix("http://"), "acme/x:v1")

    assert signed == Signed(digest(subject), (bundle,))
    assert server.requests[1][":path"].startswith(f"/v2/acme/x/referrers/{digest(subject)}?artifactType=")


def test_token_that_everybody_gets_is_asked_for_once() -> None:
    subject = b'{"layers":[]}'
    with serve(Answer(b'{"token":"t"}')) as authority:
        challenge = f'Bearer realm="{authority.url}/token",service="registry",scope="ignored"'
        asked = Answer(status=401, headers={"WWW-Authenticate": challenge})
        with serve(asked, Answer(subject), NOTHING) as server:
            signed = found(server.url.removeprefix("http://"), "acme/x:v1")

    assert signed == Signed(digest(subject), ())
    assert [each.get("authorization") for each in server.requests] == [None, *["Bearer t"] * 4]
    assert [each[":path"] for each in authority.requests] == [
        "/token?scope=repository%3Aacme%2Fx%3Apull&service=registry"
    ]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        pytest.param([Answer(status=401)], "asks for credentials", id="asks for a password"),
        pytest.param([Answer(status=403)], "access is refused", id="refuses"),
        pytest.param([Answer(status=503)], "gave up after 2 attempts", id="is down"),
        pytest.param(
            [Answer(status=401, headers={"WWW-Authenticate": 'Bearer realm="http://example.com/"'})],
            "without TLS",
            id="sends us elsewhere in the clear",
        ),
        pytest.param([Answer(b"{}"), Answer(b"[]")], "in no form of OCI's", id="lists nothing readable"),
        pytest.param([Answer(b" " * 5_000_000)], "larger than 4,194,304 bytes", id="sends too much"),
        pytest.param(
            [
                Answer(b"{}"),
                Answer(json.dumps({"manifests": [describe(b"a", artifactType=BUNDLE)]}).encode()),
            ],
            "digest mismatch",
            id="sends another manifest than it names",
        ),
    ],
)
def test_registry_that_misbehaves_is_an_error(answers: list[Answer], message: str) -> None:
    with serve(*answers) as server, pytest.raises(ArtifactError, match=message):
        found(server.url.removeprefix("http://"), "acme/x:v1")


def test_digest_that_is_asked_for_is_the_one_that_comes() -> None:
    with serve(Answer(b"{}")) as server, pytest.raises(ArtifactError, match="digest mismatch"):
        found(server.url.removeprefix("http://"), f"acme/x@{digest(b'another')}")


def test_registry_at_an_address_that_may_not_be_reached_is_not_asked() -> None:
    with serve(Answer(b"{}")) as server, pytest.raises(ArtifactError, match="not at a public address"):
        attached(
            f"oci://{server.url.removeprefix('http://')}/acme/x",
            access=replace(ACCESS, addresses=AddressPolicy()),
        )

    assert server.requests == []
