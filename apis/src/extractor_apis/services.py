"""What an author's code may use beside its own archive: secrets and language models, all by reference.

A reference says where a value is found by the process that needs it; the value itself is never part of a
config, a state or a log.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from extractor_apis.meta import Struct

SECRET_PATTERN = r"^[A-Za-z_][A-Za-z0-9_.-]{0,99}$"


class SecretReference(Struct):
    """Where the value of a secret is: exactly one of the two."""

    env: str | None = None
    """Name of an environment variable of the worker."""
    file: str | None = None
    """Path of a mounted file; a trailing line break is not part of the secret."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("name exactly one of env and file")
        return self


class LLMEndpoint(Struct):
    """A language model's HTTP endpoint."""

    style: Literal["openai", "anthropic", "google"]
    """The protocol it speaks."""
    base_url: str | None = None
    """Where it is, as in ``http://vllm.models:8000/v1``; the provider's public address by default."""
    api_key: str | None = Field(default=None, pattern=SECRET_PATTERN)
    """Name of the secret that holds the key; none is sent without."""
    model: str | None = None
    """The model to use where the author names none."""


class Services(Struct):
    """Everything that `container` gives an author."""

    secrets: dict[str, SecretReference] = Field(default_factory=dict)
    """By the name that the author asks for."""
    llm: dict[str, LLMEndpoint] = Field(default_factory=dict)
    """By the provider's name that the author asks for: ``openai``, ``anthropic``, ``google`` or one's own."""
    llm_concurrency: int = Field(default=8, ge=1, le=1000)
    """Calls to language models at a time, in each worker."""
    llm_timeout: float = Field(default=120.0, gt=0)
    """Seconds that one call may take, its retries included."""
