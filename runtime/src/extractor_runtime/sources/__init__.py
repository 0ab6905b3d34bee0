"""What a batch run reads: records and files, of this machine, object stores and the web, as Arrow tables."""

from extractor_runtime.sources.errors import SourceError
from extractor_runtime.sources.source import Source, open_source
from extractor_runtime.sources.tables import SCHEMA

__all__ = ["SCHEMA", "Source", "SourceError", "open_source"]
