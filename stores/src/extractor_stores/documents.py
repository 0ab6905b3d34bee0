"""Documents in MongoDB.

A document's ``_id`` holds its revision, so what a run writes lies beside what readers see, and never over it.
It also holds the store's id: two stores may share a database.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

import bson.errors
import pymongo
import pymongo.errors

from extractor_stores.errors import StoreError

_Item = TypeVar("_Item")

# In milliseconds; pymongo's own are 30,000, 20,000 and none.
_TIMEOUTS = {"serverSelectionTimeoutMS": 5_000, "connectTimeoutMS": 5_000, "socketTimeoutMS": 60_000}
_AT_ONCE = 1_000


class MongoDocuments:
    """The documents of one store, in ``documents`` of the URI's database (or of ``extractors``)."""

    def __init__(self, uri: str, store_id: str) -> None:
        self._store_id = store_id
        self._address = _without_secrets(uri)
        try:
            self._client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(uri, **_timeouts(uri))
            self._documents = self._client.get_default_database("extractors")["documents"]
        except (pymongo.errors.PyMongoError, ValueError):
            # Neither its text nor its traceback: pymongo quotes the parts that it could not read.
            raise StoreError(
                "the MongoDB URI cannot be read: write mongodb://user:password@host:27017/database, "
                "with every special character of the password percent-encoded"
            ) from None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def key(self, document_id: str, revision: str) -> str:
        """Name one revision of a document."""
        return f"{self._store_id}:{document_id}:{revision}"

    def put(self, documents: Iterable[dict[str, Any]]) -> None:
        """Write documents, each under its ``_id``, over what is there."""
        for some in _chunks(documents, _AT_ONCE):
            writes = [
                pymongo.ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in some
            ]
            with self._reported(f"write {len(writes)} documents"):
                self._documents.bulk_write(writes, ordered=False)

    def missing(self, keys: Sequence[str]) -> set[str]:
        """Say which of the keys have no document."""
        absent = set(keys)
        for some in _chunks(keys, _AT_ONCE):
            with self._reported("look for documents"):
                absent.difference_update(
                    found["_id"] for found in self._documents.find({"_id": {"$in": some}}, {"_id": 1})
                )
        return absent

    def fetch(self, keys: Sequence[str]) -> dict[str, Any]:
        """Read the documents that are there, by key."""
        fetched: dict[str, Any] = {}
        for some in _chunks(keys, _AT_ONCE):
            with self._reported("read documents"):
                for found in self._documents.find({"_id": {"$in": some}}, {"document": 1}):
                    fetched[found["_id"]] = found["document"]
        return fetched

    def remove(self, keys: Iterable[str]) -> None:
        """Remove the documents that are there."""
        for some in _chunks(keys, _AT_ONCE):
            with self._reported("remove documents"):
                self._documents.bulk_write([pymongo.DeleteOne({"_id": key}) for key in some], ordered=False)

    @contextmanager
    def _reported(self, action: str) -> Iterator[None]:
        try:
            yield
        except pymongo.errors.ConnectionFailure as err:
            raise StoreError(
                f"MongoDB at {self._address} does not answer (could not {action}): start it, then run again"
            ) from err
        except (pymongo.errors.PyMongoError, bson.errors.BSONError, OverflowError) as err:
            raise StoreError(f"MongoDB at {self._address} could not {action}: {_reason(err)}") from err


def _timeouts(uri: str) -> dict[str, Any]:
    """Say which timeouts to set: those that the URI leaves open."""
    return {name: value for name, value in _TIMEOUTS.items() if name.lower() not in uri.lower()}


def _chunks(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def _reason(err: Exception) -> str:
    if isinstance(err, pymongo.errors.BulkWriteError) and err.details and err.details.get("writeErrors"):
        return str(err.details["writeErrors"][0].get("errmsg"))
    return str(err).partition("\n")[0]


def _without_secrets(uri: str) -> str:
    hosts = uri.rpartition("://")[2].rpartition("@")[2].partition("/")[0].partition("?")[0]
    return hosts if re.fullmatch(r"[\w.,:\[\]-]+", hosts) else "its URI"
