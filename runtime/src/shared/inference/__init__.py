"""Built-in model services: their configurations can be made, the services fail when they are used."""

from extractor_runtime.sdk.unavailable import UnavailableModelError

__all__ = ["UnavailableModelError"]
