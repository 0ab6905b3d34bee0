"""Built-in model services: whatever archives import from here fails when it is used."""

from extractor_runtime.sdk.unavailable import UnavailableModelError

__all__ = ["UnavailableModelError"]
