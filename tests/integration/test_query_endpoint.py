"""A query asks an endpoint over HTTP, and whatever answers there ends in a vector or a sentence."""

import pytest

from extractor_runtime import errors
from extractor_runtime.realtime import asgi, query_vector
from support.runs import make_manifest
from support.scripted_http import Answer, serve

pytestmark = pytest.mark.integration

MANIFEST = make_manifest()


def ask(answer: Answer) -> list[float]:
    with serve(answer) as served:
        return query_vector.ask(served.url, MANIFEST, MANIFEST.vectors[0], {"text": "tea"})


def test_vector_is_read_from_the_answer() -> None:
    assert ask(Answer(b'{"embedding": [1, 2, 3, 4]}')) == [1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("answer", "want"),
    [
        pytest.param(Answer(b"busy", status=503), "answered 503: busy", id="an error"),
        pytest.param(Answer(b"<html>"), "answered with no object of JSON", id="a page"),
        pytest.param(Answer(b"[1, 2]"), "answered with no object of JSON", id="a list"),
        pytest.param(Answer(b'{"embedding": [1, 2, 3, 4]}', cut=5), "does not answer", id="a cut answer"),
        pytest.param(Answer(b" " * (asgi.MAX_BODY + 1)), "did not end its answer", id="an endless answer"),
    ],
)
def test_other_answers_end_in_a_sentence(answer: Answer, want: str) -> None:
    with pytest.raises(errors.RunError, match=want):
        ask(answer)
