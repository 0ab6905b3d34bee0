"""What is rendered for KubeRay: whole objects, and the way of each field into every pod."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from extractor_apis.extractor import Egress
from extractor_apis.run import RunConfig
from extractor_operator.errors import Stalled
from extractor_operator.kuberay import network_policy, rayjob, rayservice, stable_service
from support import workloads
from support.workloads import CLUSTER, make_code, make_collection, make_extractor, make_run

FIXTURES = Path(__file__).parents[2] / "fixtures/rendered"
SECURED = {
    "serviceAccountName": "reader",
    "imagePullSecrets": [{"name": "login"}],
    "runtimeClassName": "gvisor",
    "nodeSelector": {"pool": "gpu"},
    "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
}
ENV = {"name": "TOKEN", "secret": {"name": "service", "key": "token"}}


def job(extractor: dict[str, Any] | None = None, *, attempt: int = 1, **code: Any) -> Any:
    return rayjob.render_rayjob(
        make_run(),
        make_extractor(**extractor or {}),
        make_collection(),
        make_code(**code),
        CLUSTER,
        python="3.11",
        attempt=attempt,
    )


def service(extractor: dict[str, Any] | None = None, **code: Any) -> Any:
    made = make_extractor(**extractor or {})
    assert made.spec.realtime is not None
    return rayservice.render_rayservice(made, made.spec.realtime, make_code(**code), CLUSTER, python="3.11")


def pods(rendered: Any) -> dict[str, Any]:
    """Give the templates of all pods that KubeRay makes of an object."""
    spec = rendered["spec"]
    cluster = spec.get("rayClusterSpec") or spec["rayClusterConfig"]
    found = {
        "head": cluster["headGroupSpec"]["template"],
        **{group["groupName"]: group["template"] for group in cluster["workerGroupSpecs"]},
    }
    return found | ({"submitter": spec["submitterPodTemplate"]} if "submitterPodTemplate" in spec else {})


RENDERED: dict[str, Callable[[], Any]] = {
    "rayjob": lambda: job(),
    "rayjob-everything": lambda: rayjob.render_rayjob(
        make_run("articles-2026-11-23-and-a-name-that-is-far-too-long", retryFailed="articles-1"),
        make_extractor(
            **SECURED,
            env=[ENV],
            queueName="batch",
            runAsUser=1000,
            parameters={"language": "en"},
            batch={
                "workers": 3,
                "resources": {"cpu": "500m", "gpu": 1, "gpuResource": "nvidia.com/mig-1g.10gb"},
            },
        ),
        make_collection(
            source={"url": "s3://bucket/articles/", "secretRef": {"name": "bucket"}},
            parameters={"depth": 2},
            inputMappings={"text": "body"},
        ),
        make_code(
            environment={
                **{"key": "some", "digest": workloads.ENVIRONMENT, "archiveSize": 99},
                "image": "own@sha256:00",
            }
        ),
        CLUSTER,
        python="3.11",
        attempt=2,
    ),
    "rayservice": lambda: service(),
    "rayservice-gpu": lambda: service(
        {"realtime": {"minReplicas": 1, "maxReplicas": 4, "targetOngoingRequests": 3}},
        compute_profile={"resource_type": "gpu"},
        serve_config={"num_cpus": 1.5, "memory_gb": 12},
    ),
    "service": lambda: stable_service.render_service(make_extractor(), "text-embed-serve", "some-cluster"),
    "network-policy": lambda: network_policy.render_policy(
        make_extractor(), CLUSTER, [Egress(cidr="203.0.113.0/24", ports=(443, 8443))]
    ),
    "network-policy-of-a-source": lambda: network_policy.render_source_policy(
        make_run(), make_collection(source={"url": "s3://bucket/articles/"}), "articles-1-0123456789"
    ),
}


@pytest.mark.parametrize("name", RENDERED)
def test_the_whole_object_is_as_it_was_reviewed(name: str) -> None:
    assert RENDERED[name]() == yaml.safe_load((FIXTURES / f"{name}.yaml").read_text())


@pytest.mark.parametrize("make", [job, service])
@pytest.mark.parametrize("field", SECURED)
def test_what_a_tenant_chooses_reaches_every_pod_and_the_submitters_too(make: Any, field: str) -> None:
    found = {name: template["spec"].get(field) for name, template in pods(make(SECURED)).items()}

    assert found == dict.fromkeys(found, SECURED[field])


@pytest.mark.parametrize("make", [job, service])
def test_no_pod_has_a_token_for_the_api_server(make: Any) -> None:
    found = pods(make())

    assert {template["spec"]["automountServiceAccountToken"] for template in found.values()} == {False}


@pytest.mark.parametrize("make", [job, service])
def test_only_the_container_that_installs_sees_the_capability(make: Any) -> None:
    mounted = {
        container["name"]
        for template in pods(make()).values()
        for container in (*template["spec"].get("initContainers", ()), *template["spec"]["containers"])
        if any(mount["name"] == "capability" for mount in container.get("volumeMounts", ()))
    }

    assert mounted == {"install"}


@pytest.mark.parametrize("make", [job, service])
def test_the_authors_variables_reach_only_the_containers_that_run_the_authors_code(make: Any) -> None:
    having = {
        container["name"]
        for template in pods(make({"env": [ENV]})).values()
        for container in (*template["spec"].get("initContainers", ()), *template["spec"]["containers"])
        if any(variable["name"] == "TOKEN" for variable in container["env"])
    }

    assert having == {"ray-head", "ray-worker"}


def test_a_pod_sees_the_results_of_its_own_namespace_only() -> None:
    [container] = pods(service())["workers"]["spec"]["containers"]

    assert [mount for mount in container["volumeMounts"] if mount["name"] == "results"] == [
        {"name": "results", "mountPath": "/results/team-a", "subPath": "team-a"}
    ]


def test_the_same_run_is_told_the_same_at_every_attempt_under_another_name() -> None:
    first, second = job(attempt=1), job(attempt=2)

    assert first["metadata"]["name"] != second["metadata"]["name"]
    assert told(first) == told(second)


def test_a_run_is_told_what_the_collection_says_over_what_the_extractor_says() -> None:
    rendered = rayjob.render_rayjob(
        make_run(),
        make_extractor(parameters={"language": "en", "depth": 1}),
        make_collection(parameters={"depth": 2}, errorBudget={"count": 3, "percent": 50}),
        make_code(),
        CLUSTER,
        python="3.11",
        attempt=1,
    )

    config = told(rendered)

    assert config.parameters == {"language": "en", "depth": 2}
    assert (config.error_budget.count, config.error_budget.share) == (3, 0.5)


def test_a_config_that_no_annotation_holds_stalls_and_says_what_to_shorten() -> None:
    with pytest.raises(Stalled, match="shorten the manifest's schemas"):
        job(example_input={"text": "x" * 300_000})


def test_dependencies_that_no_pod_can_fetch_stall_instead_of_being_left_out() -> None:
    with pytest.raises(Stalled, match="annotate the version with"):
        job(environment={"key": "some"})


@pytest.mark.parametrize(
    ("edit", "is_another"),
    [
        pytest.param({"realtime": {"minReplicas": 2, "maxReplicas": 4}}, False, id="fewer replicas at least"),
        pytest.param(
            {"realtime": {"maxReplicas": 4, "targetOngoingRequests": 9}}, False, id="when there are more"
        ),
        pytest.param(
            {"realtime": {"maxReplicas": 4, "keepWarmSeconds": 1}}, False, id="how long the old one stays"
        ),
        pytest.param(
            {"realtime": {"maxReplicas": 4, "strategy": "Recreate"}}, False, id="how a new one takes over"
        ),
        pytest.param({"batch": {"workers": 7}}, False, id="what only runs take"),
        pytest.param({"realtime": {"maxReplicas": 5}}, True, id="a larger pool"),
        pytest.param({"nodeSelector": {"pool": "gpu"}}, True, id="other nodes"),
        pytest.param({"parameters": {"language": "de"}}, True, id="other parameters"),
        pytest.param({"queueName": "serve"}, True, id="another queue"),
        pytest.param({"env": [ENV]}, True, id="another variable"),
    ],
)
def test_an_edit_makes_another_rayservice_unless_serve_takes_it_in_place(
    edit: dict[str, Any], is_another: bool
) -> None:
    before, after = (service({"realtime": {"maxReplicas": 4}} | more) for more in ({}, edit))

    assert (before["metadata"]["name"] != after["metadata"]["name"]) is is_another
    assert is_another or before["spec"]["rayClusterConfig"] == after["spec"]["rayClusterConfig"]


def test_a_run_that_waits_in_a_queue_is_made_suspended_and_only_then() -> None:
    queued, free = job({"queueName": "batch"}), job()

    assert queued["spec"]["suspend"] is True
    assert queued["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "batch"
    assert "suspend" not in free["spec"]


def test_nobody_of_another_tenants_namespace_reaches_a_pod_however_it_is_labelled() -> None:
    policy = network_policy.render_policy(make_extractor(), CLUSTER, [])["spec"]
    peers = [peer for rule in policy["ingress"] for peer in rule["from"]]
    peers += [peer for rule in policy["egress"] for peer in rule.get("to", ())]

    named = [peer["namespaceSelector"]["matchLabels"] for peer in peers if "namespaceSelector" in peer]
    assert {next(iter(each)) for each in named} == {"kubernetes.io/metadata.name"}
    assert {next(iter(each.values())) for each in named} == {"kuberay-system", "extractor-system"}


def test_a_source_on_a_shared_volume_needs_no_way_out() -> None:
    assert network_policy.render_source_policy(make_run(), make_collection(), "articles-1") is None


def told(rendered: Any) -> RunConfig:
    """Read what the pods of a RayJob are told, all of them the same."""
    [config] = {
        template["metadata"]["annotations"]["extractors.mixpeek.com/config"]
        for name, template in pods(rendered).items()
        if name != "submitter"
    }
    return RunConfig.model_validate_json(config)
