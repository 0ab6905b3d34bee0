"""Vectors, documents, and the records that say what of them is published.

Nothing slow is imported until it is needed: LanceDB when a table is opened.
"""

from extractor_apis.results import CompletionRecord, DocumentsIn, SourceRecord
from extractor_stores.errors import StoreBusy, StoreError
from extractor_stores.records import source_revision
from extractor_stores.resolve import Resolved, resolve
from extractor_stores.search import Hit, search
from extractor_stores.store import Store
from extractor_stores.writer import Thresholds, Writer

__all__ = [
    "CompletionRecord",
    "DocumentsIn",
    "Hit",
    "Resolved",
    "SourceRecord",
    "Store",
    "StoreBusy",
    "StoreError",
    "Thresholds",
    "Writer",
    "resolve",
    "search",
    "source_revision",
]
