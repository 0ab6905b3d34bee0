"""What a collection says: what answers, which run is under way, and how the last one ended. It is pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from extractor_apis import conditions
from extractor_apis.collection import Collection, CollectionStatus, Ingest, RunSummary
from extractor_apis.conditions import ConditionType, Outcome, Reason, Stage
from extractor_apis.extractorrun import ExtractorRun
from extractor_apis.resource import ConditionStatus
from extractor_apis.results import CompletionRecord
from extractor_operator import times
from extractor_operator.collections import decide


@dataclass(frozen=True)
class Said:
    """What is known of a collection once it was looked at."""

    runs: Sequence[ExtractorRun]
    """Those that there are, whoever made them."""
    published: CompletionRecord | None
    """What answers when no version is named."""
    following: datetime | None
    """The schedule's next time."""
    made: str | None = None
    """The run that was made just now."""
    seen_to: Mapping[str, Any] = field(default_factory=dict)
    """Fields that tell what need not be asked again."""


def render(known: Collection, said: Said | None, outcome: Outcome, *, now: str) -> CollectionStatus:
    """Make the status; without anything that was found, it says what it said."""
    generation = known.metadata.generation
    stages = conditions.summarise(outcome, done(known, said.published if said else None))
    status = _found(known.status, said) if said else known.status
    return status.model_copy(
        update={
            "observed_generation": known.status.observed_generation if outcome.reconciling else generation,
            "conditions": conditions.merge(known.status.conditions, stages, generation=generation, now=now),
        }
    )


def outcome(said: Said) -> Outcome:
    """Say what its runs come to."""
    current, last = decide.under_way(said.runs), decide.latest(said.runs)
    if current:
        return Outcome(reconciling=_under_way(current))
    if said.made:
        return Outcome(reconciling=_starting(said.made))
    if last and not decide.has_succeeded(last):
        return Outcome(stalled=_ended(last))
    return Outcome()


def _found(known: CollectionStatus, said: Said) -> CollectionStatus:
    current, last, published = decide.under_way(said.runs), decide.latest(said.runs), said.published
    return known.model_copy(
        update={
            "published_version": published.version if published else None,
            "documents": published.documents if published else None,
            "current_run": current.metadata.name if current else said.made,
            "progress": current.status.progress if current else None,
            "last_run": _summary(last) or known.last_run,
            "next_run": times.write(said.following) if said.following else None,
            **said.seen_to,
        }
    )


def done(known: Collection, published: CompletionRecord | None) -> str:
    """Say what is, if nothing is left to do."""
    answers = (
        f"{published.documents} documents of {published.version} answer" if published else "nothing answers"
    )
    if known.spec.suspend:
        return f"{answers}; suspended, so that no runs start"
    if published is None and known.spec.ingest is Ingest.MANUAL:
        return f"{answers}: create an ExtractorRun, or annotate the collection"
    return answers if published else f"{answers} yet: no run was due"


def _under_way(run: ExtractorRun) -> Stage:
    state = conditions.find(run.status.conditions, ConditionType.SUCCEEDED)
    if state is None:
        return _starting(run.metadata.name)
    ready = conditions.find(run.status.conditions, ConditionType.READY)
    said = conditions.stage_of(ready or state)
    if said.reason == Reason.STARTING:
        return _starting(run.metadata.name)
    return _reconciling(said.reason, f"run {run.metadata.name}: {said.message}")


def _starting(run: str) -> Stage:
    # The same from the moment it is made until its code runs: how far it is, it says itself.
    return _reconciling(Reason.STARTING, f"run {run}: it starts")


def _reconciling(reason: Reason, message: str) -> Stage:
    return Stage(ConditionType.RECONCILING, ConditionStatus.TRUE, reason, message)


def _ended(run: ExtractorRun) -> Stage:
    ready = conditions.find(run.status.conditions, ConditionType.READY)
    reason = conditions.stage_of(ready).reason if ready else Reason.FAILED
    message = f"run {run.metadata.name}: {ready.message if ready else 'it failed'}"
    return Stage(ConditionType.STALLED, ConditionStatus.TRUE, reason, message)


def _summary(run: ExtractorRun | None) -> RunSummary | None:
    if run is None:
        return None
    return RunSummary(
        name=run.metadata.name,
        version=run.spec.version,
        written=run.status.written or 0,
        failed=run.status.failed or 0,
        finished=run.status.finished,
    )
