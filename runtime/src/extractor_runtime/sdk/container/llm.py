"""Language models, as ``container.llm`` gives them to an author."""

import asyncio
from dataclasses import dataclass
from typing import Any

from extractor_apis.run import Usage
from extractor_apis.services import LLMEndpoint, Services
from extractor_runtime import usage
from extractor_runtime.sdk.container import calls, images, loop
from extractor_runtime.sdk.container.errors import LLMError, LLMSetupError
from extractor_runtime.sdk.container.images import Image
from extractor_runtime.sdk.container.providers.provider import Completion, Prompt, Provider
from extractor_runtime.sdk.container.schemas import Form


@dataclass(frozen=True)
class LLMRequest:
    """One question to a language model."""

    instruction: str
    """What to do."""
    text: str | None = None
    """What to do it with."""
    images: Any = None
    """Images to do it with: URLs, paths, data URLs, bytes or PIL images; one, or a list of them."""
    provider: str | None = None
    """Name of an endpoint that the run was given; the first by default."""
    model: str | None = None
    """Name of the model, as the provider spells it; the endpoint's own by default."""
    schema: Any = None
    """JSON schema as a dict, or a pydantic class: the answer is then data."""
    temperature: float | None = None
    """Not sent to Anthropic, whose protocol has none."""
    max_tokens: int | None = None
    """Length of the answer at most."""


@dataclass(frozen=True)
class LLMResponse:
    """A language model's answer."""

    data: Any
    """What the schema describes, checked against it; the text without a schema."""
    text: str
    model: str
    provider: str
    usage: Usage


@dataclass(frozen=True)
class LLM:
    """Asks language models; pickled, it is references only."""

    services: Services

    @property
    def service(self) -> "LLM":
        """What the accessor stands for: itself."""
        return self

    async def generate(
        self,
        instruction: str,
        text: str | None = None,
        images: Any = None,
        provider: str | None = None,
        model: str | None = None,
        schema: Any = None,
        *,
        temperature: float | None = None,
        max_tokens: int | None = None,
    ) -> LLMResponse:
        """Ask a model; see `LLMRequest` for the arguments. Raises LLMError."""
        return await self.process(
            LLMRequest(instruction, text, images, provider, model, schema, temperature, max_tokens)
        )

    async def process(self, request: LLMRequest) -> LLMResponse:
        """Ask a model, from whatever event loop; what it took is charged to the row it was for.

        Raises LLMError: nobody is configured under that name, the endpoint fails or does not answer in time,
        the answer is not what the schema wants. Raises ValueError for an image or a schema that is none.
        """
        name, endpoint = self._endpoint(request.provider)
        model = request.model or endpoint.model
        if model is None:
            raise LLMSetupError(
                f"{name} was asked without a model: name one in generate(model=…)", provider=name
            )
        form = Form.of(request.schema)
        loaded = await asyncio.to_thread(_load, request.images) if request.images is not None else ()
        prompt = _prompt(request, model, form, loaded)

        async def ask(provider: Provider) -> Completion:
            return await provider.complete(prompt)

        work = calls.calls_of(self.services).run(name, model, ask)
        completion = await asyncio.wrap_future(loop.submit(work))
        used = usage.record(
            requests=1, input_tokens=completion.input_tokens, output_tokens=completion.output_tokens
        )
        try:
            data = _read(completion, form)
        except ValueError as error:
            raise LLMError(f"{name} ({model}): the answer {error}", provider=name, model=model) from None
        return LLMResponse(data, completion.text, model, name, used)

    def _endpoint(self, provider: str | None) -> tuple[str, LLMEndpoint]:
        configured = self.services.llm
        if not configured:
            raise LLMSetupError("no language model is configured: give one with --llm openai, for example")
        name = provider or next(iter(configured))
        if name not in configured:
            raise LLMSetupError(
                f"no language model is configured as {name!r} (there is: {', '.join(configured)}): "
                f"give it with --llm {name}",
                provider=name,
            )
        return name, configured[name]


def _load(sources: Any) -> tuple[Image, ...]:
    return tuple(
        images.load(source) for source in (sources if isinstance(sources, list | tuple) else [sources])
    )


def _prompt(request: LLMRequest, model: str, form: Form, loaded: tuple[Image, ...]) -> Prompt:
    has_more = bool(loaded or request.text)
    return Prompt(
        model=model,
        system=request.instruction if has_more else None,
        text=(request.text or None) if has_more else request.instruction,
        images=loaded,
        schema=form.schema,
        temperature=request.temperature,
        max_tokens=request.max_tokens,
    )


def _read(completion: Completion, form: Form) -> Any:
    if completion.refusal:
        raise ValueError(f"is a refusal: {completion.refusal:.200}")
    try:
        return form.read(completion.text)
    except ValueError as error:
        if completion.is_cut:
            raise ValueError(f"was cut at the limit of tokens: raise max_tokens ({error})") from None
        raise
