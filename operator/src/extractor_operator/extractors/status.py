"""The status of an extractor: what was decided, and what the conditions say. It is pure."""

from extractor_apis import conditions
from extractor_apis.conditions import Outcome
from extractor_apis.extractor import Extractor, ExtractorStatus
from extractor_operator.extractors.decide import Decision
from extractor_operator.extractors.scene import Scene
from extractor_operator.kuberay import stable_service


def draft(scene: Scene, decision: Decision, plan: str | None) -> ExtractorStatus:
    """Say what is decided; the conditions are added when it is done."""
    known, active = scene.status, next((each for each in decision.served if each.active), None)
    answering = scene.there(active.workload) if active else None
    return known.model_copy(
        update={
            "active_version": active.version if active else None,
            "previous_version": _previous(known, active.version if active else None),
            "url": stable_service.url(scene.namespace, active.service) if active else None,
            "served": decision.served,
            "warm": decision.warm,
            "rollouts": decision.rollouts,
            "replicas": answering.observed.replicas if answering else None,
            "plan": plan,
        }
    )


def stopped(known: Extractor) -> ExtractorStatus:
    """Say that nothing answers, because that is what was asked for; runs follow the version all the same."""
    spec, said = known.spec, known.status
    active = said.active_version if spec.realtime else spec.version
    return ExtractorStatus(
        observed_generation=said.observed_generation,
        active_version=active,
        previous_version=_previous(said, active),
    )


def render(known: Extractor, said: ExtractorStatus, outcome: Outcome, *, now: str) -> ExtractorStatus:
    """Make the status."""
    generation = known.metadata.generation
    stages = conditions.summarise(outcome, _done(known, said))
    return said.model_copy(
        update={
            "observed_generation": known.status.observed_generation if outcome.reconciling else generation,
            "conditions": conditions.merge(known.status.conditions, stages, generation=generation, now=now),
        }
    )


def _done(known: Extractor, said: ExtractorStatus) -> str:
    if known.spec.suspend:
        return "it is suspended, as asked"
    if known.spec.realtime is None:
        return f"{known.spec.version} can run over collections; it answers no queries"
    return f"{said.active_version} answers"


def _previous(known: ExtractorStatus, active: str | None) -> str | None:
    has_moved = active is not None and known.active_version not in (None, active)
    return known.active_version if has_moved else known.previous_version
