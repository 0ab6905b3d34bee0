"""The kinds on a real API server: what it takes, what it refuses and says, and what kubectl shows of them."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import kubernetes
from support.kubernetes import Cluster

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
DIGEST = "sha256:" + "0" * 64
API = "extractors.mixpeek.com/v1alpha1"

VERSION = {
    "kind": "ExtractorVersion",
    "metadata": {"name": "text-embedder-1.0.0"},
    "spec": {
        "extractor": "text-embedder",
        "version": "1.0.0",
        "source": {"zip": {"url": "https://example.com/text-embedder.zip", "digest": DIGEST}},
    },
}
EXTRACTOR = {
    "kind": "Extractor",
    "metadata": {"name": "text-embedder"},
    "spec": {"version": "1.0.0", "realtime": {"minReplicas": 1, "maxReplicas": 4}},
}
COLLECTION = {
    "kind": "Collection",
    "metadata": {"name": "articles"},
    "spec": {"extractor": "text-embedder", "source": {"url": "s3://bucket/articles/"}},
}
RUN = {
    "kind": "ExtractorRun",
    "metadata": {"name": "articles-1"},
    "spec": {"collection": "articles", "extractor": "text-embedder", "version": "1.0.0"},
}
ALL = [pytest.param(each, id=str(each["kind"])) for each in (VERSION, EXTRACTOR, COLLECTION, RUN)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with kubernetes.cluster(tmp_path_factory.mktemp("kubernetes")) as made:
        made.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
        made.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        yield made


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    with cluster.namespace() as name:
        yield name


def changed(base: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Copy an object with one field set, or left out for None."""
    made = copy.deepcopy(base)
    *parents, last = path.split(".")
    node = made
    for parent in parents:
        node = node.setdefault(parent, {})
    if value is None:
        del node[last]
    else:
        node[last] = value
    return made


def apply(cluster: Cluster, namespace: str, item: dict[str, Any], *options: str) -> tuple[bool, str]:
    """Apply an object as a user does, and give what kubectl says."""
    text = json.dumps({"apiVersion": API} | item)
    done = cluster.try_kubectl(
        "apply", f"--namespace={namespace}", "--validate=strict", *options, "-f", "-", input=text
    )
    return done.returncode == 0, done.stdout + done.stderr


def get(cluster: Cluster, namespace: str, item: dict[str, Any], *options: str) -> str:
    return cluster.kubectl(
        "get", f"--namespace={namespace}", item["kind"], item["metadata"]["name"], *options
    )


@pytest.mark.parametrize("item", ALL)
def test_the_smallest_object_is_taken_and_says_that_nobody_has_looked_at_it(
    cluster: Cluster, namespace: str, item: dict[str, Any]
) -> None:
    taken, said = apply(cluster, namespace, item)

    assert taken, said
    assert json.loads(get(cluster, namespace, item, "-o", "json"))["status"] == {"observedGeneration": -1}


@pytest.mark.parametrize("item", ALL)
def test_applying_an_object_again_changes_nothing(
    cluster: Cluster, namespace: str, item: dict[str, Any]
) -> None:
    apply(cluster, namespace, item)

    assert apply(cluster, namespace, item)[1].strip().endswith("unchanged")


@pytest.mark.parametrize(
    ("item", "path", "value", "want"),
    [
        pytest.param(
            VERSION,
            "metadata.name",
            "text-embedder-2.0.0",
            "metadata.name must be spec.extractor, a dash, and spec.version",
            id="a version under another name",
        ),
        pytest.param(
            VERSION,
            "spec.source.oci",
            {"reference": "registry.example.com/extractors/text:1.0.0"},
            "name exactly one source: zip, or oci",
            id="a version with two sources",
        ),
        pytest.param(VERSION, "spec.source.zip", None, "name exactly one source", id="a version with none"),
        pytest.param(
            VERSION,
            "spec.source.zip",
            {"url": "http://example.com/a.zip"},
            "an http:// URL needs a digest",
            id="an archive that anyone on the way could change",
        ),
        pytest.param(
            VERSION,
            "spec.source.zip.url",
            "file:///etc/passwd",
            "spec.source.zip.url",
            id="an archive on the operator's own disk",
        ),
        pytest.param(
            VERSION,
            "spec.source.zip.digest",
            "sha256:12",
            "spec.source.zip.digest",
            id="a digest that is none",
        ),
        pytest.param(VERSION, "spec.version", "1.0", "spec.version", id="half a version"),
        pytest.param(VERSION, "spec.extractor", "text_embedder", "spec.extractor", id="an underscore"),
        pytest.param(VERSION, "spec.sources", {}, 'unknown field "spec.sources"', id="a misspelt field"),
        pytest.param(
            VERSION,
            "spec.verify",
            {"provider": "cosign"},
            "name exactly one of identities",
            id="a signature that anybody could make",
        ),
        pytest.param(
            EXTRACTOR,
            "spec.realtime.maxReplicas",
            0,
            "spec.realtime.maxReplicas",
            id="no replica at all",
        ),
        pytest.param(
            EXTRACTOR,
            "spec.realtime.minReplicas",
            9,
            "minReplicas is above maxReplicas",
            id="more replicas at least than at most",
        ),
        pytest.param(
            EXTRACTOR, "metadata.name", "text.embedder", "must be the manifest's name", id="a name with a dot"
        ),
        pytest.param(
            EXTRACTOR,
            "spec.env",
            [{"name": "KEY"}],
            "exactly one of secret and configMap",
            id="a variable",
        ),
        pytest.param(
            EXTRACTOR,
            "spec.batch",
            {"resources": {"memory": "4 GB"}},
            "spec.batch.resources.memory",
            id="an amount that is none",
        ),
        pytest.param(
            EXTRACTOR,
            "spec.tolerations",
            [{"operator": "Exists", "value": "gpu"}],
            "Exists no value",
            id="a taint that has a value and any",
        ),
        pytest.param(EXTRACTOR, "spec.runAsUser", 0, "spec.runAsUser", id="pods that run as root"),
        pytest.param(
            EXTRACTOR, "spec.realtime.strategy", "Canary", "spec.realtime.strategy", id="another strategy"
        ),
        pytest.param(
            COLLECTION,
            "spec.ingest",
            "onSchedule",
            "a schedule goes with ingest: onSchedule",
            id="a schedule that is not there",
        ),
        pytest.param(
            COLLECTION, "spec.schedule", "0 3 * * *", "a schedule goes with ingest", id="one for nothing"
        ),
        pytest.param(COLLECTION, "spec.source.url", "bucket", "spec.source.url", id="no scheme"),
        pytest.param(RUN, "spec.version", None, "spec.version", id="a run of no version"),
    ],
)
def test_the_server_refuses(
    cluster: Cluster, namespace: str, item: dict[str, Any], path: str, value: Any, want: str
) -> None:
    taken, said = apply(cluster, namespace, changed(item, path, value))

    assert (taken, want in said) == (False, True), said


@pytest.mark.parametrize(
    ("item", "path", "value", "want"),
    [
        pytest.param(VERSION, "spec.message", "other", "push another one", id="a version"),
        pytest.param(RUN, "spec.version", "2.0.0", "create another one", id="a run"),
        pytest.param(RUN, "spec.retryFailed", "articles-0", "create another one", id="what a run replays"),
    ],
)
def test_what_never_changes_is_held_to_it(
    cluster: Cluster, namespace: str, item: dict[str, Any], path: str, value: Any, want: str
) -> None:
    apply(cluster, namespace, item)

    taken, said = apply(cluster, namespace, changed(item, path, value))

    assert (taken, want in said) == (False, True), said


def test_a_run_is_cancelled_once_and_for_all(cluster: Cluster, namespace: str) -> None:
    apply(cluster, namespace, RUN)

    assert apply(cluster, namespace, changed(RUN, "spec.cancel", True))[0]
    taken, said = apply(cluster, namespace, changed(RUN, "spec.cancel", False))

    assert (taken, "stays so" in said) == (False, True), said


@pytest.mark.parametrize(
    ("item", "want"),
    [
        pytest.param(VERSION, "NAME EXTRACTOR VERSION READY SCAN SIZE AGE REASON", id="ExtractorVersion"),
        pytest.param(EXTRACTOR, "NAME ACTIVE DESIRED AVAILABLE READY REPLICAS AGE REASON", id="Extractor"),
        pytest.param(
            COLLECTION, "NAME EXTRACTOR PUBLISHED READY DOCUMENTS PROGRESS AGE REASON", id="Collection"
        ),
        pytest.param(RUN, "NAME COLLECTION VERSION STATE PROGRESS ETA WRITTEN FAILED AGE", id="ExtractorRun"),
    ],
)
def test_kubectl_shows_what_matters(
    cluster: Cluster, namespace: str, item: dict[str, Any], want: str
) -> None:
    apply(cluster, namespace, item)

    assert get(cluster, namespace, item).splitlines()[0].split() == want.split()


@pytest.mark.parametrize("item", ALL)
def test_kubectl_explains_every_field(cluster: Cluster, item: dict[str, Any]) -> None:
    said = cluster.kubectl("explain", f"{item['kind'].lower()}.spec", f"--api-version={API}")

    assert "<no description>" not in said and "FIELDS:" in said


def test_conditions_of_two_managers_are_merged(cluster: Cluster, namespace: str) -> None:
    apply(cluster, namespace, VERSION)
    name = VERSION["metadata"]["name"]  # type: ignore[index]

    def say(manager: str, type: str) -> None:
        condition = {
            "type": type,
            "status": "True",
            "reason": "Succeeded",
            "message": "done",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        cluster.kubectl(
            "apply",
            f"--namespace={namespace}",
            "--server-side",
            "--subresource=status",
            f"--field-manager={manager}",
            "-f",
            "-",
            input=json.dumps(
                {
                    "apiVersion": API,
                    "kind": "ExtractorVersion",
                    "metadata": {"name": name},
                    "status": {"conditions": [condition]},
                }
            ),
        )

    say("one", "Ready")
    say("two", "Reviewed")

    conditions = json.loads(get(cluster, namespace, VERSION, "-o", "json"))["status"]["conditions"]
    assert [condition["type"] for condition in conditions] == ["Ready", "Reviewed"]
