"""What is rendered, before a real API server: strict about every field, and with Pod Security enforced."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support import kuberay, kubernetes
from support.kubernetes import Cluster

pytestmark = pytest.mark.integration

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures/rendered").glob("*.yaml"))


@pytest.fixture(scope="module", params=[True, False], ids=["KubeRay's own definitions", "our schema"])
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if request.param and not kuberay.REAL_CRDS.is_dir():
        message = f"KubeRay's own definitions are not at {kuberay.REAL_CRDS}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with kubernetes.cluster(tmp_path_factory.mktemp("kubernetes")) as made:
        kuberay.install(made, real=request.param)
        yield made


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    with cluster.namespace() as name:
        restricted = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
        cluster.kubectl("patch", "namespace", name, "--patch", json.dumps(restricted))
        yield name


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_every_field_is_one_that_the_api_server_knows(
    cluster: Cluster, namespace: str, fixture: Path
) -> None:
    done = cluster.try_kubectl(
        *("apply", "--server-side", "--validate=strict", f"--namespace={namespace}", "-f", "-"),
        input=json.dumps(placed(fixture, namespace)),
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_pod_security_restricted_takes_every_pod(cluster: Cluster, namespace: str, fixture: Path) -> None:
    for number, template in enumerate(templates(placed(fixture, namespace))):
        # What only the cluster of a tenant has.
        spec = {name: value for name, value in template["spec"].items() if name != "runtimeClassName"}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**template["metadata"], "name": f"pod-{number}"},
            "spec": spec,
        }

        done = cluster.try_kubectl(
            *("create", "--dry-run=server", f"--namespace={namespace}", "-f", "-"), input=json.dumps(pod)
        )

        assert done.returncode == 0, done.stderr


def placed(fixture: Path, namespace: str) -> Any:
    """Read an object, and put it into a namespace."""
    rendered = yaml.safe_load(fixture.read_text())
    rendered["metadata"]["namespace"] = namespace
    return rendered


def templates(node: Any) -> Iterator[dict[str, Any]]:
    """Give every pod template of an object."""
    match node:
        case {"metadata": dict(), "spec": {"containers": list()}}:
            yield node
        case dict():
            for value in node.values():
                yield from templates(value)
        case list():
            for value in node:
                yield from templates(value)
