"""Every form that authors give a realtime class is found, and answers."""

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import realtime_services
from support.realtime_services import Load, ask


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    with realtime_services.loading(tmp_path) as load:
        yield load


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


@pytest.mark.parametrize("source", FORMS.values(), ids=FORMS)
def test_every_form_of_class_answers(load: Load, source: str) -> None:
    assert ask(load(source), text="hello") == {"said": "hello", "mode": "fast"}


def test_class_of_another_module_of_the_archive_answers(load: Load, tmp_path: Path) -> None:
    (tmp_path / "core.py").write_text(textwrap.dedent(FORMS["a class named RealtimeService"]))

    assert ask(load("from core import TextRealtimeService"), text="hello")["said"] == "hello"


def test_inputs_win_where_they_are_merged_with_parameters(load: Load) -> None:
    service = load(FORMS["a RealtimeHandler with one argument"])

    assert ask(service, text="hello", mode="slow") == {"said": "hello", "mode": "slow"}
