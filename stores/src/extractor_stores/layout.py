"""Where everything of a store lies.

A store is a folder; ``format.json`` makes it one. Its number changes only when an older reader would misread
the rest, and its id keeps the documents of two stores apart that share a database.
"""

import json
import re
import uuid
from dataclasses import dataclass
from pathlib import Path

import pydantic

from extractor_apis import naming, results
from extractor_apis.meta import Struct
from extractor_stores import files
from extractor_stores.errors import StoreError

_FORMAT = 1


class Format(Struct):
    """What ``format.json`` says."""

    format: int
    """Version of the layout."""
    id: str
    """Name of this store among all stores."""


@dataclass(frozen=True)
class Layout:
    """The paths of one store."""

    root: Path
    id: str

    @classmethod
    def open(cls, root: Path, *, create: bool) -> "Layout":
        """Find the store in a folder, or make one in a new or empty folder."""
        content = files.read(root / "format.json")
        if content is None:
            _refuse_unless_vacant(root, create)
            fresh = Format(format=_FORMAT, id=uuid.uuid4().hex[:12])
            # Exclusive: of two runs that create the store at once, both must go on with the same id.
            files.write(root / "format.json", fresh.model_dump_json().encode(), exclusive=True)
            content = files.read(root / "format.json") or b""
        return cls(root, _parse(root, content).id)

    def lock(self, collection: str) -> Path:
        """The file that the one run which writes to a collection holds."""
        return self.root / "locks" / collection

    @property
    def artifacts(self) -> Path:
        """The artifact store's folder."""
        return self.root / "artifacts"

    @property
    def records(self) -> Path:
        """The folder of all completion records."""
        return self.root / results.RECORDS

    def run(self, run_id: str) -> Path:
        """The folder of one run: state, dead letters, logs."""
        return self.root / results.run(run_id)

    def vectors(self, collection: str) -> Path:
        """The LanceDB database that holds a collection's tables."""
        return self.root / "vectors" / collection

    def record(self, collection: str, extractor: str, version: str) -> Path:
        """The completion record of one table."""
        return self.root / results.record(collection, extractor, version)

    def pointer(self, collection: str, extractor: str) -> Path:
        """The file that names the version which answers."""
        return self.root / results.pointer(collection, extractor)

    def checkpoints(self, collection: str, extractor: str, version: str, source: str) -> Path:
        """The folder of what runs of one source did for one table and did not publish yet."""
        digest = naming.stable_hash(source)[:16]
        return self.root / "checkpoints" / collection / extractor / version / digest


def check_collection(name: str) -> str:
    """Refuse a name that is no collection's: it becomes part of paths."""
    if re.fullmatch(naming.COLLECTION_PATTERN.rstrip("$"), name) is None:
        raise StoreError(
            f"{name!r} cannot name a collection: write a lower-case letter, then up to 62 of a-z, 0-9, _, -"
        )
    return name


def _refuse_unless_vacant(root: Path, create: bool) -> None:
    try:
        # Hidden files do not count: a killed run may have left the temporary name of format.json.
        names = {entry.name for entry in root.iterdir() if not entry.name.startswith(".")}
    except FileNotFoundError:
        names = set()
    except NotADirectoryError:
        raise StoreError(f"{root} is a file: a store is a folder") from None
    # With a format.json, another run has made the store since this one looked.
    if names and "format.json" not in names:
        raise StoreError(f"{root} is not empty and no store (it has no format.json): name another folder")
    if not create:
        raise StoreError(f"there is no store in {root}: run an extractor into it first")


def _parse(root: Path, content: bytes) -> Format:
    try:
        number = json.loads(content)["format"]
        if isinstance(number, int) and number > _FORMAT:
            raise StoreError(
                f"{root} was written by a newer version (format {number}); "
                f"upgrade this one, which reads format {_FORMAT}"
            )
        return Format.model_validate_json(content)
    except (ValueError, KeyError, TypeError, pydantic.ValidationError) as err:
        raise StoreError(f"{root / 'format.json'} is damaged: restore it from a copy of the store") from err
