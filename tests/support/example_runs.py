"""The examples as the platform takes them: accepted, run over a source, asked."""

import asyncio
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractor_apis.manifest import Manifest
from extractor_apis.naming import FeatureURI
from extractor_apis.run import RunConfig, RunState
from extractor_cli import archive
from extractor_runtime import loader
from extractor_runtime.batch import ingest
from extractor_runtime.realtime import realtime_service
from extractor_stores import Hit, Store, search
from support.examples import EXAMPLES


@dataclass(frozen=True)
class Example:
    """An example that the scan has accepted, and the store of its own that it runs into."""

    admitted: archive.Admitted
    store: Path

    @classmethod
    def admit(cls, name: str, store: Path) -> "Example":
        """Pack, scan and unpack an example, as `extractor run` does."""
        with Store.open(store, create=True) as opened:
            return cls(archive.admit(str(EXAMPLES / name), opened.layout.artifacts), store)

    @property
    def manifest(self) -> Manifest:
        """What the scan read."""
        return self.admitted.manifest

    def run(self, source: object, **changes: Any) -> RunState:
        """Run it over a source, on Ray."""
        config = {
            "run_id": f"run-{uuid.uuid4().hex[:12]}",
            "collection": "default",
            "source": str(source),
            "store": str(self.store),
            "tree": str(self.admitted.tree),
            "artifact_digest": self.admitted.digest,
            "manifest": self.manifest,
            "cpus": 2,
            **changes,
        }
        return ingest.run(RunConfig.model_validate(config))

    def answer(self, requests: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Ask the realtime half, loaded once, in this process."""
        service = realtime_service.RealtimeService.load(
            loader.Tree(self.admitted.tree, self.admitted.digest, self.admitted.top_folder), self.manifest
        )

        async def ask_all() -> list[dict[str, Any]]:
            return [await service.answer(inputs, {}) for inputs in requests]

        try:
            return asyncio.run(ask_all())
        finally:
            service.close()

    def nearest(self, feature: str, vectors: Iterable[Sequence[float]], *, limit: int = 1) -> list[list[Hit]]:
        """Search the store by each vector."""
        uri = FeatureURI(self.manifest.name, self.manifest.version, feature)
        with Store.open(self.store, create=False) as opened:
            return [search(opened, uri, vector, limit=limit) for vector in vectors]

    def stored(self, *columns: str) -> list[dict[str, Any]]:
        """Read columns of every row that is published."""
        with Store.open(self.store, create=False) as opened:
            tables = [opened.published(record) for record in opened.records()]
            return [row for table in tables for rows in table.scan(list(columns)) for row in rows.to_pylist()]

    def documents(self) -> list[dict[str, Any]]:
        """Read every document that is published."""
        return [json.loads(row["document"]) for row in self.stored("document")]
