"""Why a Ray cluster does not run, in one sentence: what its pods, its conditions and their containers say.

Of several causes, the one that least heals by itself. The same cause always gives the same words: no names
of pods, no counters, and a container that is tried again says what it said before.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from extractor_apis.conditions import Reason
from extractor_operator.kuberay import image_pull, scheduling
from extractor_operator.kuberay.objects import Container, ContainerState, Pod, Sign, Signs, Terminated
from extractor_operator.kuberay.wording import quote, raised

HEAD_POD_READY = "HeadPodReady"
SIGKILL = 137
"""Exit code of what was killed: by the kernel, which has run out of memory, or by anybody else."""
_REPLICA_FAILURE = "ReplicaFailure"

_HEAD = "the head pod"
_INSTALL = "install"
_NOT_CREATED = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
_QUOTA = re.compile(
    r"exceeded quota: (?P<quota>[^,\s]+), requested: (?P<asked>.+), used: .+, limited: (?P<limit>.+)"
)
_SECRET = re.compile(r"\bsecrets?\b", re.IGNORECASE)
# ray-head: Back-off pulling image …: of KubeRay's own sentence, what follows the container's name.
_OF_CONTAINER = re.compile(
    r"containers with unready status: \[[^\]]*\]; (?P<container>[^:\s]+): (?P<said>.*)", re.DOTALL
)


@dataclass(frozen=True)
class Cause:
    """Why something does not run."""

    reason: Reason
    message: str


_WEIGHT = {
    reason: weight
    for weight, reason in enumerate(
        (
            Reason.SECRET_MISSING,
            Reason.CONTAINER_NOT_CREATED,
            Reason.IMAGE_PULL_FAILED,
            Reason.INSTALL_FAILED,
            Reason.OUT_OF_MEMORY,
            Reason.KILLED,
            Reason.CONTAINER_CRASHED,
            Reason.PODS_REFUSED,
            Reason.EVICTED,
            Reason.QUOTA_EXCEEDED,
            Reason.UNSCHEDULABLE,
        )
    )
}


def find_cause(signs: Signs, pods: Iterable[Pod]) -> Cause | None:
    """Find the most telling cause among a RayCluster's conditions and its pods; None if nothing is wrong."""
    found = [*_of_cluster(signs), *(cause for pod in pods for cause in _of_pod(pod))]
    return min(found, key=lambda cause: (_WEIGHT[cause.reason], cause.message), default=None)


def where_pods_stand(signs: Signs, pods: Iterable[Pod]) -> str:
    """Say how far the pods are, for when nothing is wrong with them and they do not run."""
    # Workers wait for their head.
    for pod in sorted(pods, key=lambda pod: _role(pod) != _HEAD):
        if pod.status.holds("Ready") or pod.metadata.deletion_timestamp:
            continue
        at_work = [
            each.name for each in _containers(pod) if not each.ready and each.state == ContainerState()
        ]
        if at_work:
            return f"{_role(pod)} waits for its container {at_work[0]}, which runs: read its log"
        return f"{_role(pod)} has a node and no containers yet: kubectl describe pod shows its events"
    head = signs.find(HEAD_POD_READY)
    if head and head.status == "True":
        return "its head pod is ready and not all of its workers are"
    return "kubectl describe raycluster shows its events"


def _of_cluster(signs: Signs) -> Iterator[Cause]:
    failure = signs.find(_REPLICA_FAILURE)
    if failure and failure.status == "True":
        cause = _refused(failure)
        if cause:
            yield cause
    head = signs.find(HEAD_POD_READY)
    said = head and head.status == "False" and _OF_CONTAINER.match(head.message)
    if head and said and image_pull.is_failure(head.reason):
        yield Cause(Reason.IMAGE_PULL_FAILED, image_pull.explain(head.reason, said["said"]))


def _refused(failure: Sign) -> Cause | None:
    quota = _QUOTA.search(failure.message)
    if quota:
        name = quote(quota["quota"])
        return Cause(
            Reason.QUOTA_EXCEEDED,
            f"the namespace's quota {name} leaves no room: a pod asks for {quote(quota['asked'])}, and"
            f" {quote(quota['limit'])} is allowed in all; kubectl describe quota {name} shows what is used",
        )
    # What KubeRay could not delete is no reason why something does not start.
    if not failure.reason.startswith("FailedCreate"):
        return None
    # KubeRay repeats its reason before the sentence, and the name of a pod that never was.
    said = re.sub(r'^pods "[^"]*" ', "a pod ", failure.message.removeprefix(failure.reason).strip())
    return Cause(Reason.PODS_REFUSED, f"the API server refuses the pods: {quote(said)}")


def _of_pod(pod: Pod) -> Iterator[Cause]:
    if pod.metadata.deletion_timestamp:
        return
    scheduled = pod.status.find("PodScheduled")
    if scheduled and scheduled.status == "False" and scheduled.reason == "Unschedulable":
        yield Cause(Reason.UNSCHEDULABLE, scheduling.explain(_role(pod), scheduled.message, pod.spec))
    if pod.status.phase == "Failed" and pod.status.reason:
        yield Cause(
            Reason.EVICTED,
            f"{_role(pod)} was ended by its node ({quote(pod.status.reason)}): {quote(pod.status.message)}",
        )
    for container in _containers(pod):
        cause = _of_container(pod, container)
        if cause:
            yield cause


def _of_container(pod: Pod, container: Container) -> Cause | None:
    where = f"the container {container.name} of {_role(pod)}"
    waiting = container.state.waiting
    if waiting and image_pull.is_failure(waiting.reason):
        return Cause(
            Reason.IMAGE_PULL_FAILED, image_pull.explain(waiting.reason, waiting.message, container.image)
        )
    if waiting and waiting.reason in _NOT_CREATED:
        is_secret = _SECRET.search(waiting.message)
        reason = Reason.SECRET_MISSING if is_secret else Reason.CONTAINER_NOT_CREATED
        return Cause(reason, f"{where} cannot be made: {quote(waiting.message)}")
    ended = container.state.terminated or (None if container.ready else container.last_state.terminated)
    # A node that was gone for a while cannot tell how a container ended.
    if ended is None or ended.exit_code == 0 or ended.reason == "ContainerStatusUnknown":
        return None
    if ended.reason == "OOMKilled":
        # The others are as large as we make them.
        is_workers = pod.metadata.labels.get("ray.io/node-type") == "worker" and container.name != _INSTALL
        advice = ": raise resources.memory of the Extractor" if is_workers else ""
        return Cause(
            Reason.OUT_OF_MEMORY,
            f"{where} was killed for using more memory than it may{advice}",
        )
    if ended.exit_code == SIGKILL:
        return Cause(
            Reason.KILLED,
            f"{where} was killed (exit code {SIGKILL}), most often for memory, or because it did not answer"
            f" its probes: {_last_words(ended)}",
        )
    if container.name == _INSTALL:
        return Cause(
            Reason.INSTALL_FAILED,
            f"the artifact could not be installed in {_role(pod)}: {_last_words(ended)}",
        )
    return Cause(
        Reason.CONTAINER_CRASHED, f"{where} ended with exit code {ended.exit_code}: {_last_words(ended)}"
    )


def _last_words(ended: Terminated) -> str:
    return raised(ended.message) or "it said nothing; read its log"


def _containers(pod: Pod) -> Iterator[Container]:
    yield from pod.status.init_container_statuses
    yield from pod.status.container_statuses


def _role(pod: Pod) -> str:
    labels = pod.metadata.labels
    match labels.get("ray.io/node-type"):
        case "head":
            return _HEAD
        case "worker":
            return f"a worker pod (group {labels.get('ray.io/group', '?')})"
    return "the submitter's pod" if "ray.io/originated-from-cr-name" in labels else "the Job's pod"
