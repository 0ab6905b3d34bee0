"""Archives at URLs that tenants choose, from servers that do what they are told to."""

import ipaddress
import logging
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extractor_apis.extractorversion import ZipSource
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
from support.scripted_http import Answer, serve

pytestmark = pytest.mark.integration

BODY = bytes(range(256)) * 256
DIGEST = digest.of_bytes(BODY)
OTHER = digest.of_bytes(b"other")
HASTY = Patience(connect=2, read=2, total=5, attempts=2, pause=0.001, longest_pause=0.01)
HERE = AddressPolicy((ipaddress.ip_network("127.0.0.0/8"),))
ACCESS = Access(HERE, Credentials(), HASTY, max_bytes=len(BODY))
METADATA = "http://169.254.169.254/latest/meta-data/"


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "fetched" / "archive.zip"


def leading_to(location: str) -> Answer:
    return Answer(status=302, headers={"Location": location})


def fetch(url: str, into: Path, access: Access = ACCESS, **options: Any) -> FetchedSource:
    pinned = options.pop("pinned", None)
    return fetch_source(
        ZipSource(url=url, **{"digest": DIGEST} | options), into, access=access, pinned=pinned
    )


def test_archive_is_fetched_and_pinned(into: Path) -> None:
    with serve(Answer(BODY)) as server:
        fetched = fetch(f"{server.url}/a.zip?sig=s3cret", into)

    assert fetched == FetchedSource(DIGEST, len(BODY), f"{server.url}/a.zip@{DIGEST}")
    assert into.read_bytes() == BODY


@pytest.mark.parametrize(
    ("answer", "access", "want", "message"),
    [
        pytest.param(Answer(status=404), ACCESS, NotFound, "nothing is there", id="is not there"),
        pytest.param(Answer(status=410), ACCESS, NotFound, "it is gone for good", id="is gone"),
        pytest.param(Answer(status=401), ACCESS, AuthenticationFailed, "asks for credentials", id="login"),
        pytest.param(Answer(status=403), ACCESS, AuthenticationFailed, "access is refused", id="no access"),
        pytest.param(Answer(status=503), ACCESS, FetchFailed, "gave up after 2 attempts", id="is down"),
        pytest.param(Answer(status=429, headers={"Retry-After": "99"}), ACCESS, FetchFailed, "HTTP 429",
                     id="is too busy for good"),
        pytest.param(Answer(BODY, cut=9), ACCESS, FetchFailed, "gave up after 2 attempts", id="is truncated"),
        pytest.param(Answer(BODY, headers={"Content-Length": "9"}), ACCESS, DigestMismatch, "digest mismatch",
                     id="says that it is shorter"),
        pytest.param(Answer(BODY, headers={"Content-Length": str(10**18)}), ACCESS, ArchiveTooLarge,
                     "is larger than 65,536 bytes", id="says that it is larger"),
        pytest.param(Answer(BODY + b"!"), ACCESS, ArchiveTooLarge, "is larger than 65,536 bytes", id="is"),
        pytest.param(Answer(BODY[::-1]), ACCESS, DigestMismatch, "digest mismatch", id="is another one"),
        pytest.param(Answer(BODY, drip=0.01), replace(ACCESS, patience=Patience(total=0.3)), FetchFailed,
                     "gave up after 0.3 s", id="has no end"),
        pytest.param(Answer(BODY, drip=9), replace(ACCESS, patience=Patience(read=0.05, attempts=1)),
                     FetchFailed, "gave up after 1 attempts", id="says nothing"),
        pytest.param(leading_to(METADATA), ACCESS, SourceRefused, "not at a public address", id="metadata"),
        pytest.param(leading_to("http://2852039166/"), ACCESS, SourceRefused, "not at a public",
                     id="leads to metadata as a number"),
        pytest.param(leading_to("http://[fd00:ec2::254]/"), ACCESS, SourceRefused, "not at a public",
                     id="leads to metadata of IPv6"),
        pytest.param(leading_to("http://[::ffff:10.0.0.1]/"), ACCESS, SourceRefused, "not at a public",
                     id="leads to a private address inside IPv6"),
        pytest.param(leading_to("ftp://127.0.0.1/"), ACCESS, SourceRefused, "redirects to ftp:", id="to ftp"),
        pytest.param(Answer(BODY), replace(ACCESS, addresses=AddressPolicy()), SourceRefused,
                     "not at a public address", id="is on this machine"),
        pytest.param(Answer(BODY), replace(ACCESS, addresses=replace(HERE, hosts=("*.example.com",))),
                     SourceRefused, "refused to ask 127.0.0.1", id="is at no allowed host"),
        pytest.param(leading_to("http://localhost/"),
                     replace(ACCESS, addresses=replace(HERE, hosts=("127.0.0.1",))),
                     SourceRefused, "refused to ask localhost", id="leads to no allowed host"),
    ],
)  # fmt: skip
def test_source_that_does_not_do_is_told_by_a_class_and_a_sentence(
    into: Path, answer: Answer, access: Access, want: type[SourceError], message: str
) -> None:
    with serve(answer) as server, pytest.raises(want, match=message) as caught:
        fetch(f"{server.url}/a.zip?sig=s3cret", into, access)

    assert caught.type is want
    assert "s3cret" not in str(caught.value)
    assert not list(into.parent.iterdir())


def test_server_that_cannot_be_reached_is_told(into: Path) -> None:
    with serve() as server:
        url = server.url

    with pytest.raises(FetchFailed, match="gave up after 2 attempts"):
        fetch(url, into)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Addresses of names, one for each time that they are looked up; the last one stays."""
    known: dict[str, list[str]] = {}

    def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        addresses = known[host]
        address = addresses.pop(0) if len(addresses) > 1 else addresses[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


ONE_ADDRESS = replace(ACCESS, addresses=AddressPolicy((ipaddress.ip_network("127.0.0.1/32"),)))


def test_redirect_to_a_name_of_this_machine_is_refused(into: Path, names: dict[str, list[str]]) -> None:
    names["inside.example.com"] = ["127.0.0.2"]
    with (
        serve(leading_to("http://inside.example.com/")) as server,
        pytest.raises(SourceRefused, match="not at a public address"),
    ):
        fetch(server.url, into, ONE_ADDRESS)

    assert len(server.requests) == 1


def test_name_that_means_another_address_the_next_time_is_refused(
    into: Path, names: dict[str, list[str]]
) -> None:
    names["rebinding.example.com"] = ["127.0.0.1", "127.0.0.2"]
    with (
        serve(Answer(status=503), Answer(BODY)) as server,
        pytest.raises(SourceRefused, match="not at a public address"),
    ):
        fetch(server.url.replace("127.0.0.1", "rebinding.example.com"), into, ONE_ADDRESS)

    assert len(server.requests) == 1


def test_credentials_are_not_sent_in_the_clear(into: Path) -> None:
    access = replace(ACCESS, credentials=Credentials({"token": b"s3cret"}))
    with serve(Answer(BODY)) as server, pytest.raises(AuthenticationFailed, match="without TLS"):
        fetch(server.url, into, access)

    assert server.requests == []


@pytest.mark.parametrize("url", ["https://example.com/a.zip", f"store://{DIGEST}", "s3://bucket/a.zip"])
def test_archive_that_is_here_is_not_fetched(into: Path, tmp_path: Path, url: str) -> None:
    access = replace(ACCESS, blobs=BlobStore(tmp_path / "blobs"), addresses=AddressPolicy(hosts=("nowhere",)))
    assert access.blobs is not None
    access.blobs.add_bytes(BODY)

    fetched = fetch(url, into, access)

    assert fetched == FetchedSource(DIGEST, len(BODY), f"{url}@{DIGEST}")
    assert into.read_bytes() == BODY


def test_archive_that_was_fetched_is_not_fetched_again(into: Path, tmp_path: Path) -> None:
    access = replace(ACCESS, blobs=BlobStore(tmp_path / "blobs"))
    with serve(Answer(BODY), Answer(b"changed")) as server:
        first = fetch(server.url, into, access, digest=None)
        into.unlink()
        again = fetch(server.url, into, access, digest=None, pinned=first.resolved)

    assert again == first
    assert into.read_bytes() == BODY
    assert len(server.requests) == 1


def test_archive_that_changed_since_it_was_pinned_is_noticed(into: Path) -> None:
    with serve(Answer(BODY), Answer(b"changed")) as server:
        first = fetch(server.url, into, digest=None)
        with pytest.raises(DigestMismatch, match=f"expected {DIGEST}"):
            fetch(server.url, into, digest=None, pinned=first.resolved)


@pytest.mark.parametrize(
    ("url", "options", "want", "message"),
    [
        pytest.param(f"store://{OTHER}", {"digest": None}, NotFound, "not in the store", id="no upload"),
        pytest.param(
            "store://latest", {"digest": None}, SourceRefused, "'latest' is no digest", id="no name"
        ),
        pytest.param(f"store://{OTHER}", {}, SourceRefused, "cannot have two digests", id="two digests"),
        pytest.param("s3://bucket", {}, SourceRefused, "names no object", id="a bucket"),
        pytest.param("https://a:b/?k=s3cret", {}, SourceRefused, "is no valid URL", id="no URL"),
        pytest.param(f"https://{'a' * 64}.com/", {}, FetchFailed, "gave up", id="no name that DNS knows"),
    ],
)
def test_source_that_cannot_be_is_refused(
    into: Path, url: str, options: dict[str, Any], want: type[SourceError], message: str
) -> None:
    with pytest.raises(want, match=message) as caught:
        fetch(url, into, **options)

    assert "s3cret" not in str(caught.value)


def test_signed_url_reaches_no_log(into: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(leading_to("/b?sig=s3cret"), Answer(BODY)) as server:
        fetch(f"{server.url}/a?sig=s3cret", into)

    assert "s3cret" not in caplog.text
