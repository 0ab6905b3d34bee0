"""A location, opened: which kind it is, which files it has, and its objects as Arrow tables."""

import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from extractor_artifacts import urls
from extractor_runtime.sources import formats, local, objects
from extractor_runtime.sources.errors import SourceError
from extractor_runtime.sources.listing import Listing
from extractor_runtime.sources.records import Aliased, RecordReader
from extractor_runtime.sources.tables import Row, TableBuilder


@dataclass(frozen=True)
class Source:
    """The objects of one location; files were listed when it was opened, and are read each time."""

    listing: Listing
    mappings: Mapping[str, str]
    """Input names of the extractor to the record fields that they mean."""
    names: tuple[str, ...] = ()
    """Fields to look for where no mapped one and no usual one is there."""

    @property
    def uri(self) -> str:
        """Absolute path or URL without credentials: the same for every spelling of the location."""
        return self.listing.uri

    @property
    def holds_records(self) -> bool:
        """Tell whether every file is one of records; otherwise each file is an object."""
        return all(formats.is_records(file.name) for file in self.listing.files)

    def read(self, rows: int = 4096) -> Iterator[pa.Table]:
        """Read the objects in tables of at most ``rows``; a source without objects gives no table.

        Tables have the columns of `SCHEMA` and one for each mapped input name that one of their records has,
        so they may differ in those. Raises SourceError at the first thing that is wrong: a caller that wants
        all or nothing reads to the end first.
        """
        table = TableBuilder(self.mappings)
        for row, aliased in self._rows():
            table.add(row, aliased)
            if len(table) >= rows or table.is_heavy:
                yield table.build()
        if len(table):
            yield table.build()

    def _rows(self) -> Iterator[tuple[Row, Aliased]]:
        if not self.holds_records:
            yield from ((objects.read(file), {}) for file in self.listing.files)
            return
        reader = RecordReader(self.mappings, self.names)
        for file in self.listing.files:
            yield from reader.read(file)


def open_source(location: str, *, mappings: Mapping[str, str], names: Sequence[str] = ()) -> Source:
    """List what a path, glob or URL holds; raise SourceError if there is nothing of that name.

    ``mappings`` is the manifest's ``input_mappings``: which record field an input name means. ``names`` are
    its ``input_names``, by which records that are called nothing usual are read.
    """
    return Source(_find(location), dict(mappings), tuple(names))


def _find(location: str) -> Listing:
    if not location:
        raise SourceError("the source is empty: give a path, a glob or a URL")
    scheme, separator, _ = location.partition("://")
    match scheme.lower() if separator else "":
        case "":
            return local.find(location)
        case "file":
            return local.find(urllib.request.url2pathname(urllib.parse.urlsplit(location).path))
        case "s3" | "gs" | "az":
            from extractor_runtime.sources import remote

            return remote.find(location)
        case "http" | "https":
            from extractor_runtime.sources import web

            return web.find(location)
        case other:
            raise SourceError(
                f"cannot read {urls.redact(location)}: {other}:// is not supported; "
                "give a path or glob, or a file://, s3://, gs://, az://, https:// or http:// URL"
            )
