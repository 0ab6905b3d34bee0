"""Content generation as Google's Gemini API speaks it."""

from typing import Any

import httpx2
from google import genai
from google.genai import types

from extractor_runtime.sdk.container.providers.provider import NO_KEY, Completion, Prompt

BASE_URL = "https://generativelanguage.googleapis.com"
_REFUSALS = ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII")


class GoogleProvider:
    """A client of one endpoint."""

    def __init__(self, base_url: str | None, key: str | None, client: httpx2.AsyncClient) -> None:
        options = types.HttpOptions(base_url=base_url or BASE_URL, httpx_async_client=client)
        self._client = genai.Client(api_key=key or NO_KEY, vertexai=False, http_options=options)

    async def complete(self, prompt: Prompt) -> Completion:
        """Ask the model once."""
        parts = [
            types.Part.from_bytes(data=image.content, mime_type=image.media_type) for image in prompt.images
        ]
        if prompt.text is not None:
            parts.append(types.Part.from_text(text=prompt.text))
        options: dict[str, Any] = {}
        if prompt.schema is not None:
            options = {"response_mime_type": "application/json", "response_json_schema": prompt.schema}
        answer = await self._client.aio.models.generate_content(
            model=prompt.model,
            contents=[types.Content(role="user", parts=parts)],
            config=types.GenerateContentConfig(
                system_instruction=prompt.system,
                temperature=prompt.temperature,
                max_output_tokens=prompt.max_tokens,
                **options,
            ),
        )
        if answer.prompt_feedback and answer.prompt_feedback.block_reason:
            return Completion("", *_tokens(answer), refusal=f"blocked: {answer.prompt_feedback.block_reason}")
        assert answer.candidates, "an answer has candidates"
        candidate = answer.candidates[0]
        reason = candidate.finish_reason.value if candidate.finish_reason else ""
        spoken = candidate.content.parts if candidate.content and candidate.content.parts else []
        return Completion(
            "".join(part.text for part in spoken if part.text and not part.thought),
            *_tokens(answer),
            is_cut=reason == "MAX_TOKENS",
            refusal=f"blocked: {reason}" if reason in _REFUSALS else None,
        )


def _tokens(answer: types.GenerateContentResponse) -> tuple[int, int]:
    usage = answer.usage_metadata
    if usage is None:
        return 0, 0
    # What a model thinks is paid for as what it says.
    return (
        usage.prompt_token_count or 0,
        (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0),
    )
