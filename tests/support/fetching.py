"""A fetch that a test can run in a process of its own."""

from pathlib import Path

from extractor_apis.extractorversion import ZipSource
from extractor_artifacts.addresses import AddressPolicy
from extractor_artifacts.blobs import BlobStore
from extractor_artifacts.patience import Patience
from extractor_artifacts.sources import Access, Credentials, FetchedSource, fetch_source


def fetch_into(root: Path, url: str, digest: str, addresses: AddressPolicy) -> FetchedSource:
    """Fetch an archive into ``root/archive.zip``, and keep it in ``root/blobs``."""
    access = Access(addresses, Credentials(), Patience(), blobs=BlobStore(root / "blobs"))
    return fetch_source(ZipSource(url=url, digest=digest), root / "archive.zip", access=access)
