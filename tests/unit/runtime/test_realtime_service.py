"""What a realtime class answers is looked at, and nobody waits for somebody else."""

import asyncio
import threading
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


ANSWERS = {
    "a method that raises": (
        "raise KeyError('text')",
        "realtime.py:3: run_inference raised KeyError: 'text'; the inputs given are: ",
    ),
    "a method that exits": (
        "raise SystemExit(1)",
        "realtime.py:3: run_inference raised RuntimeError: SystemExit",
    ),
    "a method that panics as Rust code does": (
        "raise type('PanicException', (BaseException,), {})('index out of bounds')",
        "realtime.py:3: run_inference raised RuntimeError: PanicException: index out of bounds",
    ),
    "an exception that cannot be read": (
        "raise type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})()",
        "realtime.py:3: run_inference raised Mute: (its message cannot be read",
    ),
    "a call that does not fit": (
        "return self.run_inference()",
        "realtime.py:3: run_inference raised TypeError",
    ),
    "a set": ("return {'tags': {'a'}}", "realtime.py:2: 'tags' is a set, which JSON does not have"),
    "no dict": ("return [0.1, 0.2]", "realtime.py:2: the answer is a list, not a dict"),
    "a wrong dimension": (
        "return {'vector': [0.1]}",
        "realtime.py:2: 'vector' has 1 dimensions, but vector is",
    ),
    "NaN": ("return {'embedding': [0.1, float('nan')]}", "realtime.py:2: 'embedding[1]' is nan"),
}


@pytest.mark.parametrize(("body", "want"), ANSWERS.values(), ids=ANSWERS)
def test_answer_that_is_no_good_names_the_line(load: Load, body: str, want: str) -> None:
    service = load(
        f"class RealtimeHandler:\n    def run_inference(self, inputs, parameters):\n        {body}\n"
    )

    with pytest.raises(errors.AuthorError) as caught:
        ask(service)

    assert str(caught.value).startswith(want)


def test_request_that_the_author_empties_is_still_known_for_its_check(load: Load) -> None:
    service = load(
        "class RealtimeHandler:\n"
        "    def run_inference(self, inputs, parameters):\n"
        "        inputs.clear()\n"
        "        return {'scores': []}\n"
    )

    with pytest.raises(errors.AuthorError, match="'scores' holds 0 numbers for 1 pairs"):
        ask(service, pairs=[["green", "tea"]])


def test_cancellation_of_the_authors_own_fails_the_request(load: Load) -> None:
    service = load(
        """
        import asyncio
        class RealtimeHandler:
            async def run_inference(self, inputs, parameters):
                task = asyncio.ensure_future(asyncio.sleep(9))
                task.cancel()
                await task
        """
    )

    with pytest.raises(errors.AuthorError, match=r"realtime\.py:6: .* RuntimeError: CancelledError"):
        ask(service)


@pytest.mark.parametrize("how", ["def", "async def"])
def test_answer_does_not_wait_for_the_next_ones_computation(load: Load, how: str) -> None:
    service = load(
        f"""
        class TextInferenceService:
            {how} run_inference(self, inputs, parameters):
                return {{"in_time": inputs["event"].wait(5)}}
        """
    )

    async def release_the_second_by_the_firsts_answer() -> dict[str, Any]:
        done, waiting = threading.Event(), threading.Event()
        done.set()
        first = asyncio.create_task(service.answer({"event": done}, {}))
        second = asyncio.create_task(service.answer({"event": waiting}, {}))
        await first
        waiting.set()
        return await second

    assert asyncio.run(release_the_second_by_the_firsts_answer()) == {"in_time": True}


def test_code_that_computes_does_not_stop_the_callers_loop(load: Load) -> None:
    service = load(
        """
        import threading
        class TextInferenceService:
            async def run_inference(self, inputs, parameters):
                return {"in_time": inputs["event"].wait(5)}
        """
    )

    async def release_while_it_waits() -> dict[str, Any]:
        event = threading.Event()
        waiting = asyncio.create_task(service.answer({"event": event}, {}))
        await asyncio.sleep(0.01)
        event.set()
        return await waiting

    assert asyncio.run(release_while_it_waits()) == {"in_time": True}


def test_api_client_is_called_as_often_at_a_time_as_the_profile_says(load: Load) -> None:
    service = load(
        """
        class TextInferenceService:
            def run_inference(self, inputs, parameters):
                return {"met": inputs["barrier"].wait(5) >= 0}
        """,
        compute_profile={"resource_type": "api", "max_concurrency": 3},
    )

    async def ask_three() -> list[dict[str, Any]]:
        barrier = threading.Barrier(3)
        return await asyncio.gather(*(service.answer({"barrier": barrier}, {}) for _ in range(3)))

    assert asyncio.run(ask_three()) == [{"met": True}] * 3
