"""Calls to language models: so many at a time, tried again within their time, one error whatever fails."""

import asyncio
import email.utils
import json
import math
import os
import random
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from extractor_apis.services import LLMEndpoint, Services
from extractor_runtime import redaction
from extractor_runtime.sdk.container.errors import LLMError, LLMSetupError
from extractor_runtime.sdk.container.providers.provider import Provider
from extractor_runtime.sdk.container.secrets import Secrets

T = TypeVar("T")

_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try, at most; an endpoint may ask for more."""
_READ_OF_A_PAGE = 64 * 1024
_SETUP = (401, 403, 404)
"""No other question would be answered: the key, the URL or the model's name is wrong."""
_TRANSIENT = (408, 409, 425, 429)
_WRONG_PLACE = "check the endpoint's URL"
_ADVICE = {
    400: "check the model's name, the schema and the images",
    401: "check the key",
    403: "check the key and what it may use",
    404: "check the model's name and the endpoint's URL",
    413: "send less text, or smaller images",
    422: "check the model's name, the schema and the images",
    429: "ask for fewer calls at a time, or raise the quota",
}


@dataclass(frozen=True)
class Failure:
    """What went wrong in one try."""

    message: str
    status: int | None = None
    is_transient: bool = False
    retry_after: float = 0.0
    """Seconds that the endpoint asks to wait."""

    @classmethod
    def of(cls, error: Exception) -> "Failure":
        """Read what a provider's library raised."""
        import httpx2

        # All three libraries keep the answer there, and all three providers say why under "error".
        response = getattr(error, "response", None)
        if isinstance(response, httpx2.Response) and not response.is_success:
            status = response.status_code
            advice = _ADVICE.get(status, "try again later" if status >= 500 else _WRONG_PLACE)
            return cls(
                f"answered {status}: {_said(response)}; {advice}",
                status,
                is_transient=status in _TRANSIENT or status >= 500,
                retry_after=_retry_after(response.headers),
            )
        cause = error if isinstance(error, httpx2.HTTPError) else error.__cause__
        if isinstance(cause, httpx2.TransportError):
            what = str(cause) or type(cause).__name__
            return cls(f"cannot be reached ({_line(what)}); {_WRONG_PLACE}", is_transient=True)
        said = cause or error
        reason = _line(f"{type(said).__name__}: {said}")
        return cls(f"gave an answer that cannot be read ({reason}); {_WRONG_PLACE}")


class Calls:
    """The calls of this process to the endpoints of one set of services."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._secrets = Secrets(services.secrets)
        self._slots = asyncio.Semaphore(services.llm_concurrency)
        self._lock = threading.Lock()
        self._providers: dict[tuple[str, str | None], Provider] = {}

    async def run(self, name: str, model: str, work: Callable[[Provider], Awaitable[T]]) -> T:
        """Do one piece of work with an endpoint's client, again if need be. Raises LLMError."""
        async with self._slots:
            provider = await asyncio.to_thread(self._provider, name)
            tries: list[Failure] = []
            try:
                async with asyncio.timeout(self._services.llm_timeout) as limit:
                    answer = await _persist(lambda: work(provider), tries, limit.when() or 0.0)
            except TimeoutError:
                last = f"; the last of {len(tries)} tries {tries[-1].message}" if tries else ""
                answer = Failure(f"did not answer within {self._services.llm_timeout:g} s{last}")
        if isinstance(answer, Failure):
            # Not from within an except clause: what the library raised may hold the key.
            message = f"{name} ({model}) {answer.message}"
            kind = LLMSetupError if answer.status in _SETUP else LLMError
            raise kind(message, provider=name, model=model, status=answer.status)
        return answer

    def _provider(self, name: str) -> Provider:
        endpoint = self._services.llm[name]
        key = self._secrets.read(endpoint.api_key) if endpoint.api_key else None
        with self._lock:
            if (name, key) not in self._providers:
                self._providers[name, key] = _make_provider(endpoint, key, self._services.llm_timeout)
            return self._providers[name, key]


def calls_of(services: Services) -> Calls:
    """Return this process's calls for these services: always the same, so that the limit is one."""
    return _calls(services.model_dump_json())


@cache
def _calls(services: str) -> Calls:
    return Calls(Services.model_validate_json(services))


# A forked child cannot use its parent's connections.
os.register_at_fork(after_in_child=_calls.cache_clear)


async def _persist(work: Callable[[], Awaitable[T]], tries: list[Failure], until: float) -> T | Failure:
    """Try until it works, cannot work, or the next try would be too late."""
    for pause in (*_PAUSES, math.inf):
        try:
            return await work()
        except Exception as error:
            tries.append(Failure.of(error))
        wait = max(tries[-1].retry_after, pause * random.uniform(0.5, 1))
        if not tries[-1].is_transient or asyncio.get_running_loop().time() + wait >= until:
            break
        await asyncio.sleep(wait)
    return tries[-1]


def _make_provider(endpoint: LLMEndpoint, key: str | None, seconds: float) -> Provider:
    # Each brings a library that takes a second to import: only the one that is used.
    from extractor_runtime.sdk.container.providers import http

    client = http.make_client(sends_key=key is not None, seconds=seconds)
    if endpoint.style == "openai":
        from extractor_runtime.sdk.container.providers.openai_style import OpenAIProvider

        return OpenAIProvider(endpoint.base_url, key, client)
    if endpoint.style == "anthropic":
        from extractor_runtime.sdk.container.providers.anthropic_style import AnthropicProvider

        return AnthropicProvider(endpoint.base_url, key, client)
    from extractor_runtime.sdk.container.providers.google_style import GoogleProvider

    return GoogleProvider(endpoint.base_url, key, client)


def _said(response: Any) -> str:
    try:
        body = json.loads(response.content)
    except ValueError:
        return _line(response.content[:_READ_OF_A_PAGE].decode(errors="replace"))
    error = body.get("error", body) if isinstance(body, dict) else body
    return _line(error.get("message", error) if isinstance(error, dict) else error)


def _line(text: object) -> str:
    # Redacted before it is cut, so that no part of a key is left over.
    return " ".join(redaction.redact(str(text)).split())[:300]


def _retry_after(headers: Mapping[str, str]) -> float:
    milliseconds, header = headers.get("retry-after-ms"), headers.get("retry-after", "")
    try:
        return max(0.0, float(milliseconds) / 1000 if milliseconds else float(header))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return 0.0
