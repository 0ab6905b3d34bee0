"""What goes wrong with a source, as a sentence."""

from extractor_apis import errors


class SourceError(errors.ExtractorError):
    """A source cannot be read: which file and line, why, and what to do next."""
