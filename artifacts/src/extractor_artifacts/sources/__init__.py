"""Sources that tenants name: a URL, an object in a bucket, an artifact in a registry. One call fetches them.

Nothing here is trusted: not the URL, not the server, not a redirect; and nothing is read with the rights of
the process itself, only with the credentials that are passed in.
"""

from extractor_artifacts.addresses import AddressPolicy
from extractor_artifacts.errors import (
    ArchiveTooLarge,
    AuthenticationFailed,
    DigestMismatch,
    FetchFailed,
    NotFound,
    SourceError,
    SourceRefused,
)
from extractor_artifacts.sources.access import Access, FetchedSource
from extractor_artifacts.sources.credentials import Credentials
from extractor_artifacts.sources.fetch import fetch_source

__all__ = [
    "Access",
    "AddressPolicy",
    "ArchiveTooLarge",
    "AuthenticationFailed",
    "Credentials",
    "DigestMismatch",
    "FetchFailed",
    "FetchedSource",
    "NotFound",
    "SourceError",
    "SourceRefused",
    "fetch_source",
]
