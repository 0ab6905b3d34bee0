"""A whole run whose steps ask a language model and read secrets, on real Ray."""

import json
from pathlib import Path

import pytest

from support import llm_server, llms
from support.command import extractor
from support.llm_server import INPUT_TOKENS, OUTPUT_TOKENS

pytestmark = pytest.mark.integration

MANIFEST = """
feature_extractor_name = "tagger"
version = "1.0.0"
features = [
    {"feature_type": "embedding", "feature_name": "vector", "embedding_dim": 2, "distance_metric": "dot"},
]
output_schema = {"tags": {"type": "array"}, "region": {"type": "string"}}
compute_profile = {"resource_type": "api", "batch_size": 4}
cost_rates = [{"unit": "1k_tokens", "credits_per_unit": 2}, {"unit": "page", "credits_per_unit": 1}]
"""

# What `prepare` maps is pickled into a task of Ray's, and the container with it. Clients log what they send,
# authors log what they should not, and errors repeat it.
PIPELINE = """
import asyncio
import logging

from engine.plugins.extractors.pipeline import (
    PipelineDefinition, ResourceType, StepDefinition, build_pipeline_steps,
)
from shared.plugins.sdk import concurrent_api_calls

SCHEMA = {"type": "object", "properties": {"tags": {"type": "array"}}}


class Tagger:
    def __init__(self, config):
        logging.basicConfig(level=logging.DEBUG)
        self.llm = config["llm_service"]
        self.container = config["container"]

    def __call__(self, batch):
        key = asyncio.run(self.container.secrets.get("OPENAI_API_KEY"))
        logging.getLogger("tagger").info("asking with %s", key)
        if "leak" in set(batch["data"]):
            raise ValueError(f"401 from https://host/?key={key}: Bearer {key} is wrong")

        async def tag(text):
            self.container.usage.add("page", 0.5)
            return await self.llm.generate("Tag it.", text=text, schema=SCHEMA, model="gpt-4o")

        answers = concurrent_api_calls(items=list(batch["data"]), async_fn=tag)
        batch["tags"] = [answer.data["tags"] if answer else [] for answer in answers]
        batch["vector"] = [[1.0, 0.0]] * len(batch)
        return batch


def build_steps(extractor_request, container=None, **kwargs):
    def with_region(batch):
        batch["region"] = [asyncio.run(container.secrets.get("REGION"))] * len(batch)
        return batch

    config = {"llm_service": container.llm, "container": container}
    pipeline = PipelineDefinition(name="tagger", version="1.0.0", steps=[
        StepDefinition(service_class=Tagger, resource_type=ResourceType.API, config=config),
    ])
    return {
        "steps": build_pipeline_steps(pipeline),
        "prepare": lambda ds: ds.map_batches(with_region, batch_format="pandas"),
    }
"""


def test_a_run_asks_charges_and_fails_without_showing_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tagger").mkdir()
    (tmp_path / "tagger" / "manifest.py").write_text(MANIFEST)
    (tmp_path / "tagger" / "pipeline.py").write_text(PIPELINE)
    texts = ["a car", "leak", "a dog", "a tree"]
    objects = [json.dumps({"id": str(index), "text": text}) + "\n" for index, text in enumerate(texts)]
    (tmp_path / "objects.jsonl").write_text("".join(objects))
    (tmp_path / "region").write_text("eu-central\n")
    monkeypatch.setenv(llms.KEY_VARIABLE, llms.KEY)

    with llm_server.serve() as server:
        ended = extractor(
            *("run", "tagger", "--source", "objects.jsonl", "--store", "store", "--output", "json"),
            *("--secret", f"OPENAI_API_KEY=env:{llms.KEY_VARIABLE}", "--secret", "REGION=file:region"),
            *("--llm", f"openai={server.url}/v1", "--error-budget", "1"),
            cwd=tmp_path,
        )
        assert ended.returncode == 0, ended.stderr
        authorizations = {asked.headers["authorization"] for asked in server.asked}

    state = json.loads(ended.stdout)
    tokens = 3 * (INPUT_TOKENS + OUTPUT_TOKENS) / 1000
    assert authorizations == {f"Bearer {llms.KEY}"}
    assert state["dead_letters"] == 1
    assert state["usage"] == {
        "requests": 3,
        "input_tokens": 3 * INPUT_TOKENS,
        "output_tokens": 3 * OUTPUT_TOKENS,
        "units": {"1k_tokens": pytest.approx(tokens), "page": 1.5},
        "credits": pytest.approx(2 * tokens + 1.5),
    }
    files = {path: path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file()}
    letters = [content for path, content in files.items() if "dead-letters" in path.parts]
    assert any(b"Bearer [secret OPENAI_API_KEY] is wrong" in content for content in letters)
    logs = [content for path, content in files.items() if "logs" in path.parts]
    assert any(b"asking with [secret OPENAI_API_KEY]" in content for content in logs)
    assert any(b"chat/completions" in content for content in logs)
    assert [path for path, content in files.items() if llms.KEY.encode() in content] == []
    assert llms.KEY not in ended.stdout + ended.stderr
