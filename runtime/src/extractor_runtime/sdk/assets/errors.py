"""What goes wrong with an asset, as a sentence."""

from extractor_apis import errors


class AssetError(errors.ExtractorError):
    """An asset could not be had: which one, why, and what to do next."""
