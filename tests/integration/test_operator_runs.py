"""Collections and their runs on a real API server; the tests play KubeRay's part, and the runs' own."""

import datetime
import functools
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from extractor_apis.results import CompletionRecord, DocumentsIn, SourceRecord
from extractor_apis.run import RunPhase, RunState
from extractor_stores.layout import Layout
from extractor_stores.records import write_pointer, write_record
from support import kuberay, kubernetes, operators
from support.kubernetes import Cluster
from support.operators import API, Operator

pytestmark = pytest.mark.integration

Json = dict[str, Any]
SOURCE = "file:///results/news"


@dataclass
class World:
    """An operator at work on one namespace, beside a cluster that runs nothing by itself."""

    cluster: Cluster
    namespace: str
    operator: Operator
    api: kuberay.Api
    results: Path
    """Of the namespace."""
    again: Callable[[], AbstractContextManager[Operator]]
    """Run another operator, beside the one that is there."""

    def path(self, plural: str, name: str = "", sub: str = "") -> str:
        return kuberay.api_path(API, plural, self.namespace, name, sub)

    def get(self, plural: str, name: str) -> Json:
        return self.api.get(self.path(plural, name)) or {}

    def collect(self, name: str, **spec: Any) -> None:
        """Make a collection of the extractor that every test shares."""
        body = {
            "apiVersion": API,
            "kind": "Collection",
            "metadata": {"name": name},
            "spec": {"source": {"url": SOURCE}, "extractor": "text-embed", **spec},
        }
        assert self.api.create(self.path("collections"), body)

    def runs(self, collection: str) -> list[str]:
        found = self.api.list(self.path("extractorruns"))
        return [each["metadata"]["name"] for each in found if each["spec"]["collection"] == collection]

    def run_of(self, collection: str) -> str:
        """Wait for the run of a collection, and give its name."""
        return operators.eventually(lambda: self.runs(collection), bool)[-1]

    def jobs(self, run: str) -> list[Json]:
        """Give the RayJobs of a run, in the order of their making."""
        found = self.api.list(kuberay.path("RayJob", self.namespace))
        mine = [job for job in found if job["metadata"]["ownerReferences"][0]["name"] == run]
        return sorted(mine, key=lambda job: int(job["metadata"]["resourceVersion"]))

    def job_of(self, run: str, attempt: int = 1) -> str:
        """Wait for the RayJob of an attempt, and give its name."""
        jobs = operators.eventually(lambda: self.jobs(run), lambda found: len(found) >= attempt)
        newest = max(jobs, key=lambda job: job["metadata"]["creationTimestamp"])
        return str(newest["metadata"]["name"])

    def says(self, job: str, deployment: str, status: str = "", **more: Any) -> None:
        """Have KubeRay say something of a RayJob."""
        known = {"jobDeploymentStatus": deployment, "jobStatus": status, "startTime": now(), **more}
        assert self.api.set_status(kuberay.path("RayJob", self.namespace, job), known)

    def tells(self, run: str, phase: RunPhase = RunPhase.RUNNING, **more: Any) -> None:
        """Have a run tell how far it is."""
        at = datetime.datetime.now(datetime.UTC)
        state = RunState(run_id=run, phase=phase, started=at, updated=at, **more)
        folder = self.layout.run(run)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "state.json").write_text(state.model_dump_json())

    def publishes(self, collection: str, run: str, documents: int) -> None:
        """Have a run publish what it made."""
        source = SourceRecord(
            revision="1",
            publications=1,
            objects=documents,
            run_id=run,
            completed=datetime.datetime.now(datetime.UTC),
        )
        record = CompletionRecord(
            collection=collection,
            extractor="text_embed",
            version="1.0.0",
            artifact_digest="sha256:1",
            features=(),
            documents_in=DocumentsIn.TABLE,
            table_version=1,
            documents=documents,
            sources={SOURCE: source},
        )
        write_record(self.layout, record)
        write_pointer(self.layout, collection, "text_embed", "1.0.0")

    def succeeds(self, collection: str, run: str, job: str, objects: int = 40) -> None:
        """Play a run to its end."""
        done = {"objects_todo": objects, "objects_done": objects, "documents": objects}
        self.publishes(collection, run, objects)
        self.tells(run, RunPhase.COMPLETED, **done)
        self.says(job, "Complete", "SUCCEEDED", endTime=now())

    def reaches(self, plural: str, name: str, *want: str) -> Json:
        """Wait until an object's `Ready` has a status and a reason."""
        return operators.eventually(
            lambda: self.get(plural, name), lambda seen: operators.ready(seen) == want, seconds=40
        )

    @property
    def layout(self) -> Layout:
        return Layout(self.results, id="test")


def now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def condition(item: Json, type: str) -> tuple[str, str]:
    """Give status and reason of a condition."""
    found = {each["type"]: (each["status"], each["reason"]) for each in item["status"]["conditions"]}
    return found[type]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("runs")
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
        archive = operators.make_archive("text-embed")
        (folder / "web/a.zip").write_bytes(archive)
        run = functools.partial(operators.run, cluster, namespace, kubeconfig, decided=decided)
        results = folder / "results" / namespace
        results.mkdir(parents=True)
        with run(folder) as operator:
            again = functools.partial(run, folder / "again")
            world = World(cluster, namespace, operator, kuberay.Api(cluster), results, again)
            version = operators.make_version("text-embed", f"{url}/a.zip", archive)
            operators.create(cluster, namespace, version)
            extractor = {"apiVersion": API, "kind": "Extractor", "metadata": {"name": "text-embed"}}
            world.api.create(world.path("extractors"), {**extractor, "spec": {"version": "1.0.0"}})
            operators.eventually(
                lambda: world.get("extractors", "text-embed"),
                lambda seen: seen.get("status", {}).get("activeVersion") == "1.0.0",
            )
            yield world
            world.api.close()
            assert "Traceback" not in operator.log
            assert "403" not in operator.log, "the Role that is shipped is too small"


def test_a_collection_is_run_and_says_what_answers(world: World) -> None:
    world.collect("news")
    run = world.run_of("news")
    job = world.job_of(run)

    world.says(job, "Running", "RUNNING")
    world.tells(run, objects_todo=40, objects_done=10, documents=10, seconds_left=120.0)
    running = operators.eventually(
        lambda: world.get("extractorruns", run), lambda seen: seen["status"].get("progress") == "25 %"
    )
    world.succeeds("news", run, job)
    ended = world.reaches("extractorruns", run, "True", "Succeeded")
    collection = world.reaches("collections", "news", "True", "Succeeded")

    assert condition(running, "Succeeded") == ("Unknown", "Running") and running["status"]["eta"] == "2 min"
    assert (ended["status"]["written"], ended["status"]["attempts"]) == (40, 1)
    assert {
        each: collection["status"].get(each) for each in ("publishedVersion", "documents", "currentRun")
    } == {
        "publishedVersion": "1.0.0",
        "documents": 40,
        "currentRun": None,
    }
    assert operators.kstatus(ended) == operators.kstatus(collection) == "Current"
    assert not collection["metadata"].get("finalizers") and "kopf" not in str(collection)


def test_kubectl_shows_how_far_a_run_is(world: World) -> None:
    shown = world.cluster.kubectl("get", "extractorruns,collections", "--namespace", world.namespace)

    assert "Succeeded" in shown and "100 %" in shown and "1.0.0" in shown


def test_what_was_run_is_not_run_again_though_its_run_was_deleted(world: World) -> None:
    (run,) = world.runs("news")

    world.api.delete(world.path("extractorruns", run))
    operators.eventually(lambda: world.runs("news"), lambda found: not found)
    world.api.merge(world.path("collections", "news"), {"spec": {"retries": 5}})
    operators.eventually(
        lambda: world.get("collections", "news"), lambda seen: seen["status"]["observedGeneration"] == 2
    )

    assert world.runs("news") == []


def test_a_request_asks_for_another_run(world: World) -> None:
    annotations = {"extractors.mixpeek.com/requested-at": "2026-01-01T00:00:00Z"}
    world.api.merge(world.path("collections", "news"), {"metadata": {"annotations": annotations}})

    run = world.run_of("news")

    world.succeeds("news", run, world.job_of(run))
    world.reaches("collections", "news", "True", "Succeeded")


def test_times_of_a_schedule_that_were_missed_are_made_up_for_by_one_run(world: World) -> None:
    world.collect("yearly", ingest="onSchedule", schedule="0 0 1 1 *", suspend=True)
    world.reaches("collections", "yearly", "True", "Succeeded")
    year = datetime.datetime.now(datetime.UTC).year
    long_ago = {"scheduled": f"{year - 3}-01-01T00:00:00Z"}
    assert world.api.merge(world.path("collections", "yearly", "status"), {"status": long_ago})

    world.api.merge(world.path("collections", "yearly"), {"spec": {"suspend": False}})
    run = world.run_of("yearly")
    world.succeeds("yearly", run, world.job_of(run))
    status = world.reaches("collections", "yearly", "True", "Succeeded")["status"]

    assert world.runs("yearly") == [run]
    assert (status["scheduled"], status["nextRun"]) == (
        f"{year}-01-01T00:00:00Z",
        f"{year + 1}-01-01T00:00:00Z",
    )


def test_an_attempt_that_failed_is_done_again_by_another_rayjob(world: World) -> None:
    world.collect("flaky")
    run = world.run_of("flaky")
    first = world.job_of(run)

    world.says(first, "Running", "RUNNING")
    world.says(first, "Failed", "FAILED", reason="AppFailed", message="exit code 1", endTime=now())
    failed = operators.eventually(
        lambda: world.get("extractorruns", run), lambda seen: condition(seen, "Succeeded")[1] == "Retrying"
    )
    second = world.job_of(run, attempt=2)
    world.succeeds("flaky", run, second)
    ended = world.reaches("extractorruns", run, "True", "Succeeded")

    assert "exit code 1" in str(failed["status"]["conditions"]) and failed["status"]["attempts"] == 1
    assert (second != first, ended["status"]["attempts"], ended["status"]["job"]) == (True, 2, second)


def test_a_run_that_fails_for_good_says_so_on_its_collection(world: World) -> None:
    world.collect("hopeless", retries=0)
    run = world.run_of("hopeless")

    told = "12 of 40 objects failed"
    job = world.job_of(run)
    world.says(job, "Running", "RUNNING")
    world.tells(run, RunPhase.FAILED, message=told)
    world.says(job, "Failed", "FAILED", reason="AppFailed", message="exit code 1", endTime=now())
    collection = world.reaches("collections", "hopeless", "False", "AppFailed")

    assert (condition(collection, "Stalled"), operators.kstatus(collection)) == (
        ("True", "AppFailed"),
        "Failed",
    )
    assert told in str(collection["status"]["conditions"])
    assert len(world.jobs(run)) == 1


def test_cancelling_a_run_removes_its_rayjob(world: World) -> None:
    world.collect("cancelled")
    run = world.run_of("cancelled")
    world.says(world.job_of(run), "Running", "RUNNING")

    world.api.merge(world.path("extractorruns", run), {"spec": {"cancel": True}})
    ended = operators.eventually(
        lambda: world.get("extractorruns", run), lambda seen: operators.kstatus(seen) == "Failed"
    )

    assert (world.jobs(run), condition(ended, "Succeeded")) == ([], ("False", "Cancelled"))


def test_runs_of_one_collection_take_turns(world: World) -> None:
    world.collect("turns")
    first = world.run_of("turns")
    job = world.job_of(first)
    by_hand = {"apiVersion": API, "kind": "ExtractorRun", "metadata": {"name": "by-hand"}}
    spec = {"collection": "turns", "extractor": "text-embed", "version": "1.0.0"}

    world.api.create(world.path("extractorruns"), {**by_hand, "spec": spec})
    waiting = world.reaches("extractorruns", "by-hand", "False", "Queued")
    world.succeeds("turns", first, job)
    world.succeeds("turns", "by-hand", world.job_of("by-hand"))
    world.reaches("extractorruns", "by-hand", "True", "Succeeded")

    assert first in str(waiting["status"]["conditions"])


def test_what_is_missing_is_named(world: World) -> None:
    world.collect("lost", extractor="nobody")

    seen = world.reaches("collections", "lost", "False", "NotFound")

    assert "there is no Extractor nobody: apply it" in str(seen["status"]["conditions"])


def test_a_state_that_a_pod_made_a_link_is_not_followed(world: World) -> None:
    world.collect("linked")
    run = world.run_of("linked")
    job = world.job_of(run)
    secret = world.results / "secret.json"
    at = datetime.datetime.now(datetime.UTC)
    told = RunState(
        run_id=run, phase=RunPhase.RUNNING, started=at, updated=at, objects_todo=9, objects_done=9
    )
    secret.write_text(told.model_dump_json())

    folder = world.layout.run(run)
    folder.mkdir(parents=True)
    (folder / "state.json").symlink_to(secret)
    world.says(job, "Running", "RUNNING")
    seen = world.reaches("extractorruns", run, "False", "Running")

    assert "progress" not in seen["status"]


def test_an_operator_that_starts_again_writes_nothing(world: World, tmp_path: Path) -> None:
    settled = {"hopeless", "news", "flaky", "turns"}

    def versions() -> dict[str, str]:
        found = [
            each for kind in ("collections", "extractorruns") for each in world.api.list(world.path(kind))
        ]
        known = [each for each in found if each["metadata"]["name"].split("-")[0] in settled]
        return {each["metadata"]["uid"]: each["metadata"]["resourceVersion"] for each in known}

    before = versions()
    with world.again() as operator:
        operators.eventually(lambda: operator.log, lambda log: "at work on" in log)
        time.sleep(3)

    assert versions() == before
