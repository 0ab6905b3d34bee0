"""A manifest that says what the archive does not keep is accepted, and told so with its line."""

import pytest

from extractor_sandbox import manifest
from support.archives import MANIFEST, extractor, judge_bytes

URI = 'feature_uri = "mixpeek://text_embed@1.0.0/text_embed_v1_embedding"'
LINES = len(MANIFEST.splitlines())
NO_VECTORS = """feature_extractor_name = "text_embed"
version = "1.0.0"
features = [{"feature_name": "label", "type": "text"}]
"""
INDEXES = NO_VECTORS + 'required_vector_indexes = [{"name": "e", "index": {"dimensions": 8}}]\n'


def said(text: str, **files: str) -> list[tuple[str, int | None, str]]:
    outcome = judge_bytes(extractor({"manifest.py": text, **files}))
    assert outcome.names is not None
    return [(each.rule, each.problem.line, each.problem.message) for each in outcome.findings]


@pytest.mark.parametrize(
    ("line", "want"),
    [
        pytest.param(URI, [], id="a URI of the feature"),
        pytest.param(URI.replace("1.0.0", "v1"), [], id="a version in another spelling"),
        pytest.param('feature_uri = "mixpeek://text_embed@1.0.0"', [], id="no feature"),
        pytest.param(
            URI.replace("/text_embed_v1_embedding", "/text_embed_v1"),
            [
                "`feature_uri` 'mixpeek://text_embed@1.0.0/text_embed_v1' names no vector of `features`: "
                "text_embed_v1_embedding"
            ],
            id="another feature",
        ),
        pytest.param(
            'feature_uri = "mixpeek://other@1.0.0"',
            ["`feature_uri` 'mixpeek://other@1.0.0' names another extractor or version"],
            id="another extractor",
        ),
        pytest.param(
            'feature_uri = "mixpeek://text_embed@2.0.0"',
            ["`feature_uri` 'mixpeek://text_embed@2.0.0' names another extractor or version"],
            id="another version",
        ),
        pytest.param(
            'feature_uri = "text_embed"', ["`feature_uri` 'text_embed' is no feature URI"], id="no URI"
        ),
        pytest.param("feature_uri = None", [], id="none"),
        pytest.param('serve_config = {"min_replicas": 1, "max_replicas": 2}', [], id="replicas"),
    ],
)
def test_a_feature_uri_names_a_feature_of_this_version(line: str, want: list[str]) -> None:
    found = said(f"{MANIFEST}{line}\n", **{"realtime.py": ""})

    assert found == [("M08", LINES + 1, message) for message in want]


@pytest.mark.parametrize(
    ("line", "want"),
    [
        pytest.param(
            URI,
            "`feature_uri` is set, but there is no realtime.py to embed queries: searches by it fail",
            id="a feature URI",
        ),
        pytest.param(
            'serve_config = {"num_replicas": 2}',
            "`serve_config` is set, but there is no realtime.py to serve",
            id="replicas",
        ),
    ],
)
def test_an_endpoint_that_is_promised_is_there(line: str, want: str) -> None:
    assert said(f"{MANIFEST}{line}\n") == [("M08", LINES + 1, want)]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param(
            NO_VECTORS,
            [("M09", 3, "no feature is a vector: nothing of it can be searched")],
            id="attributes only",
        ),
        pytest.param(
            INDEXES,
            [
                ("M09", 3, "no feature is a vector: nothing of it can be searched"),
                ("M09", 4, "`required_vector_indexes` declares vectors that `features` does not"),
            ],
            id="indexes without features",
        ),
    ],
)
def test_vectors_are_declared_as_features(text: str, want: list[tuple[str, int, str]]) -> None:
    assert said(text) == want


@pytest.mark.parametrize(
    ("line", "want"),
    [
        pytest.param('metadata = {"category": "text"}', [], id="a known word"),
        pytest.param(
            'metadata = {"category": "smells"}',
            ["`category` 'smells' is none of audio, document, image, multimodal, text, video"],
            id="an unknown category",
        ),
        pytest.param(
            'inference_type = "reranker"',
            ["`inference_type` 'reranker' is none of classify, embedding, general, generate, rerank"],
            id="an unknown inference type",
        ),
        pytest.param(
            'supported_input_types = ["text", "smell"]',
            [
                "`supported_input_types` 'smell' is none of audio, document, image, multimodal, pdf, text, "
                "video"
            ],
            id="an unknown input type",
        ),
        pytest.param("tier = 9", ["`tier` 9 is none of 1, 2, 3, 4, 5"], id="an unknown tier"),
    ],
)
def test_words_that_sort_extractors_are_known(line: str, want: list[str]) -> None:
    assert said(f"{MANIFEST}{line}\n") == [("M10", LINES + 1, message) for message in want]


def test_names_of_the_authors_own_are_silent() -> None:
    assert said(f"{MANIFEST}MY_SIZES = [1, 2]\n__all__ = ['MY_SIZES']\n") == []


def test_a_reading_names_its_vectors_in_either_dialect() -> None:
    reading = manifest.Reading(
        values={
            "features": [
                {"feature_type": "embedding", "feature_name": "a"},
                {"type": "vector", "name": "b"},
                {"type": "text", "name": "c"},
                "no feature",
            ]
        }
    )

    assert reading.vectors() == ["a", "b"]
