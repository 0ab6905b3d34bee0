"""Builders for the container with its language models at a server of the test's."""

import asyncio
import base64
from typing import Any

import pydantic

from extractor_apis.services import LLMEndpoint, SecretReference, Services
from extractor_runtime.sdk.container import ServiceContainer
from support.llm_server import LLMServer

KEY_VARIABLE = "TEST_LLM_KEY"
KEY = "sk-test-0123456789abcdef"
MODELS = {"openai": "gpt-4o", "anthropic": "claude-next", "google": "gemini-2.5-flash"}
PROVIDERS = list(MODELS)
SCHEMA = {
    "type": "object",
    "properties": {"tags": {"type": "array", "items": {"type": "string"}}},
    "required": ["tags"],
}
PNG_BASE64 = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PNG = base64.b64decode(PNG_BASE64)
_PATHS = {"openai": "/v1", "anthropic": "", "google": ""}


class Tags(pydantic.BaseModel):
    """The schema, as a class."""

    tags: list[str]


def make_services(server: LLMServer, *, has_key: bool = True, **changes: Any) -> Services:
    """Name the server under each provider's name; the key is in the variable."""
    llm = {
        style: LLMEndpoint.model_validate(
            {
                "style": style,
                "base_url": server.url + _PATHS[style],
                "api_key": "KEY" if has_key else None,
                "model": model,
            }
        )
        for style, model in MODELS.items()
    }
    values = {"llm": llm, "llm_timeout": 20.0, **changes}
    return Services(secrets={"KEY": SecretReference(env=KEY_VARIABLE)}, **values)


def generate(container: ServiceContainer, *args: Any, **kwargs: Any) -> Any:
    """Ask a model, and wait for its answer."""
    return asyncio.run(container.llm.generate(*args, **kwargs))
