"""Chat completions and embeddings as OpenAI speaks them, and with it vLLM, Ollama, TEI and many others."""

from collections.abc import Sequence
from typing import Any

import httpx2
import openai

from extractor_runtime.sdk.container.providers.provider import NO_KEY, Completion, Prompt

BASE_URL = "https://api.openai.com/v1"


class OpenAIProvider:
    """A client of one endpoint."""

    def __init__(self, base_url: str | None, key: str | None, client: httpx2.AsyncClient) -> None:
        self._client = openai.AsyncOpenAI(
            api_key=key or NO_KEY,
            base_url=base_url or BASE_URL,
            http_client=client,
            timeout=client.timeout,
            max_retries=0,
        )

    async def complete(self, prompt: Prompt) -> Completion:
        """Ask the model once."""
        content: list[dict[str, Any]] = [
            {"type": "image_url", "image_url": {"url": image.data_url}} for image in prompt.images
        ]
        if prompt.text is not None:
            content.append({"type": "text", "text": prompt.text})
        messages: list[Any] = [{"role": "user", "content": content if prompt.images else prompt.text}]
        if prompt.system is not None:
            messages.insert(0, {"role": "system", "content": prompt.system})
        options: dict[str, Any] = {}
        if prompt.schema is not None:
            # Not strict: that refuses every schema with an optional field, and the answer is checked anyway.
            options["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": prompt.schema},
            }
        if prompt.temperature is not None:
            options["temperature"] = prompt.temperature
        if prompt.max_tokens is not None:
            options["max_completion_tokens"] = prompt.max_tokens
        answer = await self._client.chat.completions.create(model=prompt.model, messages=messages, **options)
        choice = answer.choices[0]
        return Completion(
            text=choice.message.content or "",
            input_tokens=answer.usage.prompt_tokens if answer.usage else 0,
            output_tokens=answer.usage.completion_tokens if answer.usage else 0,
            is_cut=choice.finish_reason == "length",
            refusal=choice.message.refusal,
        )

    async def embed(self, model: str, texts: Sequence[str]) -> tuple[list[list[float]], int]:
        """Embed texts; return the vectors in their order, and the tokens they were."""
        answer = await self._client.embeddings.create(model=model, input=list(texts), encoding_format="float")
        vectors = [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]
        return vectors, answer.usage.prompt_tokens if answer.usage else 0
