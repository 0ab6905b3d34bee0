"""Built-in model services: their configurations can be made, the services fail when they are used."""

from extractor_runtime.unavailable import UnavailableModelError

__all__ = ["UnavailableModelError"]
