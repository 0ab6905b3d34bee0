"""The request that `extractor serve` suggests."""

import json
from typing import Any

import pytest

from extractor_cli import serve
from support.runs import make_manifest

PAIRS = {"pairs": [["tea", "it's green tea"]]}


@pytest.mark.parametrize(
    ("given", "want"),
    [
        pytest.param(PAIRS, PAIRS, id="the manifest's example"),
        pytest.param({"inputs": PAIRS}, PAIRS, id="an example that is a whole request"),
        pytest.param(None, {"text": "hello"}, id="a text without an example"),
        pytest.param("tea", {"text": "hello"}, id="a text where the example has no names"),
        pytest.param({"text": "x" * 400}, {"text": "hello"}, id="a text where the example is long"),
    ],
)
def test_the_inputs_that_serve_suggests_are(given: Any, want: dict[str, Any]) -> None:
    assert json.loads(serve.example(make_manifest(example_input=given))) == {"inputs": want}
