"""Archives in an S3 server, read with a tenant's Secret although the process has an identity of its own."""

import ipaddress
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from extractor_apis.extractorversion import ZipSource
from extractor_artifacts import digest
from extractor_artifacts.patience import Patience
from extractor_artifacts.sources import (
    Access,
    AddressPolicy,
    Credentials,
    FetchedSource,
    NotFound,
    SourceRefused,
    fetch_source,
)
from support import s3
from support.scripted_http import Answer, serve

pytestmark = pytest.mark.integration

BODY = bytes(range(256)) * 4096
DIGEST = digest.of_bytes(BODY)
HERE = AddressPolicy((ipaddress.ip_network("127.0.0.0/8"),))
HASTY = Patience(connect=2, read=30, total=60, attempts=2, pause=0.001, longest_pause=0.01)
KEYS = {"aws_access_key_id": b"TENANT", "aws_secret_access_key": b"s3cret"}


@pytest.fixture(scope="module")
def bucket() -> Iterator[s3.S3]:
    with s3.serve() as server:
        s3.put({"archives/a b.zip": BODY})
        yield server


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "archive.zip"


def access(endpoint: str) -> Access:
    return Access(HERE, Credentials(KEYS | {"aws_endpoint_url": endpoint.encode()}), HASTY)


def fetch(key: str, into: Path, access: Access) -> FetchedSource:
    url = f"s3://{s3.BUCKET}/{key}"
    return fetch_source(ZipSource.model_construct(url=url, digest=DIGEST), into, access=access)


def test_object_is_fetched_with_the_secret(bucket: s3.S3, into: Path) -> None:
    fetched = fetch("archives/a b.zip", into, access(bucket.url))

    assert fetched == FetchedSource(DIGEST, len(BODY), f"s3://{s3.BUCKET}/archives/a b.zip@{DIGEST}")
    assert into.read_bytes() == BODY


def test_object_that_is_not_there_is_told(bucket: s3.S3, into: Path) -> None:
    with pytest.raises(NotFound, match=r"cannot read s3://bucket/archives/gone.zip: HTTP 404"):
        fetch("archives/gone.zip", into, access(bucket.url))


def test_identity_of_the_process_is_not_used(bucket: s3.S3, into: Path) -> None:
    # The environment points to the first server and its keys.
    with serve(Answer(BODY)) as server:
        fetch("archives/a.zip", into, access(server.url))

    assert "X-Amz-Credential=TENANT%2F" in server.requests[0][":path"]
    assert "authorization" not in server.requests[0]


def test_object_store_obeys_the_address_policy(bucket: s3.S3, into: Path) -> None:
    inside = replace(access(bucket.url), addresses=AddressPolicy())

    with pytest.raises(SourceRefused, match=r"s3://bucket/a\.zip: it is not at a public address"):
        fetch("a.zip", into, inside)
