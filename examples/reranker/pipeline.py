"""The batch side, which every archive has: this one has nothing to do in it."""

from typing import Any


def build_steps(extractor_request: Any, **kwargs: Any) -> dict[str, Any]:
    """Say what to do instead."""
    raise ValueError("a reranker answers at query time only: serve it, there is nothing to run")
