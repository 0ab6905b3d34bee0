"""An environment of one distribution, built in a process that may be killed."""

from extractor_artifacts import environments
from extractor_artifacts.environments import Cache, Environment, Python


def build(cache: Cache) -> Environment:
    """Resolve and install `beta`."""
    locked = environments.resolve(
        ["beta"],
        image_digest="sha256:1",
        python=Python.running(),
        constraints=(),
        cache=cache,
    )
    return environments.build(locked, cache)
