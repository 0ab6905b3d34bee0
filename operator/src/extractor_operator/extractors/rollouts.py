"""What is on its way to answer, how often it was made, and why it fails where it does. All of it is pure.

Its pods tell that, and they are gone before a person reads it: the status remembers.
"""

import dataclasses
from collections.abc import Iterable

from extractor_apis.conditions import Reason
from extractor_apis.extractor import Rollout
from extractor_operator.extractors.scene import Found, Scene, Wanted
from extractor_operator.kuberay.service import ServiceObservation, ServicePhase

ATTEMPTS = 3
"""RayServices that are made of one spec, if KubeRay gives them up."""

_NOT_BY_ITSELF = frozenset({Reason.DEPLOY_FAILED, Reason.PARITY_MISMATCH, Reason.WORKLOAD_REFUSED})
"""Failures that would be the same another time."""


def known(scene: Scene) -> tuple[Rollout, ...]:
    """Say what is on its way."""
    said = []
    for wanted in filter(None, map(scene.wanted.get, scene.versions)):
        before, found = scene.rollout(wanted.name), scene.there(wanted.name)
        if found is None:
            said += [before] if before else []
        elif found.refused or not found.may_answer:
            said.append(_told(before or Rollout(workload=wanted.name), found))
    return tuple(said)


def starts_anew(scene: Scene, rollout: Rollout) -> bool:
    """Tell whether KubeRay has given a RayService up, and another one may fare better."""
    found = scene.there(rollout.workload)
    if found is None or not found.observed.is_final:
        return False
    return rollout.attempts < ATTEMPTS and rollout.reason not in _NOT_BY_ITSELF


def counted(said: Iterable[Rollout], begins: Iterable[Wanted], failed: Iterable[str]) -> tuple[Rollout, ...]:
    """Add what is made or edited now, and count what will be made again because the last one ``failed``."""
    rollouts = {each.workload: each for each in said}
    for name in failed:
        rollouts[name] = Rollout(workload=name, attempts=rollouts[name].attempts + 1)
    for wanted in begins:
        rollouts.setdefault(wanted.name, Rollout(workload=wanted.name))
    return tuple(rollouts.values())


def judge(found: Found, said: Iterable[Rollout]) -> ServiceObservation:
    """Say how a RayService is; of one that was given up, what it said while it could."""
    told = next((each for each in said if each.workload == found.name), None)
    if told is None or told.message is None or not (found.observed.is_final or found.refused):
        return found.observed
    advice = "; what ran before was put back: change spec.realtime" if found.refused else ""
    return dataclasses.replace(
        found.observed,
        phase=ServicePhase.FAILED,
        is_settled=False,
        reason=Reason(told.reason or Reason.DEPLOY_FAILED),
        message=f"{told.message}{advice}",
    )


def _told(before: Rollout, found: Found) -> Rollout:
    observed = found.observed
    # What an author's code raised counts more than that it took too long in the end.
    is_known = before.message is not None and (observed.is_final or found.refused is not None)
    if observed.phase is not ServicePhase.FAILED or is_known:
        return before
    return before.model_copy(update={"reason": str(observed.reason), "message": observed.message[:1024]})
