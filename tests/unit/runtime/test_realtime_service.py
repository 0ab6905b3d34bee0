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
from extractor_apis.services import SecretReference, Services
from extractor_runtime import errors, loader
from extractor_runtime.realtime import realtime_class, realtime_service

MANIFEST = {
    "feature_extractor_name": "tiny",
    "version": "1.0.0",
    "features": [
        {"feature_type": "embedding", "feature_name": "vector", "embedding_dim": 2, "distance_metric": "dot"}
    ],
}
NO_SERVICES = Services()
Load = Callable[..., realtime_service.RealtimeService]

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
    "the SDK's template, whose factory passes on what it gets": """
        class TextInferenceService:
            def __init__(self, embedding_dim: int = 128):
                self.dim = embedding_dim
            async def run_inference(self, inputs, parameters):
                return {"said": inputs["text"], "mode": parameters["mode"]}
            async def __call__(self, inputs, parameters):
                return await self.run_inference(inputs, parameters)
        def get_inference_service(**kwargs):
            return TextInferenceService(**kwargs)
        """,
    "a factory that has to be awaited": """
        class Anything:
            def run_inference(self, inputs, parameters):
                return {"said": inputs["text"], "mode": parameters["mode"]}
        async def get_inference_service():
            return Anything()
        """,
    "a class inside Serve's decorator": """
        class TextInferenceService:
            def __call__(self, inputs, parameters):
                return {"said": inputs["text"], "mode": parameters["mode"]}
        class Deployment:
            func_or_class = TextInferenceService
        TextInferenceService = Deployment()
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
    loaded = []

    def write_and_load(
        source: str, *, services: Services = NO_SERVICES, **manifest: Any
    ) -> realtime_service.RealtimeService:
        (tmp_path / "realtime.py").write_text(textwrap.dedent(source).lstrip("\n"))
        tree = loader.Tree(tmp_path, f"sha256:{hashlib.sha256(str(tmp_path).encode()).hexdigest()}")
        loaded.append(
            realtime_service.RealtimeService.load(
                tree, Manifest.from_names(MANIFEST | manifest), services, seconds=5
            )
        )
        return loaded[-1]

    yield write_and_load
    for service in loaded:
        service.close()


def ask(service: realtime_service.RealtimeService, **inputs: Any) -> dict[str, Any]:
    return asyncio.run(service.answer(inputs, {"mode": "fast"}))


@pytest.mark.parametrize("source", FORMS.values(), ids=FORMS)
def test_every_form_of_class_answers(load: Load, source: str) -> None:
    assert ask(load(source), text="hello") == {"said": "hello", "mode": "fast"}


def test_class_of_another_module_of_the_archive_answers(load: Load, tmp_path: Path) -> None:
    (tmp_path / "core.py").write_text(textwrap.dedent(FORMS["a class named RealtimeService"]))

    assert ask(load("from core import TextRealtimeService"), text="hello")["said"] == "hello"


GIVEN = {
    "a container": ("self, container", ["container"]),
    "a container or none": ("self, container=None", ["container"]),
    "a config": ("self, config", ["config"]),
    "both, by name": ("self, *, config, container", ["config", "container"]),
    "everything": ("self, **kwargs", ["config", "container"]),
    "the rest, beside settings of one's own": ("self, config=None, **kwargs", ["container"]),
    "nothing for settings of one's own": ("self, config=None, embedding_dim=128", []),
    "nothing": ("self", []),
}


@pytest.mark.parametrize(("signature", "want"), GIVEN.values(), ids=GIVEN)
def test_constructor_is_given(load: Load, signature: str, want: list[str]) -> None:
    service = load(
        f"""
        class RealtimeHandler:
            def __init__({signature}):
                given = locals()
                given = {{**given, **given.pop("kwargs", {{}})}}
                self.given = sorted(name for name in ("config", "container") if given.get(name) is not None)
            def predict(self, request):
                return {{"given": self.given}}
        """
    )

    assert ask(service) == {"given": want}


def test_config_and_parameters_have_the_manifests_defaults(load: Load) -> None:
    service = load(
        """
        class RealtimeHandler:
            def __init__(self, config):
                self.config = config
            def run_inference(self, inputs, parameters):
                return {"config": self.config, "parameters": parameters}
        """,
        parameter_schema={"properties": {"mode": {"default": "slow"}, "size": {"default": 3}}},
    )

    assert ask(service) == {
        "config": {"mode": "slow", "size": 3},
        "parameters": {"mode": "fast", "size": 3},
    }


def test_secrets_reach_the_class(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINY_KEY", "hush-hush")
    services = Services(secrets={"KEY": SecretReference(env="TINY_KEY")})
    service = load(
        """
        class RealtimeHandler:
            def __init__(self, container):
                self.secrets = container.secrets
            async def run_inference(self, inputs, parameters):
                return {"length": len(await self.secrets.get("KEY")), "names": await self.secrets.list()}
        """,
        services=services,
    )

    assert ask(service) == {"length": 9, "names": ["KEY"]}


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
    "a constructor that needs more": (
        "class RealtimeHandler:\n    def __init__(self, weights):\n        pass\n",
        "realtime.py:1: RealtimeHandler() raised TypeError: RealtimeHandler.__init__() missing 1 required",
    ),
    "a factory that returns nothing": (
        "def get_inference_service():\n    pass\n",
        "realtime.py:1: get_inference_service() returned None",
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
        realtime_service.RealtimeService.load(tree, Manifest.from_names(MANIFEST))


PROMISES = {
    "a feature's address": (
        'metadata = {\n    "feature_uri": "mixpeek://tiny@1.0.0/vector",\n}\n',
        "feature_uri",
        2,
    ),
    "replicas": ("name = 'tiny'\n\nserve_config = {'num_replicas': 2}\n", "serve_config", 3),
}


@pytest.mark.parametrize(("source", "name", "line"), PROMISES.values(), ids=PROMISES)
def test_missing_module_names_the_line_that_promises_it(
    tmp_path: Path, source: str, name: str, line: int
) -> None:
    (tmp_path / "manifest.py").write_text(source)
    promise = {"feature_uri": "mixpeek://tiny@1.0.0/vector", "serve_config": {"num_replicas": 2}}[name]
    manifest = Manifest.from_names(MANIFEST | {name: promise})

    with pytest.raises(errors.AuthorError) as caught:
        realtime_service.RealtimeService.load(loader.Tree(tmp_path, "sha256:" + "0" * 64), manifest)

    assert str(caught.value).startswith(
        f"manifest.py:{line}: the manifest sets {name}, but the archive has no realtime.py: add one with"
    )


REPLICAS = {
    "a number": ("serve_config = ServeDeploymentConfig(enabled=True, num_replicas=3)", 3),
    "an annotated number": ("serve_config: object = serve.ServeDeploymentConfig(num_replicas=3)", 3),
    "the default": ("serve_config = ServeDeploymentConfig()", None),
    "a computed number": ("serve_config = ServeDeploymentConfig(num_replicas=2 * N)", None),
    "a wrong number": ("serve_config = ServeDeploymentConfig(num_replicas=-1)", None),
    "nothing": ("pass", None),
    "a broken file": ("def", None),
}


@pytest.mark.parametrize(("line", "want"), REPLICAS.values(), ids=REPLICAS)
def test_replicas_are_read_without_importing(tmp_path: Path, line: str, want: int | None) -> None:
    (tmp_path / "realtime.py").write_text(f"raise AssertionError\nclass Anything:\n    {line}\n")

    assert realtime_class.declared_replicas(loader.Tree(tmp_path, "sha256:" + "0" * 64)) == want


def test_constructor_that_hangs_is_given_up_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "realtime.py").write_text(
        "import time\nclass RealtimeHandler:\n    def __init__(self):\n        time.sleep(0.2)\n"
    )
    tree = loader.Tree(tmp_path, f"sha256:{hashlib.sha256(str(tmp_path).encode()).hexdigest()}")

    with pytest.raises(errors.AuthorError, match=r"realtime\.py:4: .*did not return within 0\.05 s"):
        realtime_service.RealtimeService.load(tree, Manifest.from_names(MANIFEST), seconds=0.05)


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


def test_request_that_the_author_empties_is_still_known_for_its_check(load: Load) -> None:
    service = load(
        "class RealtimeHandler:\n"
        "    def run_inference(self, inputs, parameters):\n"
        "        inputs.clear()\n"
        "        return {'scores': []}\n"
    )

    with pytest.raises(errors.AuthorError, match="'scores' holds 0 numbers for 1 pairs"):
        ask(service, pairs=[["green", "tea"]])


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
