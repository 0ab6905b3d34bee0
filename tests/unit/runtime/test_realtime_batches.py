"""Requests that come together are answered together, by classes that can."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from extractor_runtime import errors
from support import realtime_services
from support.realtime_services import Load, ask


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    with realtime_services.loading(tmp_path) as load:
        yield load


BATCHES = """
    class TextInferenceService:
        def run_inference_batch(self, inputs, parameters):
            if any(one["text"] == "bad" for one in inputs):
                raise ValueError("a bad text")
            return [{"together": len(inputs)} for one in inputs]
    """


def test_requests_that_come_during_a_batch_go_together(load: Load) -> None:
    service = load(BATCHES)

    async def ask_all() -> list[int]:
        answers = await asyncio.gather(*(service.answer({"text": str(n)}, {}) for n in range(9)))
        return [answer["together"] for answer in answers]

    assert service.batches
    # The drain task starts after all nine have been submitted.
    assert asyncio.run(ask_all()) == [9] * 9


def test_batch_is_no_larger_than_the_profile_says(load: Load) -> None:
    service = load(BATCHES, compute_profile={"batch_size": 2})

    async def ask_all() -> list[int]:
        answers = await asyncio.gather(*(service.answer({"text": str(n)}, {}) for n in range(3)))
        return [answer["together"] for answer in answers]

    assert asyncio.run(ask_all()) == [2, 2, 1]


def test_bad_request_of_a_batch_fails_alone(load: Load) -> None:
    service = load(BATCHES)

    async def ask_all() -> list[Any]:
        texts = ("good", "bad", "good")
        return await asyncio.gather(
            *(service.answer({"text": one}, {}) for one in texts), return_exceptions=True
        )

    first, second, third = asyncio.run(ask_all())
    assert (first, third) == ({"together": 1}, {"together": 1})
    assert str(second) == "realtime.py:4: run_inference_batch raised ValueError: a bad text"


def test_batch_that_changes_its_inputs_and_fails_is_asked_again_with_the_first_ones(load: Load) -> None:
    service = load(
        """
        class TextInferenceService:
            def run_inference_batch(self, inputs, parameters):
                texts = [one["deep"].pop() for one in inputs]
                if len(texts) > 1:
                    raise ValueError
                return [{"text": text} for text in texts]
        """
    )

    async def ask_both() -> list[dict[str, Any]]:
        return await asyncio.gather(*(service.answer({"deep": [text]}, {}) for text in "ab"))

    assert asyncio.run(ask_both()) == [{"text": "a"}, {"text": "b"}]


def test_exception_in_a_batchs_answers_fails_its_request_alone(load: Load) -> None:
    service = load(
        """
        class TextInferenceService:
            def run_inference_batch(self, inputs, parameters):
                return [ValueError("a bad text") if one["bad"] else {"ok": True} for one in inputs]
        """
    )

    async def ask_both() -> list[Any]:
        return await asyncio.gather(
            *(service.answer({"bad": bad}, {}) for bad in (True, False)), return_exceptions=True
        )

    bad, good = asyncio.run(ask_both())
    assert str(bad) == "realtime.py:2: run_inference_batch raised ValueError: a bad text"
    assert good == {"ok": True}


def test_batch_that_loses_an_answer_is_refused(load: Load) -> None:
    service = load(
        "class TextInferenceService:\n    def run_inference_batch(self, i, p):\n        return []\n"
    )

    with pytest.raises(errors.AuthorError, match=r"realtime\.py:2: .* returned 0 answers for 1 requests"):
        ask(service)
