"""The near_duplicates example: an edited text is found by the fingerprint of what it was made from."""

import json
from pathlib import Path
from pydoc_data.topics import topics

import pytest

from support.example_runs import Example

pytestmark = pytest.mark.integration

ORIGINALS = sorted(name for name in topics if 1000 < len(topics[name]) < 10_000)[:25]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    """The example, run over help topics, an edited copy of each, and a text without words."""
    folder = tmp_path_factory.mktemp("near_duplicates")
    texts = {name: topics[name] for name in ORIGINALS}
    texts |= {f"{name}-edited": edited(topics[name]) for name in ORIGINALS}
    texts["no words"] = "… !"
    source = folder / "texts.jsonl"
    source.write_text("".join(json.dumps({"id": key, "text": text}) + "\n" for key, text in texts.items()))
    example = Example.admit("near_duplicates", folder / "store")

    state = example.run(source)

    assert (state.documents, state.objects_failed) == (2 * len(ORIGINALS), 1)
    return example


def edited(text: str) -> str:
    """Leave out every fortieth word, and write the others in capitals."""
    return " ".join(word for number, word in enumerate(text.upper().split(), 1) if number % 40)


def test_edited_copy_is_the_nearest_to_its_original(example: Example) -> None:
    fingerprints = {
        row["object_id"]: row["fingerprint"] for row in example.stored("object_id", "fingerprint")
    }

    hits = example.nearest("fingerprint", [fingerprints[name] for name in ORIGINALS], limit=3)

    for name, (same, copy, other) in zip(ORIGINALS, hits, strict=True):
        assert (same.object_id, same.score) == (name, pytest.approx(1, abs=1e-5))
        assert copy.object_id == f"{name}-edited"
        assert copy.score > 0.8 > other.score


def test_document_has_the_statistics(example: Example) -> None:
    documents = {document["object_id"]: document for document in example.documents()}

    for name in ORIGINALS:
        text, document = topics[name], documents[name]
        assert (document["characters"], document["words"]) == (len(text), len(text.split()))
        assert document["lines"] == text.count("\n") + 1


def test_extractor_declares_no_realtime_half(example: Example) -> None:
    assert example.manifest.feature_uri is None
    assert not Path(example.admitted.tree, "realtime.py").exists()
