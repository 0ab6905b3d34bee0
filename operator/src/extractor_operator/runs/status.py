"""The status of a run: what was decided, and what the store of results has of it. It is pure."""

from extractor_apis import conditions
from extractor_apis.conditions import ConditionType, Outcome, Stage
from extractor_apis.extractorrun import ExtractorRun, ExtractorRunStatus
from extractor_apis.resource import ConditionStatus
from extractor_operator.results import Results


def render(
    known: ExtractorRun, said: ExtractorRunStatus, outcome: Outcome, results: Results, *, now: str
) -> ExtractorRunStatus:
    """Make the status; the run's folders are named once there can be something in them."""
    name, generation = known.metadata.name, known.metadata.generation
    stages = _with_state(conditions.summarise(outcome, done(said)), outcome)
    return said.model_copy(
        update={
            "observed_generation": known.status.observed_generation if outcome.reconciling else generation,
            "conditions": conditions.merge(known.status.conditions, stages, generation=generation, now=now),
            "logs": results.logs(name) if said.started else None,
            "dead_letters": results.dead_letters(name) if said.failed else None,
        }
    )


def done(status: ExtractorRunStatus) -> str:
    """Say what a run has done that has ended well."""
    if not status.total:
        return "there was nothing new to do"
    objects = f"{status.written or 0} documents from {status.total} objects"
    if not status.failed:
        return objects
    return f"{objects}; {status.failed} objects failed, see the dead letters; the next run takes them again"


def _with_state(stages: tuple[Stage, ...], outcome: Outcome) -> tuple[Stage, ...]:
    """Have `Succeeded` say where a run is that has no RayJob yet."""
    ended = outcome.stalled or outcome.reconciling
    if ended is None or any(stage.type is ConditionType.SUCCEEDED for stage in stages):
        return stages
    holds = ConditionStatus.FALSE if outcome.stalled else ConditionStatus.UNKNOWN
    return (*stages, Stage(ConditionType.SUCCEEDED, holds, ended.reason, ended.message))
