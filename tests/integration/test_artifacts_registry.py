"""Archives in registries: a real one, and one that does what it is told to."""

import base64
import ipaddress
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from extractor_apis.extractorversion import OCISource
from extractor_artifacts import digest
from extractor_artifacts.blobs import BlobStore
from extractor_artifacts.patience import Patience
from extractor_artifacts.sources import (
    Access,
    AddressPolicy,
    ArchiveTooLarge,
    AuthenticationFailed,
    Credentials,
    DigestMismatch,
    FetchedSource,
    FetchFailed,
    NotFound,
    SourceError,
    SourceRefused,
    fetch_source,
)
from support.oci_registry import Registry, oci_registry
from support.scripted_http import Answer, Served, serve

pytestmark = pytest.mark.integration

BODY = bytes(range(256)) * 256
DIGEST = digest.of_bytes(BODY)
HASTY = Patience(connect=2, read=2, total=5, attempts=2, pause=0.001, longest_pause=0.01)
HERE = AddressPolicy((ipaddress.ip_network("127.0.0.0/8"),))
ACCESS = Access(HERE, Credentials(), HASTY)
ZIP = "application/zip"
TAR = "application/vnd.oci.image.layer.v1.tar+gzip"
AMD, ARM = ({"os": "linux", "architecture": name} for name in ("amd64", "arm64"))


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with oci_registry() as running:
        yield running


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "fetched" / "archive.zip"


@pytest.fixture
def warm(tmp_path: Path) -> Access:
    return replace(ACCESS, blobs=BlobStore(tmp_path / "blobs"))


def manifest(content: bytes = BODY, **fields: object) -> bytes:
    layer = {"mediaType": ZIP, "digest": digest.of_bytes(content), "size": len(content), **fields}
    return json.dumps({"layers": [layer]}).encode()


def fetch(reference: str, into: Path, access: Access = ACCESS, pinned: str | None = None) -> FetchedSource:
    return fetch_source(OCISource(reference=reference), into, access=access, pinned=pinned)


def fetch_from(
    server: Served, into: Path, access: Access = ACCESS, pinned: str | None = None
) -> FetchedSource:
    return fetch(f"{server.url.removeprefix('http://')}/acme/x:v1", into, access, pinned)


def test_artifact_is_fetched_and_its_tag_pinned(registry: Registry, into: Path) -> None:
    pushed = registry.push("acme/tagged", "v1", BODY)

    fetched = fetch(f"{registry.host}/acme/tagged:v1", into)

    assert fetched == FetchedSource(DIGEST, len(BODY), f"oci://{registry.host}/acme/tagged:v1@{pushed}")
    assert into.read_bytes() == BODY


def test_artifact_is_fetched_by_its_digest(registry: Registry, into: Path) -> None:
    pushed = registry.push("acme/pinned", "v1", BODY)

    fetched = fetch(f"{registry.host}/acme/pinned:other@{pushed}", into)

    assert fetched == FetchedSource(DIGEST, len(BODY), f"oci://{registry.host}/acme/pinned@{pushed}")


def test_tag_that_moved_is_shown_and_not_followed(registry: Registry, into: Path) -> None:
    registry.push("acme/moved", "v1", BODY)
    first = fetch(f"{registry.host}/acme/moved:v1", into)
    moved_to = registry.push("acme/moved", "v1", b"another archive")

    again = fetch(f"{registry.host}/acme/moved:v1", into, pinned=first.resolved)

    assert again == replace(first, moved_to=moved_to)
    assert into.read_bytes() == BODY


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param({b"readme": "text/markdown", BODY: ZIP}, id="zip beside text"),
        pytest.param({BODY: TAR, b"sbom": "application/spdx+json"}, id="tar beside an sbom"),
        pytest.param({BODY: "application/vnd.acme.anything"}, id="a single layer of any type"),
    ],
)
def test_layer_that_is_the_archive_is_found(registry: Registry, into: Path, layers: dict[bytes, str]) -> None:
    registry.push_layers("acme/layers", "v1", layers)

    assert fetch(f"{registry.host}/acme/layers:v1", into).digest == DIGEST


@pytest.mark.parametrize("layers", [{b"1": TAR, b"2": TAR}, {b"1": "text/x", b"2": "text/x"}, {}])
def test_artifact_that_is_no_archive_is_refused(
    registry: Registry, into: Path, layers: dict[bytes, str]
) -> None:
    registry.push_layers("acme/image", "v1", layers)

    with pytest.raises(SourceRefused, match="push one zip"):
        fetch(f"{registry.host}/acme/image:v1", into)


@pytest.mark.parametrize(
    "others",
    [
        pytest.param([], id="of one"),
        pytest.param([{"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}], id="attested"),
        pytest.param([{"platform": {"os": "windows", "architecture": "amd64"}}], id="for several systems"),
    ],
)
def test_index_leads_to_the_manifest_that_fits(
    registry: Registry, into: Path, others: list[dict[str, object]]
) -> None:
    platforms = [{"platform": AMD}, {"platform": ARM}] if others and "platform" in others[0] else [{}]
    ours = registry.push("acme/index", "one", BODY)
    theirs = registry.push("acme/index", "two", b"another")
    manifests = [{"digest": ours} | each for each in platforms] + [
        {"digest": theirs} | each for each in others
    ]
    pushed = registry.push_index("acme/index", "v1", manifests)

    fetched = fetch(f"{registry.host}/acme/index:v1", into)

    assert fetched == FetchedSource(DIGEST, len(BODY), f"oci://{registry.host}/acme/index:v1@{pushed}")


def test_index_in_which_several_fit_is_refused(registry: Registry, into: Path) -> None:
    each = {"digest": registry.push("acme/several", "one", BODY)}
    registry.push_index("acme/several", "v1", [each, each])

    with pytest.raises(SourceRefused, match="name one by digest"):
        fetch(f"{registry.host}/acme/several:v1", into)


def test_artifact_that_is_here_costs_one_head(into: Path, warm: Access) -> None:
    moved = Answer(headers={"Docker-Content-Digest": digest.of_bytes(b"another")})
    with serve(Answer(manifest()), Answer(BODY), moved) as server:
        first = fetch_from(server, into, warm)
        into.unlink()
        again = fetch_from(server, into, warm, pinned=first.resolved)

    assert again == replace(first, moved_to=digest.of_bytes(b"another"))
    assert into.read_bytes() == BODY
    assert [(each[":method"], each[":path"]) for each in server.requests[2:]] == [
        ("HEAD", "/v2/acme/x/manifests/v1")
    ]


@pytest.mark.parametrize("status", [404, 503, 401])
def test_artifact_that_is_here_does_not_depend_on_its_registry(into: Path, warm: Access, status: int) -> None:
    with serve(Answer(manifest()), Answer(BODY), Answer(status=status)) as server:
        first = fetch_from(server, into, warm)

        assert fetch_from(server, into, warm, pinned=first.resolved) == first


def test_artifact_that_is_here_is_had_without_a_request_by_its_digest(into: Path, warm: Access) -> None:
    with serve(Answer(manifest()), Answer(BODY)) as server:
        reference = f"{server.url.removeprefix('http://')}/acme/x@{digest.of_bytes(manifest())}"
        first = fetch(reference, into, warm)

        assert fetch(reference, into, warm) == first
        assert len(server.requests) == 2


def test_login_of_the_pull_secret_gets_a_token(into: Path) -> None:
    with serve(Answer(b'{"token":"t"}')) as authority:
        asked = Answer(status=401, headers={"WWW-Authenticate": f'Bearer realm="{authority.url}/token"'})
        with serve(asked, Answer(manifest()), Answer(BODY)) as server:
            assert fetch_from(server, into, logged_in(server)).digest == DIGEST

    assert [each.get("authorization") for each in authority.requests] == [LOGIN]
    assert [each.get("authorization") for each in server.requests] == [None, "Bearer t", "Bearer t"]


def test_login_of_the_pull_secret_is_sent_where_the_registry_asks_for_it(into: Path) -> None:
    asked = Answer(status=401, headers={"WWW-Authenticate": 'Basic realm="registry"'})
    with serve(asked, Answer(manifest()), Answer(BODY)) as server:
        assert fetch_from(server, into, logged_in(server)).digest == DIGEST

    assert [each.get("authorization") for each in server.requests] == [None, LOGIN, LOGIN]


def test_login_that_is_forgotten_half_way_is_renewed_and_the_rest_asked_for(into: Path) -> None:
    part = {"Content-Range": f"bytes 1000-{len(BODY) - 1}/{len(BODY)}", "ETag": '"1"'}
    with serve(Answer(b'{"token":"one"}'), Answer(b'{"access_token":"two"}')) as authority:
        asked = Answer(status=401, headers={"WWW-Authenticate": f'Bearer realm="{authority.url}/token"'})
        torn = Answer(BODY, headers={"ETag": '"1"'}, cut=1000)
        with serve(asked, Answer(manifest()), torn, asked, Answer(BODY[1000:], 206, part)) as server:
            assert fetch_from(server, into).digest == DIGEST

    assert [each.get("authorization") for each in server.requests] == [
        None, "Bearer one", "Bearer one", "Bearer one", "Bearer two"
    ]  # fmt: skip
    assert server.requests[-1]["range"] == "bytes=1000-"


def test_login_is_not_sent_to_where_the_blobs_are(into: Path) -> None:
    with serve(Answer(BODY)) as elsewhere:
        asked = Answer(status=401, headers={"WWW-Authenticate": 'Basic realm="registry"'})
        moved = Answer(status=307, headers={"Location": f"{elsewhere.url}/blob?sig=s3cret"})
        with serve(asked, Answer(manifest()), moved) as server:
            assert fetch_from(server, into, logged_in(server)).digest == DIGEST

    assert [each.get("authorization") for each in elsewhere.requests] == [None]


@pytest.mark.parametrize(
    ("answers", "want", "message"),
    [
        pytest.param([Answer(status=404)], NotFound, "is not there", id="has no such tag"),
        pytest.param([Answer(status=401)], AuthenticationFailed, "name a pull secret", id="wants a login"),
        pytest.param([Answer(status=403)], AuthenticationFailed, "access is refused", id="refuses"),
        pytest.param([Answer(status=429)], FetchFailed, "HTTP 429; gave up after 2", id="is too busy"),
        pytest.param([Answer(b"[]")], SourceRefused, "in no form of OCI's", id="speaks another language"),
        pytest.param([Answer(b" " * 5_000_000)], SourceRefused, "than 4,194,304", id="says too much"),
        pytest.param([Answer(manifest(size=10**12))], ArchiveTooLarge, "is larger than", id="announces much"),
        pytest.param([Answer(manifest()), Answer(b"other")], DigestMismatch, "digest mismatch", id="lies"),
        pytest.param([Answer(manifest()), Answer(BODY, cut=9)], FetchFailed, "gave up", id="stops half-way"),
        pytest.param([Answer(manifest()), Answer(status=404)], NotFound, "is there", id="lost the blob"),
        pytest.param([Answer(status=302, headers={"Location": "http://169.254.169.254/"})], SourceRefused,
                     "without TLS", id="leads to metadata"),
        pytest.param([Answer(status=302, headers={"Location": "https://169.254.169.254/"})], SourceRefused,
                     "not at a public address", id="leads to metadata with TLS"),
        pytest.param([Answer(status=401, headers={"WWW-Authenticate": 'Bearer realm="https://10.0.0.1/"'})],
                     SourceRefused, "not at a public address", id="has its tokens inside"),
    ],
)  # fmt: skip
def test_registry_that_does_not_do_is_told_by_a_class_and_a_sentence(
    into: Path, answers: list[Answer], want: type[SourceError], message: str
) -> None:
    with serve(*answers) as server, pytest.raises(want, match=message) as caught:
        fetch_from(server, into)

    assert caught.type is want
    assert not into.parent.exists() or not list(into.parent.iterdir())


@pytest.mark.parametrize(
    ("challenge", "status"),
    [
        pytest.param('Bearer realm="{}/token?sig=s3cret"', 401, id="a token"),
        pytest.param('Basic realm="registry"', 200, id="a password"),
    ],
)
def test_login_that_is_refused_is_told_without_it(into: Path, challenge: str, status: int) -> None:
    with serve(Answer(status=status)) as authority:
        asked = Answer(status=401, headers={"WWW-Authenticate": challenge.format(authority.url)})
        with (
            serve(asked) as server,
            pytest.raises(AuthenticationFailed, match=r"pull secret|others than") as caught,
        ):
            fetch_from(server, into, logged_in(server))

    assert "s3cret" not in str(caught.value)


LOGIN = f"Basic {base64.b64encode(b'me:s3cret').decode()}"


def logged_in(server: Served) -> Access:
    host = server.url.removeprefix("http://")
    secret = json.dumps({"auths": {host: {"username": "me", "password": "s3cret"}}}).encode()
    return replace(ACCESS, credentials=Credentials(pull_secrets=(secret,)))
