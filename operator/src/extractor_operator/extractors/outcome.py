"""What an extractor says of itself: whether some version answers, and whether it is what was asked for."""

import dataclasses

from extractor_apis.conditions import ConditionType, Outcome, Reason, Stage
from extractor_apis.extractor import ServedVersion, Strategy
from extractor_apis.resource import ConditionStatus
from extractor_operator.errors import Retrying, Stalled, Waiting
from extractor_operator.extractors import rollouts
from extractor_operator.extractors.decide import NO_ROOM, Decision
from extractor_operator.extractors.scene import Scene
from extractor_operator.kuberay.outcome import serving_outcome
from extractor_operator.kuberay.service import GONE, ROLLING, STARTING, ServiceObservation, ServicePhase

Unrunnable = Waiting | Stalled | Retrying
"""Why a version cannot be run."""

_AGAIN_SECONDS = 30.0


def of(
    scene: Scene, decision: Decision, waiting: Unrunnable | None, stages: tuple[Stage, ...] = ()
) -> Outcome:
    """Say how an extractor is; ``waiting`` is why the version that is asked for cannot be run yet."""
    active = next((each for each in decision.served if each.active), None)
    asked = _asked(scene, decision, waiting)
    answering = scene.there(active.workload) if active else None
    told = _blocked(scene, asked, active)
    outcome = serving_outcome(
        told,
        answering.observed if answering else None,
        version=scene.version,
        active_version=active.version if active else None,
        stages=stages,
    )
    if outcome.reconciling or outcome.stalled:
        return outcome
    return _of_others(scene, decision, outcome)


def suspended(version: str, *, is_over: bool) -> Outcome:
    """Say how an extractor is that nobody is to ask; ``is_over`` tells whether its pods are gone."""
    leaving = ServiceObservation(ServicePhase.SUSPENDED, Reason.SUSPENDED, "its pods end")
    return serving_outcome(
        GONE if is_over else leaving, None, version=version, active_version=None, is_suspended=True
    )


def again(waiting: Unrunnable | None) -> float | None:
    """Say after how many seconds a version may be run that cannot be now."""
    if isinstance(waiting, Waiting):
        return waiting.after
    return _AGAIN_SECONDS if waiting and not isinstance(waiting, Stalled) else None


def _asked(scene: Scene, decision: Decision, waiting: Unrunnable | None) -> ServiceObservation:
    if waiting:
        phase = ServicePhase.FAILED if isinstance(waiting, Stalled) else ServicePhase.STARTING
        return ServiceObservation(phase, waiting.reason, str(waiting))
    found = scene.asked
    if found is None or found.name in decision.removes:
        return STARTING
    observed = rollouts.judge(found, decision.rollouts)
    is_edited = any(each.wanted.name == found.name for each in decision.edits)
    if is_edited and observed.phase is not ServicePhase.FAILED:
        return dataclasses.replace(
            observed, phase=ServicePhase.STARTING, reason=Reason.STARTING, message=ROLLING, is_settled=False
        )
    return observed


def _blocked(scene: Scene, asked: ServiceObservation, active: ServedVersion | None) -> ServiceObservation:
    """Say what to do where there is no room for two."""
    is_beside = active is not None and scene.target is not None and active.workload != scene.target.name
    if not is_beside or asked.reason not in NO_ROOM or scene.realtime.strategy is Strategy.RECREATE:
        return asked
    advice = "set spec.realtime.strategy to Recreate to end the version that answers first"
    return dataclasses.replace(
        asked, reason=Reason.UPGRADE_BLOCKED, message=f"there is no room for two: {asked.message}; {advice}"
    )


def _of_others(scene: Scene, decision: Decision, outcome: Outcome) -> Outcome:
    """Say which version does not answer although its vectors are still published."""
    answering = {each.version for each in decision.served}
    silent = next((each for each in scene.versions if each not in answering), None)
    if silent is None:
        return outcome
    wanted = scene.wanted.get(silent)
    found = scene.there(wanted.name) if wanted else None
    why = rollouts.judge(found, decision.rollouts).message if found else "it is not started yet"
    if wanted is None:
        why = "its ExtractorVersion is not Ready"
    stage = Stage(
        ConditionType.RECONCILING,
        ConditionStatus.TRUE,
        found.observed.reason if found else Reason.STARTING,
        f"{silent}, whose vectors are still published, does not answer: {why}",
    )
    return dataclasses.replace(outcome, reconciling=stage)
