"""How an Extractor is reconciled: what is there is looked at, decided upon, and done."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from extractor_apis import conditions, naming
from extractor_apis.collection import Collection
from extractor_apis.conditions import ConditionType, Outcome, Reason, Stage
from extractor_apis.extractor import Extractor, ExtractorStatus, Realtime, ServedVersion
from extractor_operator import children, kube, nodes, times
from extractor_operator.context import Context
from extractor_operator.errors import Retrying, Stalled, Waiting
from extractor_operator.extractors import decide, neighbours, outcome, plan, status, targets
from extractor_operator.extractors.decide import Decision
from extractor_operator.extractors.outcome import Unrunnable
from extractor_operator.extractors.scene import Found, Scene
from extractor_operator.extractors.targets import Target
from extractor_operator.kind import Kind, Tell
from extractor_operator.kube import Json
from extractor_operator.kuberay.rayservice import remember
from extractor_operator.kuberay.service import ServiceObservation, observe_service
from extractor_operator.permissions import permission
from extractor_operator.relations import Key, Mark
from extractor_operator.runs import inputs
from extractor_operator.watched import RAY_SERVICES

PERMISSIONS = (permission(RAY_SERVICES.group, RAY_SERVICES.plural, "get", "create", "patch", "delete"),)


@dataclass
class ExtractorAttempt:
    """One reconcile of one extractor."""

    extractor: Extractor
    ctx: Context
    clock: Callable[[], datetime]
    tell: Tell
    looked: set[str]
    """The extractors, by uid, whose Services this process has looked at."""
    stages: list[Stage] = field(default_factory=list)
    doing: str = "looking at its RayServices"
    _said: ExtractorStatus | None = None
    """What was found out, without conditions; None until it was."""

    async def work(self) -> Outcome:
        """Start, promote, keep warm and remove, as far as it goes now."""
        spec = self.extractor.spec
        if spec.realtime is None or spec.suspend:
            return await self._stop()
        wanted, waiting = await self._targets(spec.realtime)
        scene = await self._scene(spec.realtime, wanted)
        decision = decide.decide(scene)
        intended = plan.sentence(scene, decision)
        ended = outcome.of(scene, decision, waiting, await self._fit(scene, wanted))
        self.stages = self._known_stages()
        applied = await self._lead(decision)
        self._said = status.draft(scene, decision, intended).model_copy(update={"applied": applied})
        self.stages = list(ended.stages)
        neighbours.require_egress(self.extractor, self.ctx)
        if decision.takes and intended != self.extractor.status.plan:
            # What it takes is told before it is taken, and what it ends before that ends.
            found = self._said
            if decision.replaces:
                self._said = self.extractor.status.model_copy(update={"plan": intended})
            await self.tell(ended)
            self._said = found
        await self._change(decision, wanted)
        return dataclasses.replace(ended, after=_soonest(decision.after, outcome.again(waiting)))

    def status(self, known: Extractor, outcome: Outcome, *, now: str) -> ExtractorStatus:
        """Make the status of what was found; where nothing was, it says what it said."""
        return status.render(known, self._said or known.status, outcome, now=now)

    async def _stop(self) -> Outcome:
        """Have nothing answer: what was made for that goes, but for the Service that others know."""
        extractor, ctx = self.extractor, self.ctx
        for each in self._services().values():
            await children.delete(RAY_SERVICES, self._namespace, each, ctx)
        main = naming.service_name(extractor.metadata.name)
        kept = {main} if extractor.spec.realtime else set()
        await neighbours.remove(
            extractor, sorted({each.service for each in extractor.status.served} - kept), ctx
        )
        applied = await self._ensure(())
        if extractor.spec.realtime is None:
            # Runs follow the version once it can be run.
            inputs.require_version(
                self._namespace, extractor.metadata.name, extractor.spec.version, ctx.store
            )
        self._said = status.stopped(extractor).model_copy(update={"applied": applied})
        neighbours.require_egress(extractor, ctx)
        if extractor.spec.suspend:
            return outcome.suspended(extractor.spec.version, is_over=not self._services())
        return Outcome()

    async def _targets(self, realtime: Realtime) -> tuple[dict[str, Target], Unrunnable | None]:
        """Render what is asked for, and say why that is not possible of the version that is to be active.

        Another one that cannot be run holds nothing up.
        """
        found, why = {}, None
        for version in {self.extractor.spec.version, *self._published()}:
            try:
                found[version] = await targets.find(self.extractor, realtime, version, self.ctx)
            except (Waiting, Stalled, Retrying) as err:
                why = err if version == self.extractor.spec.version else why
        return found, why

    def _known_stages(self) -> list[Stage]:
        """Keep what was said of answering, should this reconcile come to no better knowledge."""
        known = conditions.find(self.extractor.status.conditions, ConditionType.AVAILABLE)
        return [conditions.stage_of(known)] if known else []

    async def _scene(self, realtime: Realtime, wanted: Mapping[str, Target]) -> Scene:
        now = self.clock()
        found = [await self._look(each, now) for each in self._services().values()]
        return Scene(
            namespace=self._namespace,
            extractor=self.extractor.metadata.name,
            version=self.extractor.spec.version,
            realtime=realtime,
            published=self._published(),
            wanted={version: each.wanted for version, each in wanted.items()},
            found={each.name: each for each in found},
            status=self.extractor.status,
            now=now,
        )

    async def _fit(self, scene: Scene, wanted: Mapping[str, Target]) -> tuple[Stage, ...]:
        """Say of pods that find no place whether there could be one: a warning, and never a gate."""
        asked = scene.asked
        if asked is None or asked.observed.reason is not Reason.UNSCHEDULABLE:
            return ()
        said = await nodes.stage(wanted[scene.version].rendered["spec"]["rayClusterConfig"], self.ctx)
        return (said,) if said else ()

    async def _look(self, service: Json, now: datetime) -> Found:
        """Read a RayService; what is around it only where it is not well."""
        metadata = service["metadata"]
        noted = metadata.get("annotations", {})
        changed = noted.get(naming.EDITED_AT_ANNOTATION)
        edited = times.read(changed) if changed else None

        def observe(around: children.Surroundings) -> ServiceObservation:
            seconds = self.extractor.spec.deadlines.start_seconds
            return observe_service(
                service, around.cluster, around.pods, edited=edited, now=now, start_seconds=seconds
            )

        observed = observe(children.Surroundings())
        if observed.pods_to_read:
            cluster = observed.starting_cluster or observed.cluster_name
            observed = observe(
                await children.surroundings(self._namespace, cluster, observed.pods_to_read, self.ctx)
            )
        return Found(
            name=metadata["name"],
            version=metadata.get("labels", {}).get(naming.VERSION_LABEL, ""),
            observed=observed,
            is_going="deletionTimestamp" in metadata,
            config=noted.get(naming.SERVE_CONFIG_ANNOTATION),
            good=noted.get(naming.GOOD_CONFIG_ANNOTATION),
            refused=noted.get(naming.REFUSED_CONFIG_ANNOTATION),
        )

    async def _lead(self, decision: Decision) -> str:
        """Have queries go to the versions that answer; give the hash of what only the status remembers."""
        known = {each.service for each in self.extractor.status.served}
        main = naming.service_name(self.extractor.metadata.name)
        applied = await self._ensure(decision.served)
        left = known - {each.service for each in decision.served} - {main}
        await neighbours.remove(self.extractor, sorted(left), self.ctx)
        return applied

    async def _ensure(self, served: tuple[ServedVersion, ...]) -> str:
        uid = self.extractor.metadata.uid
        applied = await neighbours.ensure(self.extractor, served, self.ctx, is_first=uid not in self.looked)
        self.looked.add(uid)
        return applied

    async def _change(self, decision: Decision, wanted: Mapping[str, Target]) -> None:
        """Start, edit and remove RayServices."""
        ctx, services = self.ctx, self._services()
        for start in decision.starts:
            body = remember(wanted[start.version].rendered)
            await children.create(RAY_SERVICES, self._namespace, body, ctx)
        for edit in decision.edits:
            rendered = wanted[edit.wanted.version].rendered
            body = rendered | {"spec": rendered["spec"] | {"serveConfigV2": edit.config}}
            noted = remember(body, good=edit.good, refused=edit.refused, edited=times.write(self.clock()))
            path = kube.path(RAY_SERVICES.api, RAY_SERVICES.plural, self._namespace, edit.wanted.name)
            ctx.inbox.seen(await ctx.client.apply(path, noted))
        for name in decision.removes:
            await children.delete(RAY_SERVICES, self._namespace, services[name], ctx)

    def _services(self) -> dict[str, Json]:
        key = Key(Extractor.__name__, self._namespace, self.extractor.metadata.name)
        return self.ctx.store.children(key, RAY_SERVICES.kind)

    def _published(self) -> frozenset[str]:
        """Name the versions whose vectors a collection has published."""
        store = self.ctx.store
        mark = Mark(Collection.__name__, self._namespace, "extractor", self.extractor.metadata.name)
        seen = filter(None, map(store.get, store.find(mark)))
        marks = (each for one in seen for each in one.marks)
        return frozenset(each.value.partition("@")[2] for each in marks if each.field == "published")

    @property
    def _namespace(self) -> str:
        return self.extractor.metadata.namespace


def _soonest(*seconds: float | None) -> float | None:
    return min((each for each in seconds if each is not None), default=None)


def kind(clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Kind[Extractor]:
    """Give the kind; tests bring a clock of their own."""
    looked: set[str] = set()
    return Kind(Extractor, lambda extractor, ctx, tell: ExtractorAttempt(extractor, ctx, clock, tell, looked))
