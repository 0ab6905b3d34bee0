"""The llm_tagger example against a server that speaks a model's protocol."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from extractor_apis.run import DeadLetter, RunState
from support import llm_server
from support.example_runs import Example
from support.llm_server import Fault, LLMServer

pytestmark = pytest.mark.integration

TEXTS = [f"Text number {number} is about green tea." for number in range(12)]
TAGS = {"topics": ["tea", "farming"], "language": "en", "summary": "Tea is green."}


@pytest.fixture(scope="module")
def server() -> Iterator[LLMServer]:
    """A model that always says the same, after it has thought; its first answer is an error of its own."""
    with llm_server.serve() as server:
        server.answer, server.seconds = TAGS, 0.2
        server.faults = [Fault(status=500, body=b"{}")]
        yield server


@pytest.fixture(scope="module")
def ran(server: LLMServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Example, RunState]:
    """The example, run over texts and an object that has none."""
    folder = tmp_path_factory.mktemp("llm_tagger")
    source = folder / "texts.jsonl"
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in [*TEXTS, ""]))
    example = Example.admit("llm_tagger", folder / "store")
    endpoint = {"style": "openai", "base_url": f"{server.url}/v1", "model": "small"}

    state = example.run(source, services={"llm": {"openai": endpoint}}, parameters={"concurrent": 4})

    return example, state


def test_documents_have_what_the_model_says(ran: tuple[Example, RunState]) -> None:
    example, state = ran

    documents = example.documents()

    assert sorted(document["data"] for document in documents) == sorted(TEXTS)
    assert state.documents == len(TEXTS)
    for document in documents:
        assert {name: document[name] for name in TAGS} == TAGS


def test_texts_are_asked_about_several_at_a_time(ran: tuple[Example, RunState], server: LLMServer) -> None:
    assert 2 <= server.most_at_once <= 8


def test_no_text_is_paid_for_twice_although_its_batch_came_again(
    ran: tuple[Example, RunState], server: LLMServer
) -> None:
    asked = [json.dumps(request.body) for request in server.asked]

    times = [sum(text in question for question in asked) for text in TEXTS]

    # One is asked about again: the model's first answer was an error.
    assert sorted(times) == [1] * (len(TEXTS) - 1) + [2]


def test_object_without_text_is_a_dead_letter_that_says_so(ran: tuple[Example, RunState]) -> None:
    example, state = ran

    [file] = Path(example.store).glob("runs/*/dead-letters/*")
    [letter] = [DeadLetter.model_validate_json(line) for line in file.read_text().splitlines()]

    assert "there is no text to tag" in letter.error
    assert letter.location is not None and letter.location.startswith("processors/tags.py:")
    assert state.objects_failed == 1


def test_run_says_what_it_consumed(ran: tuple[Example, RunState]) -> None:
    _, state = ran

    assert state.usage.requests == len(TEXTS)
    assert state.usage.input_tokens == len(TEXTS) * llm_server.INPUT_TOKENS
    assert state.usage.credits > 0
