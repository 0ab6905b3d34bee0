"""Objects of our kinds, as small as they can be; what a test is about is named."""

from datetime import UTC, datetime, timedelta
from typing import Any

from extractor_apis.collection import Collection
from extractor_apis.extractor import Extractor
from extractor_apis.extractorrun import ExtractorRun
from extractor_apis.resource import Resource

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(seconds: float) -> str:
    """Write the time that is so many seconds after the beginning."""
    return (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def body(kind: type[Resource], name: str, spec: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """Build an object as the API server gives it."""
    metadata = {
        "name": name,
        "namespace": "team",
        "uid": f"uid-{name}",
        "generation": 1,
        "resourceVersion": "1",
        "creationTimestamp": at(0),
        **parts.pop("metadata", {}),
    }
    api = f"{kind.GROUP}/{kind.VERSION}"
    return {"apiVersion": api, "kind": kind.__name__, "metadata": metadata, "spec": spec, **parts}


def extractor(version: str = "1.0.0", *, active: str | None = "1.0.0", **spec: Any) -> Extractor:
    """Build an Extractor, by default with an active version."""
    status = {"activeVersion": active, "applied": "hash"} if active else {}
    return Extractor.model_validate(body(Extractor, "text", {"version": version, **spec}, status=status))


def collection(*, metadata: Any = None, status: Any = None, **spec: Any) -> Collection:
    """Build a Collection, `news`, of the Extractor `text`."""
    asked = {"source": {"url": "s3://bucket/news/"}, "extractor": "text", **spec}
    return Collection.model_validate(
        body(Collection, "news", asked, metadata=metadata or {}, status=status or {})
    )


def run(name: str = "news-1", *, metadata: Any = None, status: Any = None, **spec: Any) -> ExtractorRun:
    """Build an ExtractorRun of the collection `news`."""
    asked = {"collection": "news", "extractor": "text", "version": "1.0.0", **spec}
    return ExtractorRun.model_validate(
        body(ExtractorRun, name, asked, metadata=metadata or {}, status=status or {})
    )
