"""Signatures of archives that not everybody may read are read in the same name as the archives."""

import asyncio
import base64
import ipaddress
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from extractor_apis.extractorversion import ExtractorVersion, SourceStatus
from extractor_apis.settings import Settings, Sources
from extractor_artifacts import ArtifactStore, sources
from extractor_artifacts.patience import Patience
from extractor_artifacts.signatures import attached, beside
from extractor_artifacts.sources import Access, AddressPolicy, AuthenticationFailed, Credentials
from extractor_operator import kube
from extractor_operator.context import Context
from extractor_operator.errors import Stalled
from extractor_operator.kube import Client
from extractor_operator.metrics import Metrics
from extractor_operator.store import Store
from extractor_operator.versions import signature
from extractor_operator.versions.scan import Scanner
from support import inboxes, operators
from support.api_server import FakeClient
from support.cosign_forms import KeyPair, digest
from support.scripted_http import Answer, serve

pytestmark = pytest.mark.integration

HERE = AddressPolicy((ipaddress.ip_network("127.0.0.0/8"),))
HASTY = Patience(connect=2, read=2, total=10, attempts=2, pause=0.001, longest_pause=0.01)
ACCESS = Access(HERE, Credentials(), HASTY)
KEYS = {"aws_access_key_id": b"TENANT", "aws_secret_access_key": b"s3cret"}
LOGIN = "Basic " + base64.b64encode(b"tenant:s3cret").decode()
NOTHING = Answer(b"{}", 404)
Verify = Callable[[str], str | None]
ARCHIVE, KEY = b"archive", KeyPair()


def pull_secret(url: str) -> bytes:
    host = url.removeprefix("http://")
    return json.dumps({"auths": {host: {"username": "tenant", "password": "s3cret"}}}).encode()


def test_registry_is_asked_for_signatures_with_the_pull_secrets_login() -> None:
    asked = Answer(status=401, headers={"WWW-Authenticate": 'Basic realm="registry"'})
    with serve(asked, Answer(b'{"layers":[]}'), NOTHING) as server:
        access = replace(ACCESS, credentials=Credentials(pull_secrets=(pull_secret(server.url),)))
        attached(f"oci://{server.url.removeprefix('http://')}/acme/x:v1", access=access)

    assert [each.get("authorization") for each in server.requests] == [None, *[LOGIN] * 4]


def test_bundle_beside_an_object_is_read_with_the_secret_of_the_object() -> None:
    with serve(Answer(b"bundle")) as server:
        credentials = Credentials(KEYS | {"aws_endpoint_url": server.url.encode()})

        assert beside("s3://bucket/a b.zip", access=replace(ACCESS, credentials=credentials)) == b"bundle"

    [request] = server.requests
    assert request[":path"].startswith("/bucket/a%20b.zip.sigstore.json?")
    assert "X-Amz-Credential=TENANT%2F" in request[":path"]


def test_token_of_a_source_is_not_sent_in_the_clear() -> None:
    access = replace(ACCESS, credentials=Credentials({"token": b"s3cret"}))

    with serve(Answer(b"bundle")) as server, pytest.raises(AuthenticationFailed, match="without TLS"):
        beside(f"{server.url}/a.zip", access=access)

    assert server.requests == []


def test_hosts_that_sources_may_not_come_from_are_not_asked_for_signatures_either() -> None:
    access = replace(ACCESS, addresses=replace(HERE, hosts=("*.example.com",)))

    with serve(Answer(b"bundle")) as server, pytest.raises(sources.SourceRefused, match="refused to ask"):
        beside(f"{server.url}/a.zip", access=access)

    assert server.requests == []


def test_archive_that_was_uploaded_has_no_signature_beside_it() -> None:
    assert beside(f"store://{digest(ARCHIVE)}", access=ACCESS) is None


@pytest.fixture
def verify(tmp_path: Path) -> Verify:
    """Verify a version in a bucket at an endpoint as the operator does."""

    def verify(endpoint: str) -> str | None:
        def put(name: str, fields: dict[str, bytes]) -> None:
            content = {key: base64.b64encode(value).decode() for key, value in fields.items()}
            server.put(kube.path("v1", "secrets", "team", name), {"data": content})

        server = FakeClient()
        put("signers", {"cosign.pub": KEY.pem})
        put("files", KEYS | {"aws_endpoint_url": endpoint.encode()})
        item: dict[str, Any] = operators.make_version(
            "text", "s3://bucket/a.zip", ARCHIVE, secretRef={"name": "files"}
        )
        item["spec"]["verify"] = {"secretRef": {"name": "signers"}}
        item["metadata"] |= {"namespace": "team", "uid": "one"}
        ctx = Context(
            client=cast("Client", server),
            settings=Settings(store=tmp_path, sources=Sources(allowed_addresses=HERE.networks)),
            inbox=inboxes.still(Store()),
            artifacts=ArtifactStore(tmp_path),
            scanner=Scanner(asyncio.Semaphore(1)),
            threads=ThreadPoolExecutor(1),
            work=tmp_path,
            metrics=Metrics(),
        )
        fetched = SourceStatus(digest=digest(ARCHIVE), size=len(ARCHIVE), resolved="s3://bucket/a.zip")
        with ctx.threads:
            return asyncio.run(signature.verify(ExtractorVersion.model_validate(item), fetched, ctx))

    return verify


def test_operator_reads_a_signature_with_the_sources_own_secret(
    verify: Verify,
) -> None:
    with serve(Answer(KEY.sign_blob(digest(ARCHIVE)))) as server:
        assert verify(server.url) == f"the key sha256:{KEY.id.hex()}"


def test_operator_says_when_a_signature_may_not_be_read(
    verify: Verify,
) -> None:
    with (
        serve(Answer(status=403)) as server,
        pytest.raises(Stalled, match=r"s3://bucket/a\.zip\.sigstore\.json: HTTP 403") as caught,
    ):
        verify(server.url)

    assert caught.value.reason == "AuthenticationFailed"
    assert "s3cret" not in str(caught.value)
