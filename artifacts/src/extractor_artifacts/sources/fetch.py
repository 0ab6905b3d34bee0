"""Fetch what an ExtractorVersion names as its source."""

from pathlib import Path

from extractor_apis.extractorversion import OCISource, ZipSource
from extractor_artifacts.sources import from_registry, from_url
from extractor_artifacts.sources.access import Access, FetchedSource


def fetch_source(
    source: ZipSource | OCISource, into: Path, *, access: Access, pinned: str | None = None
) -> FetchedSource:
    """Have the archive in the file ``into``, whole and verified; blocks, so hand it to a thread.

    ``pinned`` is what an earlier fetch resolved the source to: only that is fetched then, however a tag or
    the bytes behind a URL may have changed. What the tenant's blob store has is not fetched again. Raises
    SourceError, whose ``reason`` and ``is_transient`` say what it means for the version, and leaves no file
    then; ArtifactError if this machine is at fault, such as a full disk.
    """
    match source:
        case ZipSource():
            return from_url.fetch(source, into, access=access, pinned=pinned)
        case OCISource():
            return from_registry.fetch(source, into, access=access, pinned=pinned)
