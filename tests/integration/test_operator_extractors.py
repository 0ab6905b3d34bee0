"""Extractors that serve, on a real API server; the tests play KubeRay's part."""

import datetime
import functools
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pytest

from support import kuberay, kubernetes, operators
from support.kubernetes import Cluster
from support.operators import API, Operator

pytestmark = pytest.mark.integration

Json = dict[str, Any]
VERSIONS = {
    "first": ["1.0.0"],
    "rollout": ["1.0.0", "1.1.0"],
    "failing": ["1.0.0", "1.1.0"],
    "batch": ["1.0.0"],
    "taken": ["1.0.0"],
    "paused": ["1.0.0"],
    "edited": ["1.0.0"],
}
"""By extractor; each test has one of its own."""


@dataclass
class World:
    """An operator at work on one namespace, beside a cluster that runs nothing by itself."""

    cluster: Cluster
    namespace: str
    operator: Operator
    api: kuberay.Api
    again: Callable[[], AbstractContextManager[Operator]]
    """Run another operator, once that one has ended."""

    def path(self, plural: str, name: str = "", sub: str = "") -> str:
        return kuberay.api_path(API, plural, self.namespace, name, sub)

    def extractor(self, name: str, **spec: Any) -> None:
        """Apply an extractor."""
        body = {"apiVersion": API, "kind": "Extractor", "metadata": {"name": name}, "spec": spec}
        done = self.cluster.try_kubectl(
            *("apply", f"--namespace={self.namespace}", "-f", "-"), input=json.dumps(body)
        )
        assert done.returncode == 0, done.stderr

    def get(self, name: str) -> Json:
        return self.api.get(self.path("extractors", name)) or {}

    def services(self, name: str) -> dict[str, Json]:
        """Give the RayServices of an extractor, by version."""
        found = self.api.list(kuberay.path("RayService", self.namespace))
        label = "extractors.mixpeek.com/"
        return {
            each["metadata"]["labels"][f"{label}version"]: each
            for each in found
            if each["metadata"]["labels"][f"{label}extractor"] == name
        }

    def started(self, name: str, version: str) -> Json:
        """Wait for the RayService of a version."""
        return operators.eventually(lambda: self.services(name), lambda found: version in found)[version]

    def answers(self, name: str, version: str) -> str:
        """Have KubeRay say that a version answers; give its RayCluster."""
        return self._say(name, version, "RUNNING")

    def fails(self, name: str, version: str, message: str) -> None:
        """Have KubeRay say that a version's application cannot be deployed."""
        self._say(name, version, "DEPLOY_FAILED", message)

    def _say(self, name: str, version: str, status: str, message: str = "") -> str:
        service = self.started(name, version)
        runs = status == "RUNNING"
        cluster = f"{service['metadata']['name']}-abcde"
        applications = {"app": {"status": status, "message": message, "serveDeploymentStatuses": {}}}
        at = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        known = {"rayClusterName": cluster, "applicationStatuses": applications}
        said = {
            "observedGeneration": service["metadata"]["generation"],
            "numServeEndpoints": int(runs),
            "activeServiceStatus" if runs else "pendingServiceStatus": known,
            "conditions": [
                {
                    "type": "Ready",
                    "status": str(runs),
                    "reason": "NonZeroServeEndpoints" if runs else "Initializing",
                    "message": "",
                    "lastTransitionTime": at,
                }
            ],
        }
        path = kuberay.path("RayService", self.namespace, service["metadata"]["name"])
        assert self.api.set_status(path, said)
        return cluster

    def leads_to(self, service: str) -> str | None:
        """Say which RayCluster a stable Service leads to."""
        found = self.api.get(kuberay.api_path("v1", "services", self.namespace, service))
        return str(found["spec"]["selector"]["ray.io/cluster"]) if found else None

    def reaches(self, name: str, *want: str) -> Json:
        """Wait until an extractor's `Ready` has a status and a reason."""
        seen = operators.eventually(lambda: self.get(name), lambda seen: operators.ready(seen) == want)
        assert not seen["metadata"].get("finalizers") and "kopf" not in str(seen)
        return seen


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("extractors")
    with (
        kubernetes.cluster(folder / "kubernetes") as cluster,
        cluster.namespace() as namespace,
        operators.web(folder / "web") as url,
    ):
        operators.install(cluster)
        kuberay.install(cluster)
        kubeconfig = operators.log_in(cluster, namespace)
        decided = {
            "cluster": {
                "runtimeImage": "registry.example.com/runtime:1",
                "endpoint": "http://127.0.0.1:9",
                "results": f"file://{folder / 'results'}",
            }
        }
        for extractor, versions in VERSIONS.items():
            for version in versions:
                archive = operators.make_archive(extractor, version)
                (folder / f"web/{extractor}-{version}.zip").write_bytes(archive)
                made = operators.make_version(extractor, f"{url}/{extractor}-{version}.zip", archive, version)
                operators.create(cluster, namespace, made)
        run = functools.partial(
            operators.run, cluster, namespace, kubeconfig, folder, "--endpoint-port=0", decided=decided
        )
        with run() as operator:
            world = World(cluster, namespace, operator, kuberay.Api(cluster), run)
            yield world
            world.api.close()
            assert "Traceback" not in operator.log
            assert "403" not in operator.log, "the Role that is shipped is too small"


def condition(item: Json, type: str) -> tuple[str, str]:
    """Give status and reason of a condition."""
    found = {each["type"]: (each["status"], each["reason"]) for each in item["status"]["conditions"]}
    return found[type]


def test_an_extractor_answers_once_its_rayservice_does(world: World) -> None:
    world.extractor("first", version="1.0.0", realtime={})

    cluster = world.answers("first", "1.0.0")
    seen = world.reaches("first", "True", "Succeeded")

    assert condition(seen, "Available") == ("True", "Succeeded")
    assert operators.kstatus(seen) == "Current"
    assert world.leads_to("first-serve") == cluster
    assert seen["status"]["url"] == f"http://first-serve.{world.namespace}.svc:8000/"
    assert (seen["status"]["activeVersion"], seen["status"]["replicas"]) == ("1.0.0", 1)


def test_another_version_takes_over_once_it_answers_and_going_back_is_immediate(world: World) -> None:
    world.extractor("rollout", version="1.0.0", realtime={})
    old = world.answers("rollout", "1.0.0")
    world.reaches("rollout", "True", "Succeeded")

    world.extractor("rollout", version="1.1.0", realtime={})
    world.started("rollout", "1.1.0")
    beside = world.get("rollout")
    assert world.leads_to("rollout-serve") == old
    assert condition(beside, "Available") == ("True", "Succeeded")
    assert "beside 1.0.0" in beside["status"]["plan"]

    new = world.answers("rollout", "1.1.0")
    after = world.reaches("rollout", "True", "Succeeded")
    assert (world.leads_to("rollout-serve"), after["status"]["previousVersion"]) == (new, "1.0.0")
    assert [each["version"] for each in after["status"]["warm"]] == ["1.0.0"]

    world.extractor("rollout", version="1.0.0", realtime={})
    operators.eventually(lambda: world.leads_to("rollout-serve"), lambda cluster: cluster == old)


def test_a_version_that_fails_never_takes_the_good_one_down(world: World) -> None:
    world.extractor("failing", version="1.0.0", realtime={})
    old = world.answers("failing", "1.0.0")
    world.reaches("failing", "True", "Succeeded")

    world.extractor("failing", version="1.1.0", realtime={})
    world.fails("failing", "1.1.0", "RuntimeError: no such model")
    seen = world.reaches("failing", "False", "DeployFailed")

    assert condition(seen, "Available") == ("True", "Succeeded")
    assert condition(seen, "Stalled") == ("True", "DeployFailed")
    assert operators.kstatus(seen) == "Failed"
    assert world.leads_to("failing-serve") == old
    world.extractor("failing", version="1.0.0", realtime={})
    world.reaches("failing", "True", "Succeeded")
    operators.eventually(lambda: set(world.services("failing")), lambda found: found == {"1.0.0"})


def test_an_extractor_without_realtime_serves_nothing_and_can_run(world: World) -> None:
    world.extractor("batch", version="1.0.0")

    seen = world.reaches("batch", "True", "Succeeded")

    assert seen["status"]["activeVersion"] == "1.0.0"
    assert (world.services("batch"), world.leads_to("batch-serve")) == ({}, None)


def test_a_service_of_somebody_else_is_left_alone(world: World) -> None:
    ports = [{"port": 80}]
    theirs = {"metadata": {"name": "taken-serve"}, "spec": {"ports": ports, "selector": {"app": "theirs"}}}
    assert world.api.create(kuberay.api_path("v1", "services", world.namespace), theirs)

    world.extractor("taken", version="1.0.0", realtime={})
    world.answers("taken", "1.0.0")
    world.reaches("taken", "False", "ServiceNameTaken")

    kept = world.api.get(kuberay.api_path("v1", "services", world.namespace, "taken-serve"))
    assert kept and kept["spec"]["selector"] == {"app": "theirs"}


def test_a_suspended_extractor_holds_nothing_and_comes_back(world: World) -> None:
    world.extractor("paused", version="1.0.0", realtime={})
    world.answers("paused", "1.0.0")
    world.reaches("paused", "True", "Succeeded")

    world.extractor("paused", version="1.0.0", realtime={}, suspend=True)
    operators.eventually(lambda: world.services("paused"), lambda found: not found)
    seen = operators.eventually(
        lambda: world.get("paused"), lambda seen: condition(seen, "Available") == ("False", "Suspended")
    )
    assert operators.ready(seen) == ("True", "Succeeded")

    world.extractor("paused", version="1.0.0", realtime={}, suspend=False)
    world.answers("paused", "1.0.0")
    operators.eventually(
        lambda: world.get("paused"), lambda seen: condition(seen, "Available") == ("True", "Succeeded")
    )


def test_replicas_are_changed_in_place(world: World) -> None:
    world.extractor("edited", version="1.0.0", realtime={"maxReplicas": 4})
    world.answers("edited", "1.0.0")
    world.reaches("edited", "True", "Succeeded")
    before = world.started("edited", "1.0.0")

    world.extractor("edited", version="1.0.0", realtime={"minReplicas": 2, "maxReplicas": 4})
    after = operators.eventually(
        lambda: world.started("edited", "1.0.0"),
        lambda seen: '"min_replicas": 2' in seen["spec"]["serveConfigV2"],
    )

    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"]["rayClusterConfig"] == before["spec"]["rayClusterConfig"]
    world.answers("edited", "1.0.0")
    world.reaches("edited", "True", "Succeeded")


def test_an_operator_that_starts_anew_writes_nothing(world: World) -> None:
    settled = ("first", "batch")
    before = {
        name: world.reaches(name, "True", "Succeeded")["metadata"]["resourceVersion"] for name in settled
    }

    world.operator.end()
    with world.again() as operator:
        operators.eventually(lambda: operator.log, lambda log: "at work" in log)
        operators.eventually(
            lambda: operator.ask("/metrics"),
            lambda said: 'reconcile_total{kind="Extractor",result="ready"}' in said,
        )
        after = {name: world.get(name)["metadata"]["resourceVersion"] for name in settled}

    assert after == before
