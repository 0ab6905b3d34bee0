"""A store: vectors, documents, and the records that say what of them is published."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from extractor_apis import naming
from extractor_apis.results import CompletionRecord, DocumentsIn
from extractor_stores import lock, records
from extractor_stores.documents import MongoDocuments
from extractor_stores.errors import StoreError, disk_errors_reported
from extractor_stores.layout import Layout, check_collection
from extractor_stores.tables import Table


class Store:
    """One store folder, with the MongoDB database that keeps its documents if there is one."""

    def __init__(self, layout: Layout, documents: MongoDocuments | None) -> None:
        self.layout = layout
        self.documents = documents
        self._held: tuple[str, str] | None = None
        """The collection that is locked, and the run that it is locked for."""

    @classmethod
    def open(cls, root: Path, *, create: bool, mongodb_uri: str | None = None) -> Self:
        """Open the store in a folder; with ``create``, make one of a new or empty folder."""
        with disk_errors_reported(root):
            layout = Layout.open(root, create=create)
        return cls(layout, MongoDocuments(mongodb_uri, layout.id) if mongodb_uri else None)

    def close(self) -> None:
        """Close the connections to MongoDB."""
        if self.documents is not None:
            self.documents.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def lock(self, collection: str, run_id: str) -> Iterator[None]:
        """Let this run be the only one that writes to a collection. Raises StoreBusy, which says who does.

        Nothing that a run writes is shared by collections, so any number of them are written at a time.
        """
        path = self.layout.lock(check_collection(collection))
        with ExitStack() as held:
            with disk_errors_reported(self.layout.root):
                held.enter_context(
                    lock.exclusive(path, run_id, f"collection {collection} in {self.layout.root}")
                )
            self._held = (collection, run_id)
            try:
                yield
            finally:
                self._held = None

    def run_id(self, collection: str) -> str:
        """Name the run that writes to a collection through this object."""
        if self._held is None or self._held[0] != collection:
            raise RuntimeError(f"only the run that holds the lock of collection {collection} may write to it")
        return self._held[1]

    def record(self, collection: str, extractor: str, version: str) -> CompletionRecord | None:
        """Read what is published of a version over a collection; None if nothing is."""
        return records.read_record(self.layout, collection, extractor, version)

    def records(self) -> list[CompletionRecord]:
        """Read every completion record, sorted by collection, extractor and version."""
        return list(records.read_records(self.layout))

    def pointer(self, collection: str, extractor: str) -> str | None:
        """Read which version answers when none is named; None if none was ever published."""
        return records.read_pointer(self.layout, collection, extractor)

    @property
    def documents_in(self) -> DocumentsIn:
        """Where this process keeps documents."""
        return DocumentsIn.TABLE if self.documents is None else DocumentsIn.MONGODB

    def check_documents(self, record: CompletionRecord) -> None:
        """Refuse a table whose documents are not where this process keeps them."""
        uri = f"{naming.FeatureURI(record.extractor, record.version)} of collection {record.collection}"
        if record.documents_in is not self.documents_in:
            raise StoreError(
                f"the documents of {uri} are in MongoDB: set MONGODB_URI to that database"
                if record.documents_in is DocumentsIn.MONGODB
                else f"the documents of {uri} are in the store: unset MONGODB_URI, or use a new store"
            )

    def published(self, record: CompletionRecord) -> Table:
        """Open a table as its record says that it is to be read."""
        self.check_documents(record)
        name = naming.table_name(record.collection, record.extractor, record.version)
        table = Table.open(self.layout.vectors(record.collection), name, record.table_version)
        if table is None:
            path = self.layout.record(record.collection, record.extractor, record.version)
            raise StoreError(
                f"version {record.table_version} of table {name}, which is published, is gone: "
                f"restore the store from a copy, or remove {path} and run again"
            )
        return table
