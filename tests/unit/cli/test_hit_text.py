"""A found document is told as what it is: its text, or the file, the time in it, and what is known."""

from typing import Any

import pytest

from extractor_cli import hit_text

IDS = {"document_id": "doc_1", "object_id": "o", "collection_id": "default"}


@pytest.mark.parametrize(
    ("document", "want"),
    [
        pytest.param(
            {"mime_type": "text/plain", "data": "Green  tea\nis green", "words": 4},
            ["1. 0.5000  o", "   Green tea is green"],
            id="a text",
        ),
        pytest.param(
            {"mime_type": "text/plain", "data": "all of it", "text": "a passage"},
            ["1. 0.5000  o", "   a passage"],
            id="a passage",
        ),
        pytest.param(
            {"mime_type": "image/png", "data": "/p/a.png", "width": 8, "shade": 0.123456, "gone": None},
            ["1. 0.5000  o", "   /p/a.png", "   width: 8, shade: 0.1235"],
            id="a picture and its attributes",
        ),
        pytest.param(
            {
                "mime_type": "video/mp4",
                "data": "/p/a.mp4",
                "start_time": 1.5,
                "end_time": 60,
                "vector": [0.1] * 9,
            },
            ["1. 0.5000  o  1.5 to 60 s", "   /p/a.mp4"],
            id="a scene, without its wall of numbers",
        ),
        pytest.param(
            {"mime_type": "audio/wav", "data": "/p/a.wav", "text": "hello"},
            ["1. 0.5000  o", "   /p/a.wav", "   hello"],
            id="a recording with its words",
        ),
    ],
)
def test_a_document_is_told_as_what_it_is(document: dict[str, Any], want: list[str]) -> None:
    assert hit_text.describe(1, 0.5, {**IDS, **document}).splitlines() == want
