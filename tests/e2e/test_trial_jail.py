"""`extractor test` runs code that nobody vouches for: it finds neither the user's files nor the network."""

import contextlib
import http.server
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from extractor_runtime.trial.verdict import TrialReport
from support.archives import MANIFEST, PIPELINE
from support.command import extractor

pytestmark = pytest.mark.e2e

CURIOUS = """
import os
from pathlib import Path

import requests


def attempt(what, *given):
    try:
        return str(what(*given))
    except Exception as error:
        return type(error).__name__


class InferenceService:
    def run_inference(self, inputs, parameters):
        raise ValueError(" ".join([
            "file=" + attempt(Path(parameters["secret"]).read_text),
            "home=" + attempt(os.listdir, parameters["home"]),
            "variable=" + attempt(os.environ.get, "AWS_SECRET_ACCESS_KEY"),
            "write=" + attempt(Path(parameters["secret"]).write_text, "overwritten"),
            "network=" + attempt(lambda: requests.get(parameters["url"], timeout=5).text),
        ]))
"""


class _Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hello) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize(
    ("options", "want"),
    [
        pytest.param([], "ConnectionError", id="without a network"),
        pytest.param(["--network"], "hello", id="with one"),
    ],
)
def test_curious_code_finds_nothing(tmp_path: Path, url: str, options: list[str], want: str) -> None:
    folder, secret = tmp_path / "curious", tmp_path / "secret"
    folder.mkdir()
    manifest = MANIFEST + 'example_input = {"pairs": [["green", "tea"]]}\n'
    for name, text in {"manifest.py": manifest, "pipeline.py": PIPELINE, "realtime.py": CURIOUS}.items():
        (folder / name).write_text(text)
    secret.write_text("the user's own")
    parameters = [f"secret={secret}", f"home={Path.home()}", f"url={url}"]

    with variable("AWS_SECRET_ACCESS_KEY", "hunter2"):
        done = extractor(
            *("test", "curious", "-o", "json", *options),
            *(each for parameter in parameters for each in ("-p", parameter)),
            cwd=tmp_path,
        )

    [finding] = [
        each for each in TrialReport.model_validate(json.loads(done.stdout)).findings if each.rule == "T05"
    ]
    said = dict(each.split("=") for each in finding.message.partition("ValueError: ")[2].split())
    assert {said.pop(name) for name in ("file", "home", "write")} <= {"FileNotFoundError", "PermissionError"}
    assert said == {"variable": "None", "network": want}
    assert secret.read_text() == "the user's own"
    assert ("add --network" in done.stderr) is (not options)


@contextlib.contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
