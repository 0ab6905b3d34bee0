"""An archive's realtime class, loaded and asked as a replica does it."""

import asyncio
import contextlib
import hashlib
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from extractor_apis.manifest import Manifest
from extractor_apis.services import Services
from extractor_runtime import loader
from extractor_runtime.realtime.realtime_service import RealtimeService

MANIFEST = {
    "feature_extractor_name": "tiny",
    "version": "1.0.0",
    "features": [
        {"feature_type": "embedding", "feature_name": "vector", "embedding_dim": 2, "distance_metric": "dot"}
    ],
}
NO_SERVICES = Services()
Load = Callable[..., RealtimeService]
"""Writes an archive's realtime.py and loads it."""


@contextlib.contextmanager
def loading(folder: Path) -> Iterator[Load]:
    """Load classes in a folder until the block ends."""
    loaded = []

    def load(source: str, *, services: Services = NO_SERVICES, **manifest: Any) -> RealtimeService:
        (folder / "realtime.py").write_text(textwrap.dedent(source).lstrip("\n"))
        tree = loader.Tree(folder, f"sha256:{hashlib.sha256(str(folder).encode()).hexdigest()}")
        known = Manifest.from_names(MANIFEST | manifest)
        loaded.append(RealtimeService.load(tree, known, services, seconds=5))
        return loaded[-1]

    yield load
    for service in loaded:
        service.close()


def ask(service: RealtimeService, **inputs: Any) -> dict[str, Any]:
    """Ask with one parameter."""
    return asyncio.run(service.answer(inputs, {"mode": "fast"}))
