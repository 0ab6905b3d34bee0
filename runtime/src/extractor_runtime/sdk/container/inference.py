"""Models behind an endpoint, as ``container.inference`` gives them to an author."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from extractor_apis.services import Services
from extractor_runtime import usage
from extractor_runtime.sdk.container import calls, loop
from extractor_runtime.sdk.container.providers.provider import Provider

if TYPE_CHECKING:
    from extractor_runtime.sdk.container.providers.openai_style import OpenAIProvider

_TEXTS_AT_A_TIME = 256


@dataclass(frozen=True)
class Inference:
    """Finds the model that an endpoint of the run serves."""

    services: Services

    def get(self, name: str) -> "EmbeddingService":
        """Return the embedding model of that name.

        Raises ValueError, which lists what there is, for one that no endpoint was given for.
        """
        served = {
            endpoint.model: key
            for key, endpoint in self.services.llm.items()
            if endpoint.style == "openai" and endpoint.model
        }
        if name not in served:
            raise ValueError(
                f"unsupported service {name!r}; supported: {', '.join(served) or 'none'}. The platform "
                "serves no model by itself: name an endpoint that does, as in "
                f"--llm embed=openai+http://HOST/v1#{name}"
            )
        return EmbeddingService(self.services, served[name], name)


@dataclass(frozen=True)
class EmbeddingService:
    """An embedding model behind an endpoint that speaks as OpenAI does."""

    services: Services
    endpoint: str
    model: str

    def text_to_embedding(self, text: str) -> list[float]:
        """Embed a text. Raises LLMError."""
        return self.embed_batch([text])[0]

    def embed_batch(self, texts: Sequence[str]) -> list[list[float]]:
        """Embed texts, in their order; not awaited. Raises LLMError."""
        vectors: list[list[float]] = []
        for start in range(0, len(texts), _TEXTS_AT_A_TIME):
            vectors += self._embed(list(texts[start : start + _TEXTS_AT_A_TIME]))
        return vectors

    def _embed(self, texts: list[str]) -> list[list[float]]:
        async def ask(provider: Provider) -> tuple[list[list[float]], int]:
            vectors, tokens = await cast("OpenAIProvider", provider).embed(self.model, texts)
            if len(vectors) != len(texts):
                raise ValueError(f"{len(vectors)} vectors for {len(texts)} texts")
            return vectors, tokens

        work = calls.calls_of(self.services).run(self.endpoint, self.model, ask)
        vectors, tokens = loop.submit(work).result()
        usage.record(requests=1, input_tokens=tokens)
        return vectors
