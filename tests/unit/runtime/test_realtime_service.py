"""Finding an archive's realtime class and calling it, whichever form it has."""

import asyncio
import hashlib
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from extractor_apis.manifest import Manifest
from extractor_runtime import errors, loader, realtime

MANIFEST = {
    "feature_extractor_name": "tiny",
    "version": "1.0.0",
    "features": [
        {"feature_type": "embedding", "feature_name": "vector", "embedding_dim": 2, "distance_metric": "dot"}
    ],
}
Load = Callable[..., realtime.RealtimeService]

FORMS = {
    "a factory": """
        class Anything:
            def run_inference(self, inputs, parameters):
                return {"said": inputs["text"], "mode": parameters["mode"]}
        def get_inference_service(**kwargs):
            return Anything()
        """,
    "a subclass of BaseInferenceService": """
        from shared.plugins.inference.serve import BaseInferenceService
        class Anything(BaseInferenceService):
            async def __call__(self, inputs, parameters):
                self.logger.debug("asked")
                return {"said": inputs["text"], "mode": parameters["mode"]}
        """,
    "the one that derives from another subclass": """
        from shared.plugins.inference.serve import BaseInferenceService
        class Shared(BaseInferenceService):
            async def __call__(self, inputs, parameters):
                raise AssertionError
        class Anything(Shared):
            async def __call__(self, inputs, parameters):
                return {"said": inputs["text"], "mode": parameters["mode"]}
        """,
    "a class named InferenceService with an alias": """
        class TextInferenceService:
            def __init__(self, embedding_dim=128):
                self.dim = embedding_dim
            async def run_inference(self, inputs, parameters):
                return {"said": inputs["text"], "mode": parameters["mode"]}
            def __call__(self, inputs, parameters):
                raise AssertionError
        """,
    "a class named RealtimeService": """
        class BaseRealtimeService:
            pass
        class TextRealtimeService(BaseRealtimeService):
            async def _process_single(self, inputs, parameters):
                return {"said": inputs["text"], "mode": parameters["mode"]}
        """,
    "a RealtimeHandler with one argument": """
        class RealtimeHandler:
            def predict(self, request: dict) -> dict:
                return {"said": request["text"], "mode": request["mode"]}
        """,
    "a plain function that returns a coroutine": """
        class TextInferenceService:
            def __call__(self, inputs, parameters):
                return self.later(inputs, parameters)
            async def later(self, inputs, parameters):
                return {"said": inputs["text"], "mode": parameters["mode"]}
        """,
    "a class that answers batches only": """
        class TextInferenceService:
            def run_inference_batch(self, inputs, parameters):
                return [{"said": i["text"], "mode": p["mode"]} for i, p in zip(inputs, parameters)]
        """,
}


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Write an archive's realtime.py and load it."""
    services = []

    def write_and_load(source: str, **manifest: Any) -> realtime.RealtimeService:
        (tmp_path / "realtime.py").write_text(textwrap.dedent(source).lstrip("\n"))
        tree = loader.Tree(tmp_path, f"sha256:{hashlib.sha256(str(tmp_path).encode()).hexdigest()}")
        services.append(
            realtime.RealtimeService.load(tree, Manifest.from_names(MANIFEST | manifest), seconds=5)
        )
        return services[-1]

    yield write_and_load
    for service in services:
        service.close()


def ask(service: realtime.RealtimeService, **inputs: Any) -> dict[str, Any]:
    return asyncio.run(service.answer(inputs, {"mode": "fast"}))


@pytest.mark.parametrize("source", FORMS.values(), ids=FORMS)
def test_every_form_of_class_answers(load: Load, source: str) -> None:
    assert ask(load(source), text="hello") == {"said": "hello", "mode": "fast"}


def test_inputs_win_where_they_are_merged_with_parameters(load: Load) -> None:
    service = load(FORMS["a RealtimeHandler with one argument"])

    assert ask(service, text="hello", mode="slow") == {"said": "hello", "mode": "slow"}


REFUSED = {
    "no class": (
        "x = 1\n",
        "realtime.py:1: no class that answers was found: expected get_inference_service()",
    ),
    "no method": (
        "class TextInferenceService:\n    pass\n",
        "realtime.py:1: TextInferenceService has no method",
    ),
    "does not import": (
        "import sys\nimport nowhere_at_all\n",
        "realtime.py:2: realtime.py does not import: ModuleNotFound",
    ),
    "a constructor that raises": (
        "class RealtimeHandler:\n    def __init__(self):\n        raise OSError('no weights')\n",
        "realtime.py:3: RealtimeHandler() raised OSError: no weights",
    ),
    "a constructor that exits": (
        "import sys\nclass RealtimeHandler:\n    def __init__(self):\n        sys.exit(3)\n",
        "realtime.py:4: RealtimeHandler() raised RuntimeError: SystemExit: 3",
    ),
}


@pytest.mark.parametrize(("source", "want"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_answer_is_refused_with_its_line(load: Load, source: str, want: str) -> None:
    with pytest.raises(errors.AuthorError) as caught:
        load(source)

    assert str(caught.value).startswith(want)


def test_missing_module_says_what_to_add(tmp_path: Path) -> None:
    tree = loader.Tree(tmp_path, "sha256:" + "0" * 64)

    with pytest.raises(errors.AuthorError, match=r"no realtime\.py: add one with get_inference_service"):
        realtime.RealtimeService.load(tree, Manifest.from_names(MANIFEST))


def test_constructor_that_hangs_is_given_up_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "realtime.py").write_text(
        "import time\nclass RealtimeHandler:\n    def __init__(self):\n        time.sleep(0.2)\n"
    )
    tree = loader.Tree(tmp_path, f"sha256:{hashlib.sha256(str(tmp_path).encode()).hexdigest()}")

    with pytest.raises(errors.AuthorError, match=r"realtime\.py:4: .*did not return within 0\.05 s"):
        realtime.RealtimeService.load(tree, Manifest.from_names(MANIFEST), seconds=0.05)


ANSWERS = {
    "a method that raises": (
        "raise KeyError('text')",
        "realtime.py:3: run_inference raised KeyError: 'text'",
    ),
    "a method that exits": (
        "raise SystemExit(1)",
        "realtime.py:3: run_inference raised RuntimeError: SystemExit",
    ),
    "no dict": ("return [0.1, 0.2]", "realtime.py:2: the answer is a list, not a dict"),
    "a wrong dimension": (
        "return {'vector': [0.1]}",
        "realtime.py:2: 'vector' has 1 dimensions, but vector is",
    ),
    "NaN": ("return {'embedding': [0.1, float('nan')]}", "realtime.py:2: 'embedding' holds NaN"),
}


@pytest.mark.parametrize(("body", "want"), ANSWERS.values(), ids=ANSWERS)
def test_answer_that_is_no_good_names_the_line(load: Load, body: str, want: str) -> None:
    service = load(
        f"class RealtimeHandler:\n    def run_inference(self, inputs, parameters):\n        {body}\n"
    )

    with pytest.raises(errors.AuthorError) as caught:
        ask(service)

    assert str(caught.value).startswith(want)


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


def test_batch_that_loses_an_answer_is_refused(load: Load) -> None:
    service = load(
        "class TextInferenceService:\n    def run_inference_batch(self, i, p):\n        return []\n"
    )

    with pytest.raises(errors.AuthorError, match=r"realtime\.py:2: .* returned 0 answers for 1 requests"):
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
