"""What the operator has last seen of each object.

Watch events and our own writes arrive in any order; the higher resource version wins. Only what a reconcile
reads is kept, as JSON: a tenth of what the same object weighs as Python.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from extractor_apis import naming

_METADATA = frozenset(
    {
        "name",
        "namespace",
        "uid",
        "generation",
        "resourceVersion",
        "creationTimestamp",
        "deletionTimestamp",
        "labels",
        "ownerReferences",
    }
)


class Key(NamedTuple):
    """Which object."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True)
class Seen:
    """An object as it was seen."""

    uid: str
    resource_version: int
    asked: tuple[str, int, str]
    """What is asked of the object: its uid, its generation, and the request to look again."""
    is_deleting: bool
    content: bytes = field(repr=False)
    """Its metadata, spec and status."""


@dataclass(frozen=True)
class Change:
    """An object that has to be looked at."""

    key: Key
    is_renewed: bool
    """Whether something else is asked of it than before."""


class Store:
    """Objects by key."""

    def __init__(self) -> None:
        self._objects: dict[Key, Seen] = {}

    def get(self, key: Key) -> Seen | None:
        """Give what was last seen of an object; None if it is not there."""
        return self._objects.get(key)

    def put(self, body: dict[str, Any]) -> Change | None:
        """Remember an object; say whether there is anything new."""
        key, seen = key_of(body), _slim(body)
        known = self._objects.get(key)
        if known and known.uid == seen.uid and known.resource_version >= seen.resource_version:
            return None
        self._objects[key] = seen
        return Change(key, is_renewed=known is None or known.asked != seen.asked)

    def remove(self, body: dict[str, Any]) -> Change | None:
        """Forget an object that was deleted, unless another one has its name by now."""
        key = key_of(body)
        known = self._objects.get(key)
        if known is None or known.uid != body["metadata"]["uid"]:
            return None
        del self._objects[key]
        return Change(key, is_renewed=True)

    def drop(self, kind: str, keep: Iterable[Key], before: Iterable[Key]) -> Iterator[Change]:
        """Forget the objects of a kind that were known ``before`` a list, and are not in it."""
        for key in set(before).difference(keep):
            if key.kind == kind and key in self._objects:
                del self._objects[key]
                yield Change(key, is_renewed=True)

    def __iter__(self) -> Iterator[Key]:
        return iter(tuple(self._objects))

    def __len__(self) -> int:
        return len(self._objects)


def key_of(body: dict[str, Any]) -> Key:
    """Name an object."""
    metadata = body["metadata"]
    return Key(body["kind"], metadata.get("namespace", ""), metadata["name"])


def _slim(body: dict[str, Any]) -> Seen:
    metadata = body["metadata"]
    kept = {name: value for name, value in metadata.items() if name in _METADATA}
    content = {"metadata": kept, "spec": body.get("spec", {}), "status": body.get("status", {})}
    requested = metadata.get("annotations", {}).get(naming.REQUESTED_AT, "")
    return Seen(
        uid=metadata["uid"],
        resource_version=int(metadata["resourceVersion"]),
        asked=(metadata["uid"], metadata.get("generation", 0), requested),
        is_deleting="deletionTimestamp" in metadata,
        content=json.dumps(content, separators=(",", ":")).encode(),
    )
