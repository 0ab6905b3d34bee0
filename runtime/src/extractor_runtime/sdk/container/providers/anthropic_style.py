"""Messages as Anthropic speaks them."""

import json
from typing import Any

import anthropic
import httpx2

from extractor_runtime.sdk.container.providers.provider import NO_KEY, Completion, Prompt

BASE_URL = "https://api.anthropic.com"
_MAX_TOKENS = 4096
"""The protocol wants a limit; this one is used where the author gives none."""
_IN_WORDS = "Answer with JSON only, by this JSON schema: "


class AnthropicProvider:
    """A client of one endpoint."""

    def __init__(self, base_url: str | None, key: str | None, client: httpx2.AsyncClient) -> None:
        self._client = anthropic.AsyncAnthropic(
            api_key=key or NO_KEY,
            base_url=base_url or BASE_URL,
            http_client=client,
            timeout=client.timeout,
            max_retries=0,
        )

    async def complete(self, prompt: Prompt) -> Completion:
        """Ask the model once; the protocol has no temperature."""
        content: list[Any] = [
            {
                "type": "image",
                "source": {"type": "base64", "media_type": image.media_type, "data": image.base64},
            }
            for image in prompt.images
        ]
        if prompt.text is not None:
            content.append({"type": "text", "text": prompt.text})
        options: dict[str, Any] = {}
        if prompt.system is not None:
            options["system"] = prompt.system
        if prompt.schema is not None and (schema := strict(prompt.schema)) is not None:
            options["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        elif prompt.schema is not None:
            content.append({"type": "text", "text": _IN_WORDS + json.dumps(prompt.schema)})
        answer = await self._client.messages.create(
            model=prompt.model,
            max_tokens=prompt.max_tokens or _MAX_TOKENS,
            messages=[{"role": "user", "content": content}],
            **options,
        )
        return Completion(
            text="".join(block.text for block in answer.content if block.type == "text"),
            input_tokens=answer.usage.input_tokens,
            output_tokens=answer.usage.output_tokens,
            is_cut=answer.stop_reason == "max_tokens",
            refusal="the model refused" if answer.stop_reason == "refusal" else None,
        )


def strict(schema: dict[str, Any]) -> dict[str, Any] | None:
    """Write a schema as the protocol takes it; None for one that it cannot say.

    Fields that are not named are forbidden there: an object that is open would always come back empty.
    """
    if _is_open(schema):
        return None
    try:
        return anthropic.transform_schema(schema)
    except (ValueError, AssertionError):
        return None


def _is_open(schema: Any) -> bool:
    if isinstance(schema, list):
        return any(map(_is_open, schema))
    if not isinstance(schema, dict):
        return False
    names_none = not schema.get("properties") or schema.get("additionalProperties")
    return (schema.get("type") == "object" and bool(names_none)) or any(map(_is_open, schema.values()))
