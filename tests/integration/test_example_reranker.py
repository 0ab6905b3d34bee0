"""The reranker example behind Ray Serve, and refused as a batch run."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from pydoc_data.topics import topics

import pytest

from extractor_runtime import loader
from extractor_runtime.errors import AuthorError
from extractor_runtime.realtime import serve
from support.example_runs import Example

pytestmark = pytest.mark.integration

NAMES = ("try", "for", "while", "with", "class", "import", "lambda", "yield", "assert", "del")


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return Example.admit("reranker", tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def url(example: Example) -> Iterator[str]:
    admitted = example.admitted
    tree = loader.Tree(admitted.tree, admitted.digest, admitted.top_folder)
    with serve.start(tree, example.manifest, port=0) as endpoint:
        yield endpoint.url


@pytest.mark.parametrize(
    ("query", "want"),
    [
        pytest.param("handlers for exceptions, and cleanup code", "try", id="try"),
        pytest.param("iterate over the elements of a sequence", "for", id="for"),
        pytest.param("find and load a module", "import", id="import"),
        pytest.param("anonymous functions", "lambda", id="lambda"),
        pytest.param("a context manager's enter and exit", "with", id="with"),
    ],
)
def test_best_document_has_the_highest_score(query: str, want: str, url: str) -> None:
    pairs = [[query, topics[name]] for name in NAMES]
    body = json.dumps({"inputs": {"pairs": pairs}}).encode()

    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=30) as response:
        scores = json.load(response)["scores"]

    assert len(scores) == len(NAMES)
    assert NAMES[scores.index(max(scores))] == want


def test_batch_run_is_refused_before_ray_starts(example: Example, tmp_path: Path) -> None:
    source = tmp_path / "texts.jsonl"
    source.write_text('{"text": "green tea"}\n')

    with pytest.raises(AuthorError, match="a reranker answers at query time only"):
        example.run(source)
