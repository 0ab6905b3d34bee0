"""Which cause is found in pods and conditions, and in what words."""

from typing import Any

import pytest

from extractor_apis.conditions import Reason
from extractor_operator.kuberay import cause, objects

Json = dict[str, Any]

PULL = 'failed to pull and unpack image "r.example/a:1": failed to resolve reference "r.example/a:1": '


def pod(
    *,
    role: str = "head",
    waiting: tuple[str, str] | None = None,
    terminated: Json | None = None,
    last: Json | None = None,
    unschedulable: str = "",
    container: str = "ray-head",
    is_init: bool = False,
    requests: dict[str, str] | None = None,
    **status: Any,
) -> objects.Pod:
    """Make a pod with one container, which waits, has ended, or ended before it was started again."""
    state: Json = {}
    if waiting:
        state = {"waiting": {"reason": waiting[0], "message": waiting[1]}}
    if terminated:
        state = {"terminated": terminated}
    told = {"name": container, "image": "r.example/a:1", "ready": False, "state": state}
    if last:
        told |= {"lastState": {"terminated": last}}
    conditions = []
    if unschedulable:
        conditions = [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": unschedulable}
        ]
    labels = {"ray.io/node-type": role, "ray.io/group": "gpu"}
    return objects.Pod.model_validate(
        {
            "metadata": {"name": "x-head-abcde", "labels": labels},
            "spec": {"containers": [{"name": container, "resources": {"requests": requests or {}}}]},
            "status": {
                "conditions": conditions,
                "initContainerStatuses" if is_init else "containerStatuses": [told],
                **status,
            },
        }
    )


def signs(type: str, reason: str, message: str, status: str = "False") -> objects.Signs:
    told = {"type": type, "status": status, "reason": reason, "message": message}
    return objects.Signs.model_validate({"conditions": [told]})


@pytest.mark.parametrize(
    ("seen", "reason", "want"),
    [
        pytest.param(
            pod(waiting=("ErrImagePull", PULL + 'Head "https://r.example/v2/a": dial tcp: no such host')),
            Reason.IMAGE_PULL_FAILED,
            "the image r.example/a:1 cannot be pulled: the name of its registry is not known to the node",
            id="a registry whose name is unknown",
        ),
        pytest.param(
            pod(waiting=("ErrImagePull", PULL + "r.example/a:1: not found")),
            Reason.IMAGE_PULL_FAILED,
            "the image r.example/a:1 cannot be pulled: there is no such image in its registry: correct "
            "the name, or push it",
            id="an image that is not there",
        ),
        pytest.param(
            pod(
                waiting=(
                    "ErrImagePull",
                    PULL + "pull access denied, repository does not exist or may require authorization",
                )
            ),
            Reason.IMAGE_PULL_FAILED,
            "the image r.example/a:1 cannot be pulled: its registry wants a login, or refuses the one it "
            "got: name a Secret in spec.imagePullSecrets",
            id="a registry that wants a login",
        ),
        pytest.param(
            pod(waiting=("ErrImagePull", PULL + "unexpected status: 429 Too Many Requests")),
            Reason.IMAGE_PULL_FAILED,
            "the image r.example/a:1 cannot be pulled: its registry has had too many requests (HTTP 429): "
            "log in with a pull secret, or wait",
            id="a registry that has had too many requests",
        ),
        pytest.param(
            pod(waiting=("ErrImagePull", PULL + "the moon is full")),
            Reason.IMAGE_PULL_FAILED,
            'the image r.example/a:1 cannot be pulled: failed to resolve reference "r.example/a:1": '
            "the moon is full",
            id="a registry that says something new",
        ),
        pytest.param(
            pod(waiting=("InvalidImageName", 'couldn\'t parse image name "A B"')),
            Reason.IMAGE_PULL_FAILED,
            "r.example/a:1 is no name of an image: correct it",
            id="a name that is none",
        ),
        pytest.param(
            pod(waiting=("CreateContainerConfigError", 'secret "keys" not found')),
            Reason.SECRET_MISSING,
            'the container ray-head of the head pod cannot be made: secret "keys" not found',
            id="a Secret that is missing",
        ),
        pytest.param(
            pod(waiting=("CreateContainerConfigError", 'configmap "c" not found')),
            Reason.CONTAINER_NOT_CREATED,
            'the container ray-head of the head pod cannot be made: configmap "c" not found',
            id="a ConfigMap that is missing",
        ),
        pytest.param(
            pod(
                container="install",
                is_init=True,
                terminated={
                    "exitCode": 1,
                    "message": "extractor: the artifact endpoint does not answer; see its Service\n",
                },
            ),
            Reason.INSTALL_FAILED,
            "the artifact could not be installed in the head pod: the artifact endpoint does not answer; "
            "see its Service",
            id="an artifact that cannot be installed",
        ),
        pytest.param(
            pod(role="worker", terminated={"exitCode": 137, "reason": "OOMKilled"}),
            Reason.OUT_OF_MEMORY,
            "the container ray-head of a worker pod (group gpu) was killed for using more memory than it "
            "may: raise resources.memory of the Extractor",
            id="a worker that ran out of memory",
        ),
        pytest.param(
            pod(terminated={"exitCode": 137, "reason": "OOMKilled"}),
            Reason.OUT_OF_MEMORY,
            "the container ray-head of the head pod was killed for using more memory than it may",
            id="a head that ran out of memory, which no field of the Extractor raises",
        ),
        pytest.param(
            pod(role="worker", terminated={"exitCode": 137, "reason": "Error", "message": "step 3\n"}),
            Reason.KILLED,
            "the container ray-head of a worker pod (group gpu) was killed (exit code 137), most often for "
            "memory, or because it did not answer its probes: step 3",
            id="a worker that was killed by nobody knows whom",
        ),
        pytest.param(
            pod(
                waiting=("CrashLoopBackOff", "back-off 2m40s restarting failed container"),
                last={"exitCode": 3, "message": "Traceback …\nValueError: no port\n"},
            ),
            Reason.CONTAINER_CRASHED,
            "the container ray-head of the head pod ended with exit code 3: ValueError: no port",
            id="a crash loop",
        ),
        pytest.param(
            pod(terminated={"exitCode": 2, "message": ""}),
            Reason.CONTAINER_CRASHED,
            "the container ray-head of the head pod ended with exit code 2: it said nothing; read its log",
            id="a container that ended without a word",
        ),
        pytest.param(
            pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory."),
            Reason.EVICTED,
            "the head pod was ended by its node (Evicted): The node was low on resource: memory.",
            id="a pod that its node threw out",
        ),
    ],
)
def test_a_pod_that_does_not_run_says_why(seen: objects.Pod, reason: Reason, want: str) -> None:
    assert cause.find_cause(objects.Signs(), [seen]) == cause.Cause(reason, want)


@pytest.mark.parametrize(
    ("said", "requests", "want"),
    [
        pytest.param(
            "0/3 nodes are available: 1 Insufficient cpu, 2 Insufficient nvidia.com/gpu. no new claims to "
            "deallocate, preemption: 0/3 nodes are available: 3 No preemption victims found.",
            {"cpu": "4", "nvidia.com/gpu": "2"},
            "too little cpu (it asks for 4) and nvidia.com/gpu (it asks for 2) is free",
            id="resources with what is asked for",
        ),
        pytest.param(
            "0/2 nodes are available: 1 Insufficient memory, 1 node(s) had untolerated taint {dedicated: gpu}"
            ". preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
            {},
            "too little memory is free; some nodes have the taint dedicated: gpu, which it does not tolerate",
            id="a taint",
        ),
        pytest.param(
            "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. preemption: 0/2 "
            "nodes are available: 2 Preemption is not helpful for scheduling.",
            {},
            "some nodes do not match its node selector",
            id="a node selector",
        ),
        pytest.param(
            '0/1 nodes are available: persistentvolumeclaim "results" not found. preemption: 0/1 nodes are '
            "available: 1 Preemption is not helpful for scheduling.",
            {},
            'persistentvolumeclaim "results" not found',
            id="a claim that is missing",
        ),
        pytest.param("gated by another", {}, "gated by another", id="what is said in another form"),
    ],
)
def test_a_pod_without_a_node_says_what_it_waits_for(said: str, requests: dict[str, str], want: str) -> None:
    seen = pod(role="worker", unschedulable=said, requests=requests)

    found = cause.find_cause(objects.Signs(), [seen])

    assert found == cause.Cause(Reason.UNSCHEDULABLE, f"no node takes a worker pod (group gpu): {want}")


def test_an_image_that_cannot_be_pulled_says_the_same_whether_it_is_tried_or_waits() -> None:
    said = PULL + "the moon is full"
    tried = pod(waiting=("ErrImagePull", said))
    waits = pod(waiting=("ImagePullBackOff", f'Back-off pulling image "r.example/a:1": ErrImagePull: {said}'))

    assert cause.find_cause(objects.Signs(), [tried]) == cause.find_cause(objects.Signs(), [waits])


def test_the_name_of_an_image_explains_nothing() -> None:
    said = 'failed to resolve reference "r.example/denied:401": r.example/denied:401: not found'
    seen = pod(waiting=("ErrImagePull", f'failed to pull and unpack image "r.example/denied:401": {said}'))

    found = cause.find_cause(objects.Signs(), [seen])

    assert found and "there is no such image in its registry" in found.message


def test_the_same_shortage_on_more_nodes_is_the_same_sentence() -> None:
    one = pod(unschedulable="0/1 nodes are available: 1 Insufficient cpu.")
    many = pod(
        unschedulable="0/9 nodes are available: 4 Insufficient cpu. preemption: 0/9 nodes are available."
    )

    assert cause.find_cause(objects.Signs(), [one]) == cause.find_cause(objects.Signs(), [many])


def test_a_crash_loop_says_the_same_between_its_tries() -> None:
    ended = {"exitCode": 3, "message": "ValueError: no port"}
    states = [
        pod(terminated=ended),
        pod(waiting=("CrashLoopBackOff", "back-off 10s"), last=ended),
        pod(waiting=("CrashLoopBackOff", "back-off 5m0s"), last=ended),
        pod(last=ended),
    ]

    assert len({cause.find_cause(objects.Signs(), [state]) for state in states}) == 1


def test_of_several_causes_the_one_that_least_heals_by_itself_is_told() -> None:
    seen = [
        pod(role="worker", unschedulable="0/1 nodes are available: 1 Insufficient cpu."),
        pod(terminated={"exitCode": 1}),
        pod(waiting=("CreateContainerConfigError", 'secret "keys" not found')),
    ]

    found = [cause.find_cause(objects.Signs(), seen[:number]) for number in (1, 2, 3)]

    assert [each and each.reason for each in found] == [
        Reason.UNSCHEDULABLE,
        Reason.CONTAINER_CRASHED,
        Reason.SECRET_MISSING,
    ]


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(pod(waiting=("ContainerCreating", "")), id="is being made"),
        pytest.param(pod(waiting=("PodInitializing", "")), id="waits for its init container"),
        pytest.param(pod(terminated={"exitCode": 0, "reason": "Completed"}), id="has ended well"),
        pytest.param(
            pod(terminated={"exitCode": 137, "reason": "ContainerStatusUnknown"}), id="is known to nobody"
        ),
    ],
)
def test_a_container_that_is_well_is_no_cause(seen: objects.Pod) -> None:
    assert cause.find_cause(objects.Signs(), [seen]) is None


def test_a_pod_that_is_being_deleted_is_no_cause() -> None:
    seen = pod(terminated={"exitCode": 1})
    metadata = {"deletionTimestamp": "2026-11-22T10:00:00Z", "labels": seen.metadata.labels}
    leaving = seen.model_copy(update={"metadata": objects.Metadata.model_validate(metadata)})

    assert cause.find_cause(objects.Signs(), [leaving]) is None


@pytest.mark.parametrize(
    ("seen", "want"),
    [
        pytest.param(
            signs(
                "ReplicaFailure",
                "FailedCreateWorkerPod",
                'FailedCreateWorkerPod\npods "x-w-a1b2c" is forbidden: exceeded quota: gpus, requested: '
                "limits.cpu=4,nvidia.com/gpu=2, used: limits.cpu=1,nvidia.com/gpu=3, limited: "
                "limits.cpu=9,nvidia.com/gpu=4",
                "True",
            ),
            cause.Cause(
                Reason.QUOTA_EXCEEDED,
                "the namespace's quota gpus leaves no room: a pod asks for limits.cpu=4,nvidia.com/gpu=2, "
                "and limits.cpu=9,nvidia.com/gpu=4 is allowed in all; kubectl describe quota gpus shows what "
                "is used",
            ),
            id="a quota",
        ),
        pytest.param(
            signs(
                "ReplicaFailure",
                "FailedCreateHeadPod",
                'FailedCreateHeadPod\npods "x-head-a1b2c" is forbidden: violates PodSecurity "restricted"',
                "True",
            ),
            cause.Cause(
                Reason.PODS_REFUSED,
                'the API server refuses the pods: a pod is forbidden: violates PodSecurity "restricted"',
            ),
            id="pods that the API server refuses",
        ),
        pytest.param(
            signs("ReplicaFailure", "FailedDeleteHeadPod", 'FailedDeleteHeadPod\npods "x" not found', "True"),
            None,
            id="a pod that was gone already",
        ),
        pytest.param(
            signs("HeadPodReady", "Completed", "containers with unready status: [ray-job-submitter]"),
            None,
            id="a head that has done its work",
        ),
    ],
)
def test_a_ray_cluster_says_what_no_pod_can(seen: objects.Signs, want: cause.Cause | None) -> None:
    assert cause.find_cause(seen, []) == want


@pytest.mark.parametrize(
    ("seen", "want"),
    [
        pytest.param(
            [pod(role="worker", container="wait-gcs-ready", is_init=True), pod()],
            "the head pod waits for its container ray-head, which runs: read its log",
            id="a head that is not ready, and workers that wait for it",
        ),
        pytest.param(
            [pod(phase="Pending", waiting=("ContainerCreating", ""))],
            "the head pod has a node and no containers yet: kubectl describe pod shows its events",
            id="waits for its volumes",
        ),
        pytest.param([], "kubectl describe raycluster shows its events", id="there are no pods"),
    ],
)
def test_pods_that_nothing_is_wrong_with_say_how_far_they_are(seen: list[objects.Pod], want: str) -> None:
    assert cause.where_pods_stand(objects.Signs(), seen) == want
