"""Built-in model services: whatever archives import from here fails when it is used."""

from extractor_runtime.unavailable import UnavailableModelError

__all__ = ["UnavailableModelError"]
