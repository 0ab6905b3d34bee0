"""An endpoint on real Ray Serve and HAProxy: what it answers, and that nothing of it stays behind."""

import concurrent.futures
import http.client
import json
import os
import re
import signal
import socket
import sys
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import endpoint

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="HAProxy and /proc are Linux's"),
]

ARCHIVE = """\
import time
from shared.plugins.inference.serve import BaseInferenceService

class TinyInferenceService(BaseInferenceService):
    def __init__(self, container=None):
        self.container = container

    async def run_inference_batch(self, inputs, parameters):
        for one in inputs:
            time.sleep(one.get("sleep", 0))
            if one.get("fail"):
                raise ValueError(one["fail"])
            if one.get("length"):
                print("x" * one["length"])
            if one.get("greet"):
                return [{"text": await self.container.secrets.get("GREETING")}]
            if one.get("scores"):
                return [{"scores": [0.5, float("nan")]}]
        return [{"vector": [0.5, 1.5], "together": len(inputs), "given": one} for one in parameters]
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINY_GREETING", "good morning")
        with endpoint.running(tmp_path_factory.mktemp("archive"), ARCHIVE) as process:
            yield endpoint.first_line(process)


def ask(url: str, body: bytes | None, method: str = "POST", **headers: str) -> tuple[int, str, bytes]:
    """Send a request and read status, content type and body of the answer."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.request(method, parts.path, body, headers)
        response = connection.getresponse()
        return response.status, response.headers["content-type"], response.read()
    finally:
        connection.close()


def answer(url: str, parameters: dict[str, Any] | None = None, **inputs: Any) -> tuple[int, dict[str, Any]]:
    status, _, body = ask(url, json.dumps({"inputs": inputs, "parameters": parameters or {}}).encode())
    return status, json.loads(body)


def test_endpoint_answers_under_the_versions_route(url: str) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/inference/custom_plugin_tiny_1_0_0", url)
    assert answer(url, {"n": 1}, text="hello") == (
        200,
        {"vector": [0.5, 1.5], "together": 1, "given": {"n": 1}},
    )


def test_haproxy_carries_the_traffic_and_listens_for_nothing_else(url: str) -> None:
    family = endpoint.family(os.getpid())

    proxies = [pid for pid, command in family.items() if "haproxy -db" in command]

    assert [endpoint.listening(pid) for pid in proxies] == [{("127.0.0.1", urllib.parse.urlsplit(url).port)}]


def test_concurrent_requests_are_given_to_the_author_together(url: str) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        first = pool.submit(answer, url, sleep=0.5)
        time.sleep(0.2)
        others = [pool.submit(answer, url) for _ in range(7)]

    assert first.result()[1]["together"] == 1
    assert [other.result()[1]["together"] for other in others] == [7] * 7


def test_computing_author_does_not_stop_the_endpoint(url: str) -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        computing = pool.submit(answer, url, sleep=1.0)
        time.sleep(0.2)
        began = time.monotonic()
        status, _, body = ask(url, None, "GET")
        took = time.monotonic() - began

        assert (status, json.loads(body)["version"]) == (200, "1.0.0")
        assert not computing.done(), f"the author was done before the other answer came after {took:.2f} s"


def test_bad_json_is_the_clients_problem(url: str) -> None:
    status, content_type, body = ask(url, b"{")

    assert (status, content_type) == (400, "application/problem+json")
    assert json.loads(body)["code"] == "invalid_json"


def test_author_error_is_told_with_its_line_and_no_traceback(url: str) -> None:
    status, problem = answer(url, fail="no such word")

    assert (status, problem) == (
        500,
        {
            "type": "about:blank",
            "title": "Internal Server Error",
            "status": 500,
            "code": "author_error",
            "detail": "run_inference_batch raised ValueError: no such word",
            "location": "realtime.py:12",
        },
    )


def test_replica_finds_the_secrets_that_it_was_told_of(url: str) -> None:
    assert answer(url, greet=True) == (200, {"text": "good morning"})


def test_not_a_number_is_an_error_and_not_null(url: str) -> None:
    status, problem = answer(url, scores=True)

    assert (status, problem["code"]) == (500, "author_error")
    assert problem["detail"] == "'scores[1]' is nan, which JSON does not have"


def test_megabytes_that_the_author_prints_do_not_stop_the_endpoint(url: str) -> None:
    assert answer(url, length=50 << 20)[0] == 200


def test_path_without_an_extractor_is_a_problem(url: str) -> None:
    status, content_type, body = ask(f"{url}_not", b"{}")

    assert (status, content_type) == (404, "application/problem+json")
    assert json.loads(body)["code"] == "not_found"


def test_too_large_a_body_is_refused_before_it_is_sent(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    connection.putrequest("POST", parts.path)
    connection.putheader("content-length", str(1 << 30))
    connection.endheaders()

    response = connection.getresponse()

    assert (response.status, json.loads(response.read())["code"]) == (413, "body_too_large")
    connection.close()


def test_request_ends_at_its_deadline_even_of_a_replica_that_stands_still(tmp_path: Path) -> None:
    with endpoint.running(tmp_path, ARCHIVE, request_seconds="0.5") as process:
        url = endpoint.first_line(process)

        status, problem = answer(url, sleep=1.0)

        assert (status, problem["code"]) == (504, "deadline_exceeded")
        assert endpoint.eventually(lambda: answer(url)[0] == 200)

        # HAProxy has a deadline of its own: a replica that stands still does not tell.
        replicas = [pid for pid, line in endpoint.family(process.pid).items() if "ServeReplica" in line]
        for pid in replicas:
            os.kill(pid, signal.SIGSTOP)
        assert ask(url, b"{}")[:2] == (504, "application/problem+json")
        for pid in replicas:
            os.kill(pid, signal.SIGCONT)
        assert endpoint.eventually(lambda: answer(url)[0] == 200)
        assert all(map(endpoint.is_alive, replicas))


def test_constructor_that_raises_is_told_with_its_line(tmp_path: Path) -> None:
    source = ARCHIVE + "    def __init__(self):\n        raise OSError('no weights')\n"

    with endpoint.running(tmp_path, source) as process:
        assert endpoint.first_line(process) == (
            "AuthorError: realtime.py:21: TinyInferenceService() raised OSError: no weights"
        )
        assert process.wait(timeout=20) == 1


def test_port_in_use_is_told_before_ray_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with endpoint.running(tmp_path, ARCHIVE, port=str(port)) as process:
            said = endpoint.first_line(process)

    assert said.startswith(f"AddressError: cannot listen on 127.0.0.1:{port}: Address already in use")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_nothing_is_left_after(how: signal.Signals, tmp_path: Path) -> None:
    with endpoint.running(tmp_path, ARCHIVE) as process:
        url = endpoint.first_line(process)
        family = endpoint.family(process.pid)
        assert any("haproxy -db" in command for command in family.values())

        process.send_signal(how)
        process.wait(timeout=20)

        assert endpoint.eventually(lambda: not any(map(endpoint.is_alive, family)))
        with pytest.raises(ConnectionRefusedError):
            ask(url, None, "GET")
