"""How an ExtractorRun is reconciled: what is known is gathered, decided upon, and done."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from extractor_apis.collection import Collection
from extractor_apis.conditions import Outcome, Stage
from extractor_apis.extractor import Deadlines, Extractor
from extractor_apis.extractorrun import ExtractorRun, ExtractorRunStatus
from extractor_operator import children, kube
from extractor_operator.context import Context
from extractor_operator.errors import Stalled
from extractor_operator.kind import Kind
from extractor_operator.kube import Json
from extractor_operator.kuberay.job import JobObservation, observe_job
from extractor_operator.kuberay.network_policy import render_source_policy
from extractor_operator.kuberay.rayjob import job_name
from extractor_operator.permissions import permission
from extractor_operator.relations import Key
from extractor_operator.results import Results
from extractor_operator.runs import adoption, inputs, job, status
from extractor_operator.runs.decide import Decision, Facts, decide, give_up
from extractor_operator.runs.turns import Turns
from extractor_operator.watched import RAY_JOBS

PERMISSIONS = (permission("networking.k8s.io", "networkpolicies", "create", "patch"),)


@dataclass
class RunAttempt:
    """One reconcile of one run."""

    run: ExtractorRun
    ctx: Context
    clock: Callable[[], datetime]
    turns: Turns
    decision: Decision | None = None
    stages: list[Stage] = field(default_factory=list)
    doing: str = "making the RayJob"

    async def work(self) -> Outcome:
        """Make the RayJob of the next attempt, follow the one that is, or remove it."""
        namespace, jobs = self.run.metadata.namespace, self._jobs()
        self.run = adoption.adopt(self.run, jobs)
        # Of the attempt that is, or was the last.
        known = jobs.get(job_name(self.run, self.run.status.attempts or 0))
        decision = decide(await self._facts(known))
        if decision.submit:
            body = await self._render(decision.submit)
            await children.create(RAY_JOBS, namespace, body, self.ctx)
            made = {"job": body["metadata"]["name"]}
            decision = dataclasses.replace(decision, status=decision.status.model_copy(update=made))
        elif decision.remove and known:
            await children.delete(RAY_JOBS, namespace, known, self.ctx)
        self.decision = decision
        return decision.outcome

    def status(self, known: ExtractorRun, outcome: Outcome, *, now: str) -> ExtractorRunStatus:
        """Make the status of what was decided; where nothing was, it says what it said."""
        said = self.decision.status if self.decision else known.status
        return status.render(known, said, outcome, self._results, now=now)

    def _jobs(self) -> dict[str, Json]:
        metadata = self.run.metadata
        key = Key(ExtractorRun.__name__, metadata.namespace, metadata.name)
        return self.ctx.store.children(key, RAY_JOBS.kind)

    async def _facts(self, known: Json | None) -> Facts:
        run, ctx, now = self.run, self.ctx, self.clock()
        namespace = run.metadata.namespace
        collection = ctx.store.read(Collection, namespace, run.spec.collection)
        extractor = ctx.store.read(Extractor, namespace, run.spec.extractor)
        follows = run.status.attempts and not run.status.finished
        return Facts(
            run=run,
            job=await self._observe(known, now),
            state=await ctx.in_thread(self._results.state, run.metadata.name) if follows else None,
            retries=collection.spec.retries if collection else 0,
            deadlines=extractor.spec.deadlines if extractor else Deadlines(),
            now=now,
        )

    async def _observe(self, known: Json | None, now: datetime) -> JobObservation:
        """Read a RayJob; what is around it only where it is not well."""
        observed = observe_job(known, None, (), now=now)
        if not observed.pods_to_read or self.run.status.finished:
            return observed
        around = await children.surroundings(
            self.run.metadata.namespace, observed.cluster_name, observed.pods_to_read, self.ctx
        )
        return observe_job(known, around.cluster, around.pods, now=now)

    async def _render(self, attempt: int) -> Json:
        try:
            wanted = inputs.require(self.run, self.ctx.store)
            self.turns.take(self.run, self.ctx.store, self.clock())
        except Stalled:
            # It never can be, and others wait for its turn.
            self.decision = Decision(give_up(self.run, self.clock()), Outcome())
            raise
        body = await job.render(self.run, wanted, self.ctx, attempt)
        policy = render_source_policy(self.run, wanted.collection, body["metadata"]["name"])
        if policy:
            # Before its pods are: what they cannot reach at first they may not try again.
            path = kube.path(policy["apiVersion"], "networkpolicies", self.run.metadata.namespace)
            await self.ctx.client.apply(f"{path}/{policy['metadata']['name']}", policy)
        return body

    @property
    def _results(self) -> Results:
        return Results.of(self.ctx.cluster, self.run.metadata.namespace)


def kind(clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Kind[ExtractorRun]:
    """Give the kind; tests bring a clock of their own."""
    turns = Turns()
    return Kind(ExtractorRun, lambda run, ctx, _: RunAttempt(run, ctx, clock, turns))
