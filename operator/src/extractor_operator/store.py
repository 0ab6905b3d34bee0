"""What the operator has last seen of each object.

Watch events and our own writes arrive in any order; the higher resource version wins. Only what a reconcile
reads is kept, as JSON: a tenth of what the same object weighs as Python.
"""

import collections
import functools
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import orjson

from extractor_apis import naming
from extractor_apis.resource import Resource
from extractor_operator import relations
from extractor_operator.relations import Key, Mark, key_of

R = TypeVar("R", bound=Resource)

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
_OUR_ANNOTATIONS = f"{Resource.GROUP}/"
_WORKLOAD_SPEC = (
    "suspend",
    "shutdownAfterJobFinishes",
    "preRunningDeadlineSeconds",
    "activeDeadlineSeconds",
    "deletionStrategy",
)
"""Of what others run for us; we know what else we asked for."""


class Said(NamedTuple):
    """A condition, as it is counted."""

    kind: str
    namespace: str
    type: str
    status: str
    reason: str


@dataclass(frozen=True)
class Seen:
    """An object as it was seen."""

    uid: str
    resource_version: int
    asked: tuple[str, int, str]
    """What is asked of the object: its uid, its generation, and the request to look again."""
    is_deleting: bool
    marks: frozenset[Mark] = field(repr=False)
    """Under what it is found."""
    shows: int = field(repr=False)
    """A hash of what others read of it."""
    said: tuple[Said, ...] = field(repr=False)
    """Its conditions, if it is one of ours."""
    content: bytes = field(repr=False)
    """Its metadata, spec and status."""


@dataclass(frozen=True)
class Change:
    """An object that has to be looked at."""

    key: Key
    is_renewed: bool
    """Whether something else is asked of it than before."""
    is_new: bool = False
    """Whether it was not known before."""
    dependents: tuple[Key, ...] = ()
    """Objects that read it, if they would read something else now."""


class Store:
    """Objects by key, and by what marks them."""

    def __init__(self) -> None:
        self._objects: dict[Key, Seen] = {}
        self._marked: dict[Mark, set[Key]] = collections.defaultdict(set)
        self._conditions: collections.Counter[Said] = collections.Counter()

    def get(self, key: Key) -> Seen | None:
        """Give what was last seen of an object; None if it is not there."""
        return self._objects.get(key)

    def read(self, resource: type[R], namespace: str, name: str) -> R | None:
        """Read an object of one of our kinds; None if it is not there, or is being deleted."""
        seen = self._objects.get(Key(resource.__name__, namespace, name))
        if seen is None or seen.is_deleting:
            return None
        found: R = _parse(resource, seen.content)
        return found

    def find(self, mark: Mark) -> tuple[Key, ...]:
        """Name the objects that a mark finds, in order."""
        return tuple(sorted(self._marked.get(mark, ())))

    def children(self, owner: Key, kind: str) -> dict[str, dict[str, Any]]:
        """Give the objects of a kind that were made for another one, by name."""
        found = self.find(Mark(kind, owner.namespace, "owner", f"{owner.kind}/{owner.name}"))
        return {key.name: orjson.loads(self._objects[key].content) for key in found}

    def put(self, body: dict[str, Any]) -> Change | None:
        """Remember an object; say whether there is anything new."""
        key, seen = key_of(body), _slim(body)
        known = self._objects.get(key)
        # Of two objects that had one name, too: what is told of the first may come after the second.
        if known and known.resource_version >= seen.resource_version:
            return None
        self._unmark(key)
        self._objects[key] = seen
        for mark in seen.marks:
            self._marked[mark].add(key)
        self._conditions.update(seen.said)
        is_news = known is None or known.shows != seen.shows
        return Change(
            key,
            is_renewed=known is None or known.asked != seen.asked,
            is_new=known is None,
            dependents=tuple(relations.dependents(body, self.find)) if is_news else (),
        )

    def remove(self, body: dict[str, Any]) -> Change | None:
        """Forget an object that was deleted, unless another one has its name by now."""
        key = key_of(body)
        known = self._objects.get(key)
        if known is None or known.uid != body["metadata"]["uid"]:
            return None
        return self._forget(key)

    def drop(self, kind: str, keep: Iterable[Key], before: Iterable[Key]) -> Iterator[Change]:
        """Forget the objects of a kind that were known ``before`` a list, and are not in it."""
        for key in set(before).difference(keep):
            if key.kind == kind and key in self._objects:
                yield self._forget(key)

    @property
    def conditions(self) -> Mapping[Said, int]:
        """Count the objects of which each is said."""
        return self._conditions

    def __iter__(self) -> Iterator[Key]:
        return iter(tuple(self._objects))

    def __len__(self) -> int:
        return len(self._objects)

    def _forget(self, key: Key) -> Change:
        content = orjson.loads(self._objects[key].content)
        self._unmark(key)
        del self._objects[key]
        dependents = relations.dependents({"kind": key.kind, **content}, self.find, is_gone=True)
        return Change(key, is_renewed=True, dependents=tuple(dependents))

    def _unmark(self, key: Key) -> None:
        known = self._objects.get(key)
        for mark in known.marks if known else ():
            self._marked[mark].discard(key)
            if not self._marked[mark]:
                del self._marked[mark]
        for said in known.said if known else ():
            self._conditions[said] -= 1
            if not self._conditions[said]:
                del self._conditions[said]


@functools.lru_cache(maxsize=256)
def _parse(resource: type[R], content: bytes) -> R:
    """Read an object; thousands read the same extractor and its version."""
    return resource.model_validate_json(content)


def _slim(body: dict[str, Any]) -> Seen:
    metadata, spec = body["metadata"], body.get("spec", {})
    kept = {name: value for name, value in metadata.items() if name in _METADATA}
    annotations = metadata.get("annotations", {})
    ours = {name: value for name, value in annotations.items() if name.startswith(_OUR_ANNOTATIONS)}
    if ours:
        kept["annotations"] = ours
    is_ours = str(body.get("apiVersion", _OUR_ANNOTATIONS)).startswith(_OUR_ANNOTATIONS)
    if not is_ours:
        spec = {name: spec[name] for name in _WORKLOAD_SPEC if name in spec}
    content = {"metadata": kept, "spec": spec, "status": body.get("status", {})}
    return Seen(
        said=_said(body) if is_ours else (),
        uid=metadata["uid"],
        resource_version=int(metadata["resourceVersion"]),
        asked=(metadata["uid"], metadata.get("generation", 0), annotations.get(naming.REQUESTED_AT, "")),
        is_deleting="deletionTimestamp" in metadata,
        marks=relations.marks(body),
        shows=hash(orjson.dumps(relations.shows(body), option=orjson.OPT_SORT_KEYS)),
        content=orjson.dumps(content),
    )


def _said(body: dict[str, Any]) -> tuple[Said, ...]:
    kind, namespace = body["kind"], body["metadata"].get("namespace", "")
    # Thousands of objects say the same few words.
    return tuple(
        Said(kind, namespace, *(sys.intern(str(each.get(name, ""))) for name in ("type", "status", "reason")))
        for each in body.get("status", {}).get("conditions", [])
    )
