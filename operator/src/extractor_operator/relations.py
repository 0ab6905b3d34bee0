"""Which objects have to be looked at when another one changes, and what they read of it. All of it is pure.

An object is found under its marks; what reads it is woken only if what it shows to others has changed, so
that a thousand collections of one extractor do not wake it with every object that they have done.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from extractor_apis.collection import Collection
from extractor_apis.extractor import Extractor
from extractor_apis.extractorrun import ExtractorRun
from extractor_apis.extractorversion import ExtractorVersion
from extractor_apis.resource import Resource

Json = dict[str, Any]


class Key(NamedTuple):
    """Which object."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


class Mark(NamedTuple):
    """Something by which objects of a kind and a namespace are found."""

    kind: str
    namespace: str
    field: str
    value: str


Find = Callable[[Mark], Iterable[Key]]


def key_of(body: Json) -> Key:
    """Name an object."""
    metadata = body["metadata"]
    return Key(body["kind"], metadata.get("namespace", ""), metadata["name"])


def concerns_us(body: Json) -> bool:
    """Tell whether an object is of one of our kinds, or was made for one."""
    return _is_ours(body["apiVersion"]) or owner(body) is not None


def owner(body: Json) -> Key | None:
    """Name the object of ours that an object was made for."""
    for reference in body["metadata"].get("ownerReferences", ()):
        if _is_ours(reference["apiVersion"]) and reference.get("controller"):
            return Key(reference["kind"], body["metadata"].get("namespace", ""), reference["name"])
    return None


def marks(body: Json) -> frozenset[Mark]:
    """Say under what an object is found."""
    key, spec, status = key_of(body), body.get("spec", {}), body.get("status", {})
    found = {}
    if key.kind == ExtractorVersion.__name__:
        found["uid"] = body["metadata"]["uid"]
    if key.kind in (Collection.__name__, ExtractorRun.__name__):
        found["extractor"] = spec["extractor"]
    if key.kind == ExtractorRun.__name__:
        found["collection"] = spec["collection"]
    if key.kind == Collection.__name__ and "publishedVersion" in status:
        found["published"] = f"{spec['extractor']}@{status['publishedVersion']}"
    made_for = owner(body)
    if made_for:
        found["owner"] = f"{made_for.kind}/{made_for.name}"
    return frozenset(Mark(key.kind, key.namespace, *each) for each in found.items())


def shows(body: Json) -> object:
    """Give what others read of an object; only another value of it wakes them."""
    kind, metadata, status = body["kind"], body["metadata"], body.get("status", {})
    asked = (metadata["uid"], metadata.get("generation"))
    if kind == ExtractorVersion.__name__:
        return asked, _ready(status), status.get("artifact"), status.get("environment")
    if kind == Extractor.__name__:
        return asked, status.get("activeVersion"), "applied" in status, _ready(status)
    if kind == Collection.__name__:
        return asked, status.get("publishedVersion")
    return asked, "deletionTimestamp" in metadata, status


def dependents(body: Json, find: Find, *, is_gone: bool = False) -> Iterator[Key]:
    """Name the objects that read this one, which may just have been deleted."""
    key, spec, status = key_of(body), body.get("spec", {}), body.get("status", {})
    made_for = owner(body)
    if made_for:
        yield made_for
    match key.kind:
        case ExtractorVersion.__name__:
            yield Key(Extractor.__name__, key.namespace, spec["extractor"])
            yield from _of_extractor(key.namespace, spec["extractor"], find)
        case Extractor.__name__:
            yield from _of_extractor(key.namespace, key.name, find)
        case Collection.__name__:
            yield Key(Extractor.__name__, key.namespace, spec["extractor"])
            yield from find(Mark(ExtractorRun.__name__, key.namespace, "collection", key.name))
        case ExtractorRun.__name__:
            yield Key(Collection.__name__, key.namespace, spec["collection"])
            if is_gone or "finished" in status:
                # Another one's turn.
                yield from find(Mark(ExtractorRun.__name__, key.namespace, "collection", spec["collection"]))


def _is_ours(api: str) -> bool:
    return api.partition("/")[0] == Resource.GROUP


def _of_extractor(namespace: str, extractor: str, find: Find) -> Iterator[Key]:
    for kind in (Collection.__name__, ExtractorRun.__name__):
        yield from find(Mark(kind, namespace, "extractor", extractor))


def _ready(status: Json) -> object:
    """Give what others quote."""
    told = [each for each in status.get("conditions", ()) if each["type"] in ("Ready", "Stalled")]
    return [(each["type"], each["status"], each.get("message")) for each in told]
