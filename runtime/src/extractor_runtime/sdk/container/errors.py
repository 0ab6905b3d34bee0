"""What goes wrong with what the container gives, as a sentence without a secret."""

from extractor_apis.errors import ExtractorError
from extractor_runtime import errors, redaction


class MissingSecretError(errors.SetupError, KeyError):
    """A secret was asked for that the run was not given, or that is not where it was said to be."""

    # KeyError's own shows the message in quotes.
    __str__ = Exception.__str__


class LLMError(ExtractorError):
    """A language model gave no usable answer: which one, why, and what to do."""

    def __init__(
        self,
        message: str,
        *,
        provider: str | None = None,
        model: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(redaction.redact(message))
        self.provider = provider
        self.model = model
        self.status = status
        """Of the HTTP answer, where there was one."""


class LLMSetupError(LLMError, errors.SetupError):
    """No question can be answered: no such endpoint is configured, or it refuses the key."""
