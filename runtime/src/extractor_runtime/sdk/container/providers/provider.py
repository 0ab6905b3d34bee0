"""What every provider's protocol is made into."""

from dataclasses import dataclass
from typing import Any, Protocol

from extractor_runtime.sdk.container.images import Image

NO_KEY = "none"
"""Given to clients that refuse to be made without a key; it is never sent (see `http`)."""


@dataclass(frozen=True)
class Prompt:
    """One question to a model."""

    model: str
    system: str | None
    """What to do with what the user says; None when there is nothing but the instruction."""
    text: str | None
    """What the user says."""
    images: tuple[Image, ...] = ()
    schema: dict[str, Any] | None = None
    """JSON schema of the answer; plain text without."""
    temperature: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True)
class Completion:
    """A model's answer."""

    text: str
    """JSON when a schema was given."""
    input_tokens: int
    output_tokens: int
    is_cut: bool = False
    """Whether the limit of tokens ended it."""
    refusal: str | None = None
    """Why the model would not answer."""


class Provider(Protocol):
    """A client of one endpoint. Raises whatever its library does: `calls` makes one error of them all."""

    async def complete(self, prompt: Prompt) -> Completion:
        """Ask the model once."""
