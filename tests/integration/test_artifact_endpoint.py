"""The artifact endpoint over real sockets: what it gives, what it takes, and what it puts up with."""

import contextlib
import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from extractor_artifacts import digest
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.hand_in import HandInRefused, hand_in
from extractor_artifacts.login import Fixed
from extractor_artifacts.patience import Patience
from extractor_operator.endpoint.capability import Verb
from support import exchanges, operators, scripted_http
from support.exchanges import World

pytestmark = pytest.mark.integration

CONTENT = os.urandom(300_000)
ARTIFACT = "/v1/team/uid-1/artifact"
REPORT = "/v1/team/uid-1/report"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with exchanges.run(tmp_path) as made:
        made.add("uid-1")
        made.add("uid-2", "other")
        yield made


@pytest.fixture
def reader(world: World) -> str:
    return world.token("uid-1", Verb.READ)


@pytest.fixture
def scanner(world: World) -> str:
    world.errands.open("uid-1", Verb.SCAN, "now", {"source": CONTENT})
    return world.token("uid-1", Verb.SCAN, "now")


def code(answer: exchanges.Answer) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    said = json.loads(answer.body)
    assert said["status"] == answer.status and said["detail"]
    return answer.status, said["code"]


def test_what_is_kept_of_a_version_is_sent_under_its_digest(world: World, reader: str) -> None:
    found = world.shelve("uid-1", "artifact", CONTENT)

    answer = world.ask("GET", ARTIFACT, reader)

    assert (answer.status, answer.body) == (200, CONTENT)
    assert answer.headers["etag"] == f'"{found}"'
    assert answer.headers["content-length"] == str(len(CONTENT))


def test_an_empty_file_is_sent_too(world: World, reader: str) -> None:
    world.shelve("uid-1", "artifact", b"")

    assert world.ask("GET", ARTIFACT, reader).body == b""


def test_the_headers_are_told_alone(world: World, reader: str) -> None:
    world.shelve("uid-1", "artifact", CONTENT)

    answer = world.ask("HEAD", ARTIFACT, reader)

    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "300000", b"")


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        pytest.param("bytes=100-", 206, slice(100, None), id="from a byte on"),
        pytest.param("bytes=100-199", 206, slice(100, 200), id="from one byte to another"),
        pytest.param("bytes=-10", 206, slice(-10, None), id="the last bytes"),
        pytest.param("bytes=0-", 200, slice(None), id="all of it"),
        pytest.param("bytes=299999-999999", 206, slice(299_999, None), id="beyond the end"),
        pytest.param("lines=1-2", 200, slice(None), id="in units that nobody knows"),
    ],
)
def test_a_part_is_sent_where_a_part_is_asked_for(
    world: World, reader: str, asked: str, status: int, part: slice
) -> None:
    world.shelve("uid-1", "artifact", CONTENT)

    answer = world.ask("GET", ARTIFACT, reader, headers={"Range": asked})

    assert (answer.status, answer.body) == (status, CONTENT[part])


def test_a_range_without_any_byte_is_refused(world: World, reader: str) -> None:
    world.shelve("uid-1", "artifact", CONTENT)

    answer = world.ask("GET", ARTIFACT, reader, headers={"Range": "bytes=300000-"})

    assert code(answer) == (416, "range-not-satisfiable")


@pytest.mark.parametrize(
    "is_same", [pytest.param(True, id="is the same"), pytest.param(False, id="is another")]
)
def test_a_part_is_only_sent_of_the_file_that_was_begun(world: World, reader: str, is_same: bool) -> None:
    found = world.shelve("uid-1", "artifact", CONTENT)
    known = found if is_same else "sha256:" + "0" * 64

    answer = world.ask("GET", ARTIFACT, reader, headers={"Range": "bytes=5-", "If-Range": f'"{known}"'})

    assert (answer.status, answer.body) == ((206, CONTENT[5:]) if is_same else (200, CONTENT))


@pytest.mark.parametrize(
    ("path", "token", "want"),
    [
        pytest.param(ARTIFACT, None, (401, "unauthorized"), id="no capability"),
        pytest.param(ARTIFACT, "guessed", (401, "unauthorized"), id="a guessed capability"),
        pytest.param("/v1/other/uid-2/artifact", "own", (401, "unauthorized"), id="another tenant's version"),
        pytest.param(
            "/v1/team/uid-2/artifact", "own", (401, "unauthorized"), id="its uid in another namespace"
        ),
        pytest.param("/v1/team/uid-1/source", "own", (401, "unauthorized"), id="what only a scan may have"),
        pytest.param(ARTIFACT, "own", (404, "not-there"), id="what is not there yet"),
        pytest.param("/v1/team/uid-1/key", "own", (404, "no-such-path"), id="what is nothing"),
        pytest.param("/v1/team/gone/artifact", "gone", (404, "version-gone"), id="a version that is gone"),
    ],
)
def test_what_may_not_be_read_is_refused_with_a_sentence(
    world: World, reader: str, path: str, token: str | None, want: tuple[int, str]
) -> None:
    known = {"own": reader, "gone": world.token("gone", Verb.READ)}

    assert code(world.ask("GET", path, known.get(token or "", token))) == want


def test_what_is_handed_in_is_there_whole_and_told(world: World, scanner: str) -> None:
    canonical = world.put("/v1/team/uid-1/canonical", scanner, CONTENT)
    told = list(world.arrived)
    report = world.put(REPORT, scanner, b"{}")

    errand = world.errands.find("uid-1", Verb.SCAN)
    assert (canonical.status, told, report.status, world.arrived) == (204, [], 204, ["uid-1"])
    assert errand and {each.name for each in errand.folder.iterdir()} == {
        "source",
        "opened",
        "canonical",
        "report",
    }
    assert (errand.folder / "canonical").read_bytes() == CONTENT


def test_a_scan_is_given_its_source(world: World, scanner: str) -> None:
    assert world.ask("GET", "/v1/team/uid-1/source", scanner).body == CONTENT


@pytest.mark.parametrize(
    ("headers", "want"),
    [
        pytest.param({}, (400, "digest-required"), id="without a digest"),
        pytest.param({"Content-Digest": "sha-256=:AAAA"}, (400, "digest-required"), id="with half of one"),
        pytest.param(exchanges.content_digest(b"other"), (400, "digest-mismatch"), id="with another digest"),
        pytest.param(
            {**exchanges.content_digest(b"{}"), "Content-Length": str(17 << 20)},
            (413, "too-large"),
            id="larger than it may be",
        ),
        pytest.param(
            {**exchanges.content_digest(b"{}"), "Transfer-Encoding": "chunked"},
            (411, "length-required"),
            id="without a length",
        ),
    ],
)
def test_what_is_not_what_it_should_be_is_not_taken(
    world: World, scanner: str, headers: dict[str, str], want: tuple[int, str]
) -> None:
    body = b"0\r\n\r\n" if "Transfer-Encoding" in headers else b"{}"

    answer = world.ask("PUT", REPORT, scanner, body, headers)

    errand = world.errands.find("uid-1", Verb.SCAN)
    assert code(answer) == want
    assert errand and errand.file("report") is None and world.arrived == []


@pytest.mark.parametrize(
    ("verb", "errand", "want"),
    [
        pytest.param(Verb.SCAN, "before", (409, "errand-over"), id="for an errand that is over"),
        pytest.param(Verb.READ, "", (401, "unauthorized"), id="by who may only read"),
        pytest.param(Verb.ENVIRONMENT, "now", (401, "unauthorized"), id="by who makes environments"),
    ],
)
def test_only_the_job_that_is_waited_for_hands_in(
    world: World, scanner: str, verb: Verb, errand: str, want: tuple[int, str]
) -> None:
    assert code(world.put(REPORT, world.token("uid-1", verb, errand), b"{}")) == want


def test_half_of_a_file_is_nothing(world: World, scanner: str) -> None:
    with socket.create_connection(("127.0.0.1", world.port)) as half:
        half.sendall(_head("PUT", "/v1/team/uid-1/canonical", scanner, CONTENT) + CONTENT[:1000])
        time.sleep(0.2)

    again = operators.eventually(
        lambda: world.put("/v1/team/uid-1/canonical", scanner, CONTENT), lambda answer: answer.status != 503
    )
    errand = world.errands.find("uid-1", Verb.SCAN)
    assert again.status == 204
    assert errand and {each.name for each in errand.folder.iterdir()} == {"source", "opened", "canonical"}


def test_a_file_is_handed_in_once_at_a_time(world: World, scanner: str) -> None:
    with socket.create_connection(("127.0.0.1", world.port)) as first:
        first.sendall(_head("PUT", REPORT, scanner, CONTENT) + CONTENT[:1000])
        time.sleep(0.2)

        second = world.put(REPORT, scanner, CONTENT)

        assert code(second) == (503, "busy") and second.headers["retry-after"] == "2"


def test_who_is_too_slow_is_cut_off(tmp_path: Path) -> None:
    with exchanges.run(tmp_path, seconds=0.3) as world:
        world.add("uid-1")
        world.errands.open("uid-1", Verb.SCAN, "now", {})
        head = _head("PUT", REPORT, world.token("uid-1", Verb.SCAN, "now"), CONTENT)
        with socket.create_connection(("127.0.0.1", world.port), timeout=10) as slow:
            slow.sendall(head + CONTENT[:10])

            assert _count_until_the_end(slow) == 0


def test_who_does_not_read_is_cut_off(tmp_path: Path) -> None:
    size = 64 << 20
    with exchanges.run(tmp_path, seconds=0.3) as world:
        world.add("uid-1")
        world.shelve("uid-1", "artifact", bytes(size))
        head = _head("GET", ARTIFACT, world.token("uid-1", Verb.READ), b"")
        with socket.create_connection(("127.0.0.1", world.port), timeout=10) as slow:
            slow.sendall(head)
            time.sleep(0.6)

            assert _count_until_the_end(slow) < size


def test_a_tenant_who_takes_half_of_the_endpoint_leaves_the_other_half(tmp_path: Path) -> None:
    with exchanges.run(tmp_path, requests=4) as world, ThreadPoolExecutor(2) as threads:
        for uid, namespace in (("uid-1", "team"), ("uid-2", "other")):
            world.add(uid, namespace)
            world.shelve(uid, "artifact", CONTENT)
        world.errands.open("uid-1", Verb.SCAN, "now", {})
        token = world.token("uid-1", Verb.SCAN, "now")
        held = [socket.create_connection(("127.0.0.1", world.port)) for _ in range(2)]
        for each, path in zip(held, (REPORT, "/v1/team/uid-1/canonical"), strict=True):
            each.sendall(_head("PUT", path, token, CONTENT) + CONTENT[:10])
        time.sleep(0.3)

        same = threads.submit(world.ask, "GET", ARTIFACT, world.token("uid-1", Verb.READ)).result()
        other_token = world.token("uid-2", Verb.READ, namespace="other")
        other = threads.submit(world.ask, "GET", "/v1/other/uid-2/artifact", other_token).result()
        for each in held:
            each.close()

    assert code(same) == (503, "busy") and same.headers["retry-after"] == "2"
    assert other.status == 200


def test_a_capability_is_in_no_log(world: World, scanner: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    world.put(REPORT, scanner, b"{}")
    world.ask("GET", ARTIFACT, scanner)
    world.ask("GET", "/v1/%00/..%2f/source", scanner)

    assert scanner not in caplog.text and scanner.rpartition(".")[2] not in caplog.text


def test_a_job_hands_in_with_patience(world: World, scanner: str, tmp_path: Path) -> None:
    file = tmp_path / "canonical.zip"
    file.write_bytes(CONTENT)

    hand_in(
        file, f"{world.url}/v1/team/uid-1/canonical", login=Fixed(f"Bearer {scanner}"), patience=Patience()
    )

    errand = world.errands.find("uid-1", Verb.SCAN)
    assert errand and digest.of_file(errand.folder / "canonical") == digest.of_bytes(CONTENT)


def test_a_job_that_comes_too_late_is_told_why(world: World, scanner: str, tmp_path: Path) -> None:
    file = tmp_path / "report"
    file.write_bytes(b"{}")
    late = Fixed(f"Bearer {world.token('uid-1', Verb.SCAN, 'before')}")

    with pytest.raises(HandInRefused, match="HTTP 409, nobody waits for this scan of") as caught:
        hand_in(file, f"{world.url}{REPORT}", login=late, patience=Patience())

    assert "Bearer" not in str(caught.value)


def test_a_job_gives_up_when_nobody_takes_what_it_brings(tmp_path: Path) -> None:
    file = tmp_path / "report"
    file.write_bytes(b"{}")
    busy = scripted_http.Answer(status=503, headers={"Retry-After": "0"})

    with (
        scripted_http.serve(busy) as served,
        pytest.raises(ArtifactError, match=r"HTTP 501.*|after 2 attempts"),
    ):
        hand_in(file, f"{served.url}/x", login=Fixed(), patience=Patience(attempts=2, pause=0.01))


def _head(method: str, path: str, token: str, body: bytes) -> bytes:
    said = {"Host": "x", "Authorization": f"Bearer {token}", "Content-Length": str(len(body))}
    lines = [f"{name}: {value}" for name, value in {**said, **exchanges.content_digest(body)}.items()]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode()


def _count_until_the_end(connection: socket.socket) -> int:
    """Read until the other side ends it, however it does; a time-out is an error."""
    count = 0
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(1 << 20):
            count += len(piece)
    return count
