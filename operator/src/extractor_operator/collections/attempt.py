"""How a Collection is reconciled: the run that it asks for is made, and those that are over are removed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from extractor_apis import conditions
from extractor_apis.collection import Collection, CollectionStatus
from extractor_apis.conditions import ConditionType, Outcome, Reason, Stage
from extractor_apis.extractor import Extractor
from extractor_apis.extractorrun import ExtractorRun
from extractor_operator import children, watched
from extractor_operator.collections import decide, status
from extractor_operator.collections.decide import Request, Wanted
from extractor_operator.collections.status import Said
from extractor_operator.context import Context
from extractor_operator.errors import Waiting
from extractor_operator.kind import Kind
from extractor_operator.kube import Json
from extractor_operator.permissions import permission
from extractor_operator.relations import Mark
from extractor_operator.results import Results
from extractor_operator.runs import inputs

PERMISSIONS = (permission(ExtractorRun.GROUP, ExtractorRun.PLURAL, "get", "create", "delete"),)

_AGAIN_SECONDS = 300.0
"""Only to be sure: a change of what is waited for is told at once."""


@dataclass
class CollectionAttempt:
    """One reconcile of one collection."""

    collection: Collection
    ctx: Context
    clock: Callable[[], datetime]
    said: Said | None = None
    stages: list[Stage] = field(default_factory=list)
    doing: str = "looking at its runs"

    async def work(self) -> Outcome:
        """Make the run that is asked for, unless another one has its turn."""
        collection, ctx, now = self.collection, self.ctx, self.clock()
        namespace, runs = collection.metadata.namespace, _runs(collection, ctx)
        published = await ctx.in_thread(self._results.published, collection.metadata.name, self._extractor)
        self.said = Said(runs, published, decide.following(collection, now))
        for run in decide.expired(collection, runs, now):
            gone = {"metadata": run.metadata.model_dump(exclude_none=True)}
            await children.delete(watched.RUNS, namespace, gone, ctx)
        if decide.under_way(runs) is None and not collection.spec.suspend:
            self.said = await self._ask(self.said, now)
        outcome = status.outcome(self.said)
        return replace(outcome, after=decide.look_again(collection, runs, now))

    def status(self, known: Collection, outcome: Outcome, *, now: str) -> CollectionStatus:
        """Make the status of what was found; where nothing was, it says what it said."""
        return status.render(known, self.said, outcome, now=now)

    async def _ask(self, said: Said, now: datetime) -> Said:
        """Make a run if one is asked for, and note what was seen to."""
        wanted = await self._wanted(said)
        asked = decide.request(self.collection, wanted, said.runs, now)
        if asked:
            body = _render(self.collection, asked)
            await children.create(watched.RUNS, self.collection.metadata.namespace, body, self.ctx)
        seen_to = decide.seen_to(self.collection, wanted, asked, now)
        return replace(said, made=asked.name if asked else None, seen_to=seen_to)

    async def _wanted(self, said: Said) -> Wanted:
        """Find what a run would be made of. Raises Waiting while something is missing."""
        collection, store = self.collection, self.ctx.store
        namespace, spec = collection.metadata.namespace, collection.spec
        extractor = store.read(Extractor, namespace, spec.extractor)
        if extractor is None:
            raise _waiting(Reason.NOT_FOUND, f"there is no Extractor {spec.extractor}: apply it")
        if extractor.spec.suspend:
            raise _waiting(
                Reason.SUSPENDED,
                f"the Extractor {spec.extractor} is suspended: set its spec.suspend to false",
            )
        number = spec.version or extractor.status.active_version
        if number is None:
            ready = conditions.find(extractor.status.conditions, ConditionType.READY)
            why = f": {ready.message}" if ready and ready.message else ""
            raise _waiting(
                Reason.VERSION_NOT_READY, f"the Extractor {spec.extractor} has no active version yet{why}"
            )
        version = inputs.require_version(namespace, spec.extractor, number, store)
        assert version.status.artifact is not None, "a version that is Ready has one"
        record = await self.ctx.in_thread(
            self._results.record, collection.metadata.name, self._extractor, number
        )
        runs = frozenset(source.run_id for source in record.sources.values()) if record else frozenset()
        elsewhere = decide.elsewhere(said.published, number, said.runs)
        return Wanted(extractor, number, version.status.artifact.digest, runs, elsewhere)

    @property
    def _results(self) -> Results:
        return Results.of(self.ctx.cluster, self.collection.metadata.namespace)

    @property
    def _extractor(self) -> str:
        """Its name in the manifest, by which results are kept."""
        return self.collection.spec.extractor.replace("-", "_")


def kind(clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Kind[Collection]:
    """Give the kind; tests bring a clock of their own."""
    return Kind(Collection, lambda collection, ctx, _: CollectionAttempt(collection, ctx, clock))


def _runs(collection: Collection, ctx: Context) -> Sequence[ExtractorRun]:
    namespace = collection.metadata.namespace
    mark = Mark(ExtractorRun.__name__, namespace, "collection", collection.metadata.name)
    found = (ctx.store.read(ExtractorRun, namespace, key.name) for key in ctx.store.find(mark))
    return tuple(run for run in found if run and decide.concerns(collection, run))


def _render(collection: Collection, asked: Request) -> Json:
    metadata = collection.metadata
    return {
        "apiVersion": f"{ExtractorRun.GROUP}/{ExtractorRun.VERSION}",
        "kind": ExtractorRun.__name__,
        "metadata": {
            "name": asked.name,
            "namespace": metadata.namespace,
            "ownerReferences": [
                {
                    "apiVersion": f"{Collection.GROUP}/{Collection.VERSION}",
                    "kind": Collection.__name__,
                    "name": metadata.name,
                    "uid": metadata.uid,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": {
            "collection": metadata.name,
            "extractor": collection.spec.extractor,
            "version": asked.version,
        },
    }


def _waiting(reason: Reason, message: str) -> Waiting:
    return Waiting(reason, message, after=_AGAIN_SECONDS)
