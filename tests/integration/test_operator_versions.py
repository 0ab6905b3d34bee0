"""What becomes of an ExtractorVersion on a real API server, under the Role that the operator ships with."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support import kubernetes, operators, scripted_http
from support.kubernetes import Cluster
from support.operators import Operator

pytestmark = pytest.mark.integration

SECRET = "X-Signature=hunter2"


@dataclass(frozen=True)
class World:
    """An operator at work on one namespace."""

    cluster: Cluster
    namespace: str
    operator: Operator
    folder: Path
    url: str

    def publish(self, archive: bytes, name: str) -> str:
        """Put an archive where it can be fetched."""
        (self.folder / "web" / name).write_bytes(archive)
        return f"{self.url}/{name}"

    def make(self, *items: dict[str, Any]) -> None:
        operators.create(self.cluster, self.namespace, *items)

    def settled(self, item: dict[str, Any]) -> dict[str, Any]:
        """Wait until nothing more becomes of a version."""
        return operators.eventually(
            lambda: operators.get(self.cluster, self.namespace, item),
            lambda seen: operators.kstatus(seen) != "InProgress",
        )

    def reaches(self, item: dict[str, Any], reason: str) -> dict[str, Any]:
        """Wait until `Ready` has a reason."""
        return operators.eventually(
            lambda: operators.get(self.cluster, self.namespace, item),
            lambda seen: operators.ready(seen)[1] == reason,
        )

    def events(self, item: dict[str, Any]) -> list[tuple[str, str]]:
        """Wait for a version's events, which come after its status, and give type and reason of each."""
        name = item["metadata"]["name"]
        where = f"/apis/events.k8s.io/v1/namespaces/{self.namespace}/events"

        def look() -> list[tuple[str, str]]:
            found = self.cluster.request("GET", where)["items"]
            return [(each["type"], each["reason"]) for each in found if each["regarding"]["name"] == name]

        return operators.eventually(look, bool)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("operator")
    with (
        kubernetes.cluster(folder / "kubernetes") as cluster,
        cluster.namespace() as namespace,
        operators.web(folder / "web") as url,
    ):
        operators.install(cluster)
        kubeconfig = operators.log_in(cluster, namespace)
        with operators.run(cluster, namespace, kubeconfig, folder) as operator:
            yield World(cluster, namespace, operator, folder, url)
            assert "Traceback" not in operator.log and SECRET not in operator.log
            assert "403" not in operator.log, "the Role that is shipped is too small"


def test_a_version_becomes_ready_with_all_that_is_known_of_it(world: World) -> None:
    archive = operators.make_archive("text-embed")
    item = operators.make_version("text-embed", world.publish(archive, "text-embed.zip"), archive)

    world.make(item)

    seen = world.settled(item)
    status = seen["status"]
    digest = item["spec"]["source"]["zip"]["digest"]
    assert operators.kstatus(seen) == "Current"
    assert (status["source"]["digest"], status["source"]["size"]) == (digest, len(archive))
    assert status["artifact"]["digest"].startswith("sha256:") and status["artifact"]["size"] > 0
    assert (status["scan"]["verdict"], status["scan"]["rejected"]) == ("accept", 0)
    assert status["features"] == [
        {
            "uri": "mixpeek://text_embed@1.0.0/text_embed_v1_embedding",
            "dimensions": 128,
            "distance": "cosine",
        }
    ]
    assert {each["type"]: each["status"] for each in status["conditions"]} == {
        "Ready": "True",
        "ArtifactFetched": "True",
        "ScanPassed": "True",
        "ArtifactStored": "True",
        "EnvironmentReady": "True",
    }
    assert world.events(item) == [("Normal", "Succeeded")]


def test_kubectl_waits_for_it_and_shows_it(world: World) -> None:
    archive = operators.make_archive("waited-for")
    item = operators.make_version("waited-for", world.publish(archive, "waited-for.zip"), archive)
    where = ("--namespace", world.namespace)

    world.cluster.kubectl("apply", *where, "-f", "-", input=json.dumps(item))

    world.cluster.kubectl("wait", *where, "--for=condition=Ready", "exv/waited-for-1.0.0", "--timeout=30s")
    shown = world.cluster.kubectl("get", *where, "exv", "waited-for-1.0.0").splitlines()[1].split()
    assert shown[:5] == ["waited-for-1.0.0", "waited-for", "1.0.0", "True", "accept"]
    assert shown[-1] == "Succeeded"


def test_the_operator_leaves_nothing_of_its_own_on_an_object(world: World) -> None:
    archive = operators.make_archive("untouched")
    item = operators.make_version("untouched", world.publish(archive, "untouched.zip"), archive)

    world.make(item)

    metadata = world.settled(item)["metadata"]
    assert "finalizers" not in metadata and "annotations" not in metadata
    assert {each["manager"] for each in metadata["managedFields"] if "subresource" in each} == {
        "extractor-operator"
    }


@pytest.mark.parametrize(
    ("name", "archive", "served", "want", "says"),
    [
        pytest.param(
            "rejected",
            operators.make_archive("rejected", files={"pipeline.py": "import os\nos.system('id')\n"}),
            None,
            "ScanRejected",
            "C06 pipeline.py:2: uses os.system",
            id="an archive that the scan rejects",
        ),
        pytest.param(
            "other-bytes",
            operators.make_archive("other-bytes"),
            b"other bytes",
            "DigestMismatch",
            "digest mismatch",
            id="bytes that are others",
        ),
        pytest.param("missing", b"", None, "NotFound", "404", id="nothing at the URL"),
        pytest.param(
            "endless",
            operators.make_archive("endless"),
            b"\0" * (operators.MAX_BYTES + 1),
            "ArchiveTooLarge",
            "larger than",
            id="more than an archive may weigh",
        ),
        pytest.param(
            "contradictory",
            operators.make_archive("contradictory", dependencies=[f"{operators.ALLOWED}>=1"]),
            None,
            "DependencyConflict",
            "no-such-distribution",
            id="dependencies that nobody can install",
        ),
        pytest.param(
            "misnamed",
            operators.make_archive("another-name"),
            None,
            "NameMismatch",
            "name the object another-name-1.0.0",
            id="the archive of another extractor",
        ),
        pytest.param(
            "elsewhere",
            operators.make_archive("elsewhere", "2.0.0"),
            None,
            "NameMismatch",
            "name the object elsewhere-2.0.0",
            id="another version",
        ),
    ],
)
def test_what_only_a_person_can_mend_is_stalled_with_a_sentence(
    world: World, name: str, archive: bytes, served: bytes | None, want: str, says: str
) -> None:
    url = f"{world.url}/{name}.zip"
    if archive:
        world.publish(served or archive, f"{name}.zip")
    item = operators.make_version(name, url, archive)

    world.make(item)

    seen = world.settled(item)
    stalled = next(each for each in seen["status"]["conditions"] if each["type"] == "Stalled")
    assert (operators.kstatus(seen), operators.ready(seen)) == ("Failed", ("False", want))
    assert stalled["reason"] == want
    assert says in stalled["message"]
    assert world.events(item) == [("Warning", want)]


def test_a_dependency_that_the_settings_do_not_allow_is_not_installed(world: World) -> None:
    archive = operators.make_archive("unneeded", dependencies=["another-distribution>=1"])
    item = operators.make_version("unneeded", world.publish(archive, "unneeded.zip"), archive)

    world.make(item)

    seen = world.settled(item)
    assert operators.ready(seen) == ("True", "Succeeded")
    assert seen["status"]["environment"] == {"archiveSize": 0, "packages": 0, "size": 0}


def test_a_rejected_archive_shows_its_findings(world: World) -> None:
    archive = operators.make_archive("found-out", files={"pipeline.py": "import subprocess\n"})
    item = operators.make_version("found-out", world.publish(archive, "found-out.zip"), archive)

    world.make(item)

    scan = world.settled(item)["status"]["scan"]
    first = scan["findings"][0]
    assert (scan["verdict"], first["path"], first["line"]) == ("reject", "pipeline.py", 1)
    assert "artifact" not in operators.get(world.cluster, world.namespace, item)["status"]


def test_a_stalled_version_is_looked_at_again_when_somebody_asks(world: World) -> None:
    archive = operators.make_archive("late")
    item = operators.make_version("late", f"{world.url}/late.zip", archive)
    world.make(item)
    world.reaches(item, "NotFound")

    world.publish(archive, "late.zip")
    world.cluster.kubectl(
        *("annotate", "--namespace", world.namespace, "exv/late-1.0.0"),
        "extractors.mixpeek.com/requested-at=now",
    )

    assert operators.kstatus(world.reaches(item, "Succeeded")) == "Current"


def test_an_unreachable_source_is_tried_until_it_is_there(world: World, tmp_path: Path) -> None:
    archive = operators.make_archive("unreachable")
    with operators.web(tmp_path) as url:
        port = int(url.rpartition(":")[2])
    item = operators.make_version("unreachable", f"{url}/unreachable.zip", archive)
    world.make(item)

    seen = world.reaches(item, "ProgressingWithRetry")
    conditions = {each["type"]: (each["status"], each["reason"]) for each in seen["status"]["conditions"]}
    (tmp_path / "unreachable.zip").write_bytes(archive)
    with operators.web(tmp_path, port):
        healed = world.reaches(item, "Succeeded")

    assert conditions == {
        "Ready": ("False", "ProgressingWithRetry"),
        "Reconciling": ("True", "ProgressingWithRetry"),
        "ArtifactFetched": ("False", "FetchFailed"),
    }
    assert (operators.kstatus(seen), operators.kstatus(healed)) == ("InProgress", "Current")


def test_what_takes_long_says_what_it_is_at(world: World) -> None:
    archive = operators.make_archive("slow")
    answer = scripted_http.Answer(archive, drip=5.0 / len(archive))

    with scripted_http.serve(answer) as server:
        item = operators.make_version("slow", f"{server.url}/slow.zip", archive)
        world.make(item)
        seen = world.reaches(item, "Progressing")
        done = world.reaches(item, "Succeeded")

    assert operators.kstatus(seen) == "InProgress"
    assert seen["status"]["conditions"][0]["message"] == "fetching the source"
    assert (operators.kstatus(done), world.events(item)) == ("Current", [("Normal", "Succeeded")])


def test_a_redirect_to_the_metadata_address_is_refused(world: World) -> None:
    away = {"Location": "http://169.254.169.254/latest/meta-data"}
    with scripted_http.serve(scripted_http.Answer(status=302, headers=away)) as server:
        item = operators.make_version("redirected", f"{server.url}/redirected.zip")
        world.make(item)
        seen = world.settled(item)

    assert operators.ready(seen) == ("False", "SourceRefused")


def test_a_secret_that_is_missing_is_waited_for_by_name(world: World) -> None:
    archive = operators.make_archive("secretive")
    url = world.publish(archive, "secretive.zip")
    item = operators.make_version("secretive", url, archive, secretRef={"name": "not-there"})

    world.make(item)

    message = world.reaches(item, "SecretMissing")["status"]["conditions"][0]["message"]
    assert message == f"the Secret not-there is not there: create it in the namespace {world.namespace}"


def test_an_archive_that_nobody_signed_is_refused_where_somebody_must(world: World) -> None:
    archive = operators.make_archive("unsigned")
    item = operators.make_version("unsigned", world.publish(archive, "unsigned.zip"), archive)
    anybody = {"issuer": "https://example.com", "subject": ".*"}
    item["spec"]["verify"] = {"identities": [anybody]}

    world.make(item)

    seen = world.settled(item)
    assert operators.ready(seen) == ("False", "SignatureRefused")
    assert "is not signed" in seen["status"]["conditions"][0]["message"]


def test_a_signed_url_shows_its_secret_nowhere(world: World) -> None:
    archive = operators.make_archive("signed")
    good = operators.make_version("signed", f"{world.publish(archive, 'signed.zip')}?{SECRET}", archive)
    bad = operators.make_version("badly-signed", f"{world.url}/badly-signed.zip?{SECRET}", archive)

    world.make(good, bad)

    said = [world.settled(each)["status"] for each in (good, bad)]
    events = world.cluster.kubectl("get", "events", "--namespace", world.namespace, "-o", "json")
    assert SECRET not in json.dumps(said) + events + world.operator.log


def test_a_deleted_version_leaves_nothing_behind(world: World) -> None:
    archive = operators.make_archive("deleted")
    item = operators.make_version("deleted", world.publish(archive, "deleted.zip"), archive)
    world.make(item)
    world.settled(item)

    world.cluster.kubectl("delete", "--namespace", world.namespace, "exv", "deleted-1.0.0", "--timeout=10s")

    assert "deleted-1.0.0" not in world.cluster.kubectl("get", "exv", "--namespace", world.namespace)
    assert list((world.folder / "store/work").iterdir()) == []


def test_a_version_that_is_made_again_is_another_one(world: World) -> None:
    archive = operators.make_archive("again")
    item = operators.make_version("again", f"{world.url}/again.zip", archive)
    world.make(item)
    world.reaches(item, "NotFound")
    world.publish(archive, "again.zip")

    world.cluster.request("DELETE", operators.path(world.namespace, "again-1.0.0"))
    world.make(item)

    assert operators.kstatus(world.reaches(item, "Succeeded")) == "Current"


def test_liveness_and_metrics_are_told(world: World) -> None:
    archive = operators.make_archive("counted")
    item = operators.make_version("counted", world.publish(archive, "counted.zip"), archive)
    world.make(item)
    world.settled(item)

    metrics = world.operator.ask("/metrics")

    assert world.operator.ask("/livez") == "ok\n"
    for name in (
        'extractor_operator_reconcile_total{kind="ExtractorVersion",result="ready"}',
        "extractor_operator_reconcile_duration_seconds_bucket",
        'extractor_operator_watch_last_event_timestamp_seconds{kind="ExtractorVersion"}',
        "extractor_operator_workqueue_depth",
        "extractor_artifact_fetch_duration_seconds_count",
        "extractor_artifact_bytes_count",
    ):
        assert name in metrics
