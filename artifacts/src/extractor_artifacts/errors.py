"""What goes wrong with an archive, as a sentence."""

from extractor_apis import errors


class ArtifactError(errors.ExtractorError):
    """An archive could not be fetched, stored or found: which one, why, and what to do next."""
