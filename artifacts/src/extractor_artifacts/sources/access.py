"""What a fetch may do, and what it brings."""

from dataclasses import dataclass

from extractor_artifacts.addresses import AddressPolicy
from extractor_artifacts.blobs import BlobStore
from extractor_artifacts.digest import Digest
from extractor_artifacts.fetch import MAX_BYTES
from extractor_artifacts.patience import Patience
from extractor_artifacts.sources.credentials import Credentials


@dataclass(frozen=True)
class Access:
    """With whose rights a source is read, and within which limits."""

    addresses: AddressPolicy
    credentials: Credentials
    patience: Patience
    """Its ``total`` bounds the whole fetch."""
    max_bytes: int = MAX_BYTES
    """What the archive may weigh."""
    blobs: BlobStore | None = None
    """The tenant's own: where ``store://`` leads to, and what was fetched is kept and not fetched again."""


@dataclass(frozen=True)
class FetchedSource:
    """An archive that arrived, and is what was asked for."""

    digest: Digest
    """Of the archive's bytes, as they came."""
    size: int
    resolved: str
    """The source and the digest that it is pinned by; without secrets. Give it back as ``pinned``."""
    moved_to: Digest | None = None
    """What the tag leads to by now, if that is another artifact."""
