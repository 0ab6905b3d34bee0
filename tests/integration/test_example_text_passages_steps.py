"""The example's batch and realtime halves, with the real model and without Ray."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from support import text_passages

pytestmark = pytest.mark.integration

TEXT = "First things first. Second thoughts come later."


@pytest.fixture(scope="module")
def extractor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return text_passages.prepare(tmp_path_factory.mktemp("example"))[0]


@pytest.fixture(scope="module")
def service(extractor: Path) -> Any:
    return text_passages.module("realtime", extractor).InferenceService()


def test_steps_make_a_vector_of_every_passage(extractor: Path, service: Any) -> None:
    rows = run_steps(extractor, {"max_words": 4}, TEXT)

    vectors = service.run_inference({"texts": rows["text"].tolist()}, {})["embeddings"]
    assert rows["text"].tolist() == ["First things first.", "Second thoughts come later."]
    assert rows["object_id"].tolist() == ["o1", "o1"]
    np.testing.assert_allclose(np.stack(rows["passage_embedding"]), vectors, atol=1e-6)


def test_vectors_are_what_the_manifest_declares(extractor: Path) -> None:
    feature = text_passages.module("manifest", extractor).features[0]

    vector = run_steps(extractor, None, TEXT)[feature["feature_name"]][0]

    assert vector.shape == (feature["embedding_dim"],)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_text_has_the_same_vector_in_any_company(service: Any) -> None:
    texts = ["short", TEXT, "long " * 500, "", TEXT]

    together = service.run_inference({"texts": texts}, {})["embeddings"]

    alone = [service.run_inference({"text": text}, {})["embedding"] for text in texts]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_requests_answered_together_get_their_own_answers(service: Any) -> None:
    requests = [{"text": "one"}, {"texts": ["two", "three"]}, {"texts": []}, {"text": "four"}]

    together = service.run_inference_batch(requests, [{}] * len(requests))

    assert [sorted(answer) for answer in together] == [
        ["embedding"],
        ["embeddings"],
        ["embeddings"],
        ["embedding"],
    ]
    for answer, request in zip(together, requests, strict=True):
        for key, value in service.run_inference(request, {}).items():
            np.testing.assert_allclose(answer[key], value, atol=1e-6)


@pytest.mark.parametrize(
    "inputs", [{}, {"text": None}, {"text": 5}, {"texts": "abc"}, {"texts": [None]}], ids=repr
)
def test_request_without_text_says_what_to_send(inputs: dict[str, Any], service: Any) -> None:
    with pytest.raises(ValueError, match="inputs hold no text: send"):
        service.run_inference(inputs, {})


def run_steps(extractor: Path, parameters: dict[str, Any] | None, text: str) -> pd.DataFrame:
    """Run the pipeline's steps over one row, one after the other."""
    request = SimpleNamespace(extractor_config=SimpleNamespace(parameters=parameters))
    steps = text_passages.module("pipeline", extractor).build_steps(extractor_request=request)["steps"]
    batch = pd.DataFrame({"object_id": ["o1"], "mime_type": ["text/plain"], "text": [text]}, dtype=object)
    for step in steps:
        batch = step.service_class(config=step.config)(batch)
    return batch
