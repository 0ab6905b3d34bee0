"""Builders for the container with its language models at a server of the test's."""

from typing import Any

from extractor_apis.services import LLMEndpoint, SecretReference, Services
from support.llm_server import LLMServer

KEY_VARIABLE = "TEST_LLM_KEY"
KEY = "sk-test-0123456789abcdef"
MODELS = {"openai": "gpt-4o", "anthropic": "claude-next", "google": "gemini-2.5-flash"}
_PATHS = {"openai": "/v1", "anthropic": "", "google": ""}


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
