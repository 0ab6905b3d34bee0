"""What an extractor is tried on: the example in its manifest, and files that the user names.

Every sample is a record file of its own in one folder, so that the batch half reads it as it reads any
source; what the realtime half is asked is made of the rows that the source gives.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractor_apis.errors import ExtractorError
from extractor_apis.manifest import Manifest
from extractor_runtime import sources
from extractor_runtime.realtime import query_inputs
from extractor_runtime.sources import formats, local, media, objects, records
from extractor_runtime.sources.formats import Place

MAX_SAMPLES = 1000
EXAMPLE = "example_input"

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_QUESTIONS = ({"pairs"}, {"prompt", "document"})
"""Fields by which an example is a question to a reranker or a language model, and no object to be stored."""

Record = dict[str, Any]


class SampleError(ExtractorError):
    """A file that the extractor was to be tried on cannot be."""


@dataclass(frozen=True)
class Sample:
    """One input: an object of the batch, a question to the realtime half, or both."""

    name: str
    """Its object id in the batch."""
    kind: media.BlobType
    inputs: Record
    """What the realtime half is asked; empty where it cannot be asked."""
    in_batch: bool = True


@dataclass(frozen=True)
class Samples:
    """All there is to try an extractor on."""

    all: tuple[Sample, ...]
    skipped: tuple[str, ...]
    """What was left out, and why."""

    @property
    def in_batch(self) -> list[Sample]:
        """Those that the batch takes."""
        return [sample for sample in self.all if sample.in_batch]


def collect(manifest: Manifest, root: Path, files: Sequence[Path], folder: Path) -> Samples:
    """Take the manifest's example and what is in files, and write what the batch takes to ``folder``.

    ``root`` is the archive's: an example may name a file of it. Raises SampleError or SourceError for files
    that cannot be read, and for more samples than one looks at.
    """
    given = list(itertools.islice(_records(files), MAX_SAMPLES + 1))
    if len(given) > MAX_SAMPLES:
        raise SampleError(
            f"there are more than {MAX_SAMPLES:,} inputs: give a few, and try the rest with run"
        )
    skipped: list[str] = []
    for record in _examples(manifest.example_input):
        record = {name: _resolved(value, root) for name, value in record.items()}
        if absent := next((value for value in record.values() if _is_absent(value)), None):
            skipped.append(f"{EXAMPLE} refers to {absent}, which is not fetched")
        else:
            given.append((EXAMPLE, record))
    named = dict(_named([pair for pair in given if not _is_question(pair[1])]))
    folder.mkdir()
    for index, (name, record) in enumerate(named.items()):
        file = folder / f"{index:04}-{_UNSAFE.sub('_', name)[-80:]}.jsonl"
        file.write_bytes(formats.to_json({"id": name} | record, Place(name, "record", 1)))
    rows = _rows(folder, manifest) if named else []
    questions = [Sample(name, "text", each, in_batch=False) for name, each in given if _is_question(each)]
    return Samples((*(_sample(row, named, manifest) for row in rows), *questions), tuple(skipped))


def named_files(files: Sequence[Path]) -> Iterator[Path]:
    """Name the files that it takes to try an extractor on some: those, and what their records refer to.

    Raises SampleError or SourceError for files that cannot be read.
    """
    yield from files
    for _, record in _records(files):
        for value in record.values():
            if _refers(value) and not media.is_url(value) and Path(value).is_file():
                yield Path(value)


def _is_question(record: Record) -> bool:
    return any(fields <= record.keys() for fields in _QUESTIONS)


def _examples(value: Any) -> list[Record]:
    """Read ``example_input`` in the forms that manifests have it."""
    match value:
        case None:
            return []
        case list():
            return [record for each in value for record in _examples(each)]
        case {"inputs": dict() as inputs}:
            return _examples(inputs)
        case {"texts": [*texts]} if len(value) == 1:
            return [{"text": text} for text in texts]
        case dict():
            return [dict(value)]
    return [{"text": str(value)}]


def _records(files: Sequence[Path]) -> Iterator[tuple[str, Record]]:
    for path in files:
        if not path.is_file():
            raise SampleError(f"--input {path}: there is no such file")
        (file,) = local.find(str(path)).files
        if not formats.is_records(file.name):
            row = objects.read(file)
            yield file.name, {"data": row.data}
            continue
        for record in formats.read(file):
            values = {name: _resolved(value, path.resolve().parent) for name, value in record.values.items()}
            ids = [values.pop(name) for name in records.ID_FIELDS if name in values]
            yield str(next((id for id in ids if id), f"{file.name}:{record.place.number}")), values


def _named(given: Sequence[tuple[str, Record]]) -> Iterator[tuple[str, Record]]:
    """Tell inputs of the same name apart."""
    taken: set[str] = set()
    for name, record in given:
        unique = next(
            each
            for each in itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
            if each not in taken
        )
        taken.add(unique)
        yield unique, record


def _rows(folder: Path, manifest: Manifest) -> list[Record]:
    source = sources.open_source(str(folder), mappings=manifest.input_mappings, names=manifest.input_names)
    return [row for table in source.read() for row in table.to_pylist()]


def _sample(row: Record, named: dict[str, Record], manifest: Manifest) -> Sample:
    name, kind, data = row["object_id"], row["blob_type"], row["data"]
    value = data
    if kind != "text" and not media.is_url(data):
        path = Path(data)
        if not path.is_file() or path.stat().st_size > query_inputs.MAX_FILE:
            return Sample(name, kind, {})
        value = query_inputs.data_url(path, row["mime_type"])
    given = named[name]
    if any(field in given for field in manifest.input_mappings.values()):
        given = {**given, **{alias: row.get(alias) for alias in manifest.input_mappings}}
    fields = {
        field: value if each == data else each
        for field, each in given.items()
        if each is not None and field != "data"
    }
    return Sample(name, kind, query_inputs.named(value, kind, manifest.input_names) | fields)


def _resolved(value: Any, folder: Path) -> Any:
    return records.resolve(value, str(folder)) if isinstance(value, str) else value


def _is_absent(value: Any) -> bool:
    """Tell whether a value names a media file that is not on this machine."""
    return _refers(value) and (media.is_url(value) or not Path(value).is_file())


def _refers(value: Any) -> bool:
    """Tell whether a value names a media file."""
    return isinstance(value, str) and not media.is_inline(value) and media.referenced_type(value) is not None
