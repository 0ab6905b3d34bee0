"""What a run is made of, and what it waits for before its first RayJob."""

from dataclasses import dataclass

from extractor_apis import conditions, naming
from extractor_apis.collection import Collection
from extractor_apis.conditions import ConditionType, Reason
from extractor_apis.extractor import Extractor
from extractor_apis.extractorrun import ExtractorRun
from extractor_apis.extractorversion import ExtractorVersion
from extractor_apis.resource import ConditionStatus
from extractor_operator.errors import Stalled, Waiting
from extractor_operator.store import Store

_AGAIN_SECONDS = 300.0
"""Only to be sure: a change of what is waited for is told at once."""


@dataclass(frozen=True)
class Inputs:
    """The objects that a run is made of."""

    collection: Collection
    extractor: Extractor
    version: ExtractorVersion


def require(run: ExtractorRun, store: Store) -> Inputs:
    """Find them. Raises Waiting for what is to come, and Stalled for what contradicts itself."""
    namespace, spec = run.metadata.namespace, run.spec
    collection = store.read(Collection, namespace, spec.collection)
    if collection is None:
        raise _waiting(Reason.NOT_FOUND, f"there is no Collection {spec.collection}: apply it")
    if collection.spec.extractor != spec.extractor:
        raise Stalled(
            Reason.NAME_MISMATCH,
            f"the Collection {spec.collection} flows through the Extractor {collection.spec.extractor}, "
            f"not {spec.extractor}: create another run",
        )
    extractor = store.read(Extractor, namespace, spec.extractor)
    if extractor is None:
        raise _waiting(Reason.NOT_FOUND, f"there is no Extractor {spec.extractor}: apply it")
    if extractor.spec.suspend:
        raise _waiting(
            Reason.SUSPENDED, f"the Extractor {spec.extractor} is suspended: set spec.suspend to false"
        )
    if extractor.status.applied is None:
        raise _waiting(Reason.STARTING, f"what the pods of {spec.extractor} may reach is not laid down yet")
    version = require_version(namespace, spec.extractor, spec.version, store)
    return Inputs(collection, extractor, version)


def require_version(namespace: str, extractor: str, version: str, store: Store) -> ExtractorVersion:
    """Find a version that can be run. Raises Waiting for one that is to come, else Stalled."""
    name = naming.version_object_name(extractor, version)
    found = store.read(ExtractorVersion, namespace, name)
    if found is None:
        raise _waiting(Reason.NOT_FOUND, f"there is no ExtractorVersion {name}: apply it")
    ready = conditions.find(found.status.conditions, ConditionType.READY)
    is_current = ready and ready.observed_generation == found.metadata.generation
    if not (ready and is_current and ready.status is ConditionStatus.TRUE and found.status.artifact):
        said = f": {ready.message}" if ready and ready.message else " yet"
        message = f"the ExtractorVersion {name} is not Ready{said}"
        if is_current and conditions.find(found.status.conditions, ConditionType.STALLED):
            raise Stalled(Reason.VERSION_NOT_READY, message)
        raise _waiting(Reason.VERSION_NOT_READY, message)
    return found


def _waiting(reason: Reason, message: str) -> Waiting:
    return Waiting(reason, message, after=_AGAIN_SECONDS)
