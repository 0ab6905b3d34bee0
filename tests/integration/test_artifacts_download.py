import logging
import re
from pathlib import Path

import pytest

from extractor_artifacts import digest, download, fetch
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.login import Fixed
from extractor_artifacts.patience import Patience
from extractor_artifacts.spool import Spool
from support.scripted_http import Answer, serve

pytestmark = pytest.mark.integration

BODY = bytes(range(256)) * 4096
TAGGED = {"ETag": '"1"'}
HASTY = Patience(connect=2, read=2, total=5, attempts=3, pause=0.001, longest_pause=0.01)


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "archive.zip"


def rest(start: int, **headers: str) -> Answer:
    content_range = f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"
    return Answer(BODY[start:], 206, {"Content-Range": content_range, **TAGGED, **headers})


def leading_to(location: str) -> Answer:
    return Answer(status=302, headers={"Location": location})


def test_download_is_the_file_and_its_digest(into: Path) -> None:
    with serve(Answer(BODY)) as server:
        fetched = fetch(f"{server.url}/a.zip", into, patience=HASTY)

    assert into.read_bytes() == BODY
    assert fetched.digest == digest.of_file(into)
    assert fetched.size == len(BODY)


def test_compressed_transfer_is_neither_asked_for_nor_undone(into: Path) -> None:
    with serve(Answer(BODY, headers={"Content-Encoding": "gzip"})) as server:
        fetch(server.url, into, patience=HASTY)

    assert server.requests[0]["accept-encoding"] == "identity"
    assert into.read_bytes() == BODY


def test_broken_connection_is_resumed_where_it_broke(into: Path) -> None:
    with serve(Answer(BODY, headers=TAGGED, cut=1000), rest(1000)) as server:
        fetch(server.url, into, patience=HASTY)

    assert into.read_bytes() == BODY
    assert server.requests[1]["range"] == "bytes=1000-"
    assert server.requests[1]["if-range"] == '"1"'


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(Answer(BODY), id="the server sends the whole file"),
        pytest.param(rest(0), id="the server sends another part"),
        pytest.param(Answer(status=416), id="the server has no such part"),
    ],
)
def test_resume_that_is_not_granted_starts_over(into: Path, second: Answer) -> None:
    with serve(Answer(b"x" * len(BODY), headers=TAGGED, cut=1000), second, Answer(BODY)) as server:
        fetch(server.url, into, patience=HASTY)

    assert into.read_bytes() == BODY


@pytest.mark.parametrize("headers", [{}, {"ETag": 'W/"1"'}], ids=["no validator", "a weak one"])
def test_file_that_may_have_changed_is_not_resumed(into: Path, headers: dict[str, str]) -> None:
    with serve(Answer(BODY, headers=headers, cut=1000), Answer(BODY)) as server:
        fetch(server.url, into, patience=HASTY)

    assert "range" not in server.requests[1]
    assert into.read_bytes() == BODY


@pytest.mark.parametrize(
    "busy",
    [
        pytest.param(Answer(status=503), id="no Retry-After"),
        pytest.param(Answer(status=429, headers={"Retry-After": "0"}), id="seconds"),
        pytest.param(
            Answer(status=503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), id="a past date"
        ),
        pytest.param(Answer(status=503, headers={"Retry-After": "9999999"}), id="longer than we wait"),
        pytest.param(Answer(status=503, headers={"Retry-After": "soon"}), id="nonsense"),
    ],
)
def test_busy_server_is_asked_again(into: Path, busy: Answer) -> None:
    with serve(busy, busy, Answer(BODY)) as server:
        fetch(server.url, into, patience=HASTY)

    assert into.read_bytes() == BODY


def test_who_waits_for_a_busy_server_is_told_each_time(into: Path, caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.WARNING, "extractor_artifacts"),
        serve(Answer(status=503), Answer(status=429), Answer(BODY)) as server,
    ):
        fetch(f"{server.url}?signature=secret", into, patience=HASTY)

    said = [record.getMessage() for record in caplog.records]
    assert [re.sub(r"in [0-9.]+ s", "in … s", each) for each in said] == [
        f"cannot read {server.url}: HTTP 503; trying again in … s",
        f"cannot read {server.url}: HTTP 429; trying again in … s",
    ]


def test_progress_starts_the_count_of_attempts_again(into: Path) -> None:
    parts = [rest(start) for start in range(1, 6)]
    cut = [Answer(part.body, part.status, part.headers, cut=1) for part in parts[:-1]]
    with serve(Answer(BODY, headers=TAGGED, cut=1), *cut, parts[-1]) as server:
        fetch(server.url, into, patience=HASTY)

    assert len(server.requests) == 6
    assert into.read_bytes() == BODY


def test_redirect_is_followed(into: Path) -> None:
    with serve(Answer(status=302, headers={"Location": "/elsewhere?sig=1"}), Answer(BODY)) as server:
        fetch(f"{server.url}/a.zip", into, patience=HASTY)

    assert [request[":path"] for request in server.requests] == ["/a.zip", "/elsewhere?sig=1"]


@pytest.mark.parametrize(
    ("answer", "options", "want"),
    [
        pytest.param(Answer(status=404), {}, "HTTP 404, nothing is there; check the URL", id="missing"),
        pytest.param(Answer(status=403), {}, "HTTP 403, access is refused, or the link", id="expired"),
        pytest.param(Answer(status=503), {}, "HTTP 503; gave up after 3 attempts", id="busy for good"),
        pytest.param(Answer(BODY, cut=0), {}, "gave up after 3 attempts", id="breaks for good"),
        pytest.param(Answer(BODY), {"max_bytes": 9}, "is larger than 9 bytes", id="too big, it says"),
        pytest.param(
            Answer(BODY, headers={"Content-Length": "1"}),
            {"digest": "sha256:" + "0" * 64},
            "digest mismatch for",
            id="other bytes",
        ),
        pytest.param(leading_to("http://far/?k=s3cret"), {}, "refused to read http://far/:", id="in clear"),
        pytest.param(leading_to("file:///etc/passwd"), {}, "redirects to file:, which is", id="to a file"),
        pytest.param(leading_to("/"), {}, "redirects more than 5 times", id="leads in circles"),
        pytest.param(leading_to("http://a:b/?k=s3cret"), {}, "is no valid URL", id="leads to no URL"),
    ],
)
def test_failure_is_a_sentence_without_secrets_and_leaves_nothing(
    into: Path, answer: Answer, options: dict[str, object], want: str
) -> None:
    with serve(answer) as server, pytest.raises(ArtifactError) as caught:
        fetch(f"{server.url}/a.zip?k=s3cret", into, patience=HASTY, **options)  # type: ignore[arg-type]

    assert want in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert not list(into.parent.iterdir())


def test_server_that_hides_the_size_is_cut_off_at_the_limit(into: Path) -> None:
    chunked = Answer(b"400\r\n" + b"x" * 1024 + b"\r\n0\r\n\r\n", headers={"Transfer-Encoding": "chunked"})
    with serve(chunked) as server, pytest.raises(ArtifactError, match="is larger than 1,000 bytes"):
        fetch(server.url, into, max_bytes=1000, patience=HASTY)


def test_server_that_drips_is_given_up_at_the_deadline(into: Path) -> None:
    patience = Patience(total=0.3)
    with serve(Answer(BODY, drip=0.01)) as server, pytest.raises(ArtifactError, match=r"gave up after 0.3 s"):
        fetch(server.url, into, patience=patience)


def test_server_that_is_silent_is_given_up(into: Path) -> None:
    patience = Patience(read=0.05, attempts=2, pause=0.001)
    with (
        serve(Answer(BODY, drip=5)) as server,
        pytest.raises(ArtifactError, match="gave up after 2"),
    ):
        fetch(server.url, into, patience=patience)


def test_login_is_sent_again_with_a_resume_but_not_to_another_server(into: Path) -> None:
    with serve(rest(1000)) as elsewhere:
        moved = leading_to(elsewhere.url)
        with (
            serve(Answer(BODY, headers=TAGGED, cut=1000), moved) as server,
            Spool(into, origin="here", max_bytes=len(BODY)) as spool,
        ):
            download.download(
                server.url, spool, plain_http=True, patience=HASTY, login=Fixed("Bearer s3cret")
            )
            assert spool.digest == digest.of_bytes(BODY)

    assert [request.get("authorization") for request in server.requests] == ["Bearer s3cret"] * 2
    assert [request.get("authorization") for request in elsewhere.requests] == [None]
    assert elsewhere.requests[0]["range"] == "bytes=1000-"
