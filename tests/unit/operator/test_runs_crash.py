"""A collection and its runs, with the operator killed at any of its writes: another process goes on.

The API server is in memory; the test plays KubeRay, and what the runs leave in the results.
"""

import asyncio
import datetime
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any, cast

import pytest

from extractor_apis import naming, results
from extractor_apis.collection import Collection
from extractor_apis.extractorrun import ExtractorRun
from extractor_apis.meta import Struct
from extractor_apis.resource import Resource
from extractor_apis.results import CompletionRecord, DocumentsIn, Pointer, SourceRecord
from extractor_apis.run import RunPhase, RunState
from extractor_apis.settings import Settings
from extractor_artifacts import ArtifactStore
from extractor_operator import kube, times
from extractor_operator.collections import attempt as collections_attempt
from extractor_operator.context import Context
from extractor_operator.inbox import Inbox
from extractor_operator.kube import Client
from extractor_operator.metrics import Metrics
from extractor_operator.reconcile import Reconciler
from extractor_operator.relations import Key
from extractor_operator.runs import attempt as runs_attempt
from extractor_operator.slots import Slots
from extractor_operator.store import Store
from extractor_operator.versions.scan import Scanner
from extractor_operator.workqueue import WorkQueue
from support import ready, virtual_time, workloads
from support.accepting import Artifacts, Inline
from support.api_server import FakeClient
from support.workloads import NAMESPACE

Json = dict[str, Any]

API = f"{Resource.GROUP}/{Resource.VERSION}"
COLLECTION = kube.path(API, "collections", NAMESPACE, "articles")
RUNS = kube.path(API, "extractorruns", NAMESPACE)
JOBS = kube.path("ray.io/v1", "rayjobs", NAMESPACE)
SOURCE = "file:///results/team-a/articles"
WRITES = 37
"""Of a life that nothing interrupts."""


class Killed(BaseException):
    """The operator's process is no more; nothing in it catches that."""


class Server(FakeClient):
    """Kills its client once, at one of the writes: before it is done, or after."""

    def __init__(self, dies_at: int | None, clock: Callable[[], datetime.datetime], *, is_done: bool) -> None:
        super().__init__()
        self.dies_at, self.clock, self.is_done, self.calls = dies_at, clock, is_done, 0
        self.made: list[str] = []
        """What was created, in order, but for events."""

    async def create(self, path: str, body: Mapping[str, Any]) -> Json:
        metadata = {**body["metadata"], "creationTimestamp": times.write(self.clock())}
        return cast("Json", await self._write(super().create(path, {**body, "metadata": metadata})))

    async def apply(self, path: str, body: Mapping[str, Any]) -> Json:
        return cast("Json", await self._write(super().apply(path, body)))

    async def delete(self, path: str, uid: str) -> None:
        await self._write(super().delete(path, uid))

    def put(self, path: str, body: Mapping[str, Any]) -> Json:
        if path not in self.objects and "/events/" not in path:
            self.made.append(path)
        return super().put(path, body)

    def collect_garbage(self) -> None:
        """Remove what was made for an object that is gone, as a controller of Kubernetes does."""
        there = {each["metadata"]["uid"] for each in self.objects.values()}
        for path, each in list(self.objects.items()):
            owners = each["metadata"].get("ownerReferences", ())
            if any(owner["uid"] not in there for owner in owners):
                del self.objects[path]

    async def _write(self, call: Any) -> Any:
        self.calls += 1
        dies = self.calls == self.dies_at
        if dies and not self.is_done:
            call.close()
            raise Killed
        made = await call
        if dies:
            raise Killed
        return made


class World:
    """A collection of an extractor that is active, and an operator at work on it."""

    def __init__(self, folder: Path, dies_at: int | None = None, *, is_done: bool = False) -> None:
        # All worlds have the same, because RayJobs name it.
        self.results = folder / "results"
        shutil.rmtree(self.results, ignore_errors=True)
        self.results.mkdir()
        self.server = Server(dies_at, lambda: self.now, is_done=is_done)
        self.now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        self._put(workloads.make_extractor(realtime=None), {"activeVersion": "1.0.0", "applied": "hash"})
        artifact = {"digest": workloads.DIGEST, "size": 1234}
        self._put(workloads.make_code().version, {"artifact": artifact, "conditions": [ready.READY]})
        self._start()

    def ask(self, request: str) -> None:
        """Apply the collection, with a request to run it, and reconcile until nothing is left to do."""
        made = workloads.make_collection(history={"succeeded": 1, "failed": 1})
        known = self.server.objects.get(COLLECTION, {})
        metadata = made.metadata.model_copy(update={"annotations": {naming.REQUESTED_AT: request}})
        self._put(made.model_copy(update={"metadata": metadata}), known.get("status", {}))
        self.settle()

    def fails(self) -> None:
        """Have the RayJob that is there end badly, and wait until it may be tried again."""
        self._say("Failed", "FAILED", reason="AppFailed", message="exit code 1")
        self.now += datetime.timedelta(seconds=20)
        self.settle()

    def succeeds(self) -> None:
        """Have the RayJob that is there end well, with what it made published."""
        run = self.run["metadata"]["name"]
        done = {"objects_todo": 40, "objects_done": 40, "documents": 40}
        state = RunState(run_id=run, phase=RunPhase.COMPLETED, started=self.now, updated=self.now, **done)
        self._leave(results.run(run) / "state.json", state)
        source = SourceRecord(revision=run, publications=1, objects=40, run_id=run, completed=self.now)
        record = CompletionRecord(
            collection="articles",
            extractor="text_embed",
            version="1.0.0",
            artifact_digest=workloads.DIGEST,
            features=(),
            documents_in=DocumentsIn.TABLE,
            table_version=1,
            documents=40,
            sources={SOURCE: source},
        )
        self._leave(results.record("articles", "text_embed", "1.0.0"), record)
        self._leave(results.pointer("articles", "text_embed"), Pointer(version="1.0.0"))
        self._say("Complete", "SUCCEEDED")

    def cancel(self) -> None:
        """Cancel the run that is under way."""
        run = self.run
        self.server.put(f"{RUNS}/{run['metadata']['name']}", run | {"spec": run["spec"] | {"cancel": True}})
        self.settle()

    def settle(self) -> None:
        """Reconcile until nothing is written; a process that is killed is followed by another."""
        for _ in range(30):
            before = self.server.calls
            try:
                for key in self._watch():
                    virtual_time.run(self.reconciler.run(key))
            except Killed:
                self._start()
            if self.server.calls == before:
                return
        raise AssertionError(f"it comes to no end: {self.server.writes[-3:]}")

    @property
    def run(self) -> Json:
        """Give the run that has not ended."""
        (found,) = (
            each
            for path, each in self.server.objects.items()
            if path.startswith(RUNS) and "finished" not in each["status"]
        )
        return found

    @property
    def end(self) -> Json:
        """Give all there is, but for events, and what counts the writes."""
        return {
            path: {**each, "metadata": {**each["metadata"], "resourceVersion": ""}}
            for path, each in self.server.objects.items()
            if "/events/" not in path
        }

    def _start(self) -> None:
        """Begin a process, which knows nothing."""
        self.store = Store()
        queue: WorkQueue[Key] = WorkQueue(lambda key: self.reconciler.run(key))
        inbox = Inbox(self.store, queue, frozenset())
        cluster = workloads.CLUSTER.model_copy(update={"results": f"file://{self.results}"})
        ctx = Context(
            client=cast("Client", self.server),
            settings=Settings(cluster=cluster),
            inbox=inbox,
            artifacts=cast("ArtifactStore", Artifacts()),
            scanner=Scanner(asyncio.Semaphore(1)),
            threads=cast("Any", Inline()),
            work=self.results,
            metrics=Metrics(),
        )
        kinds = (collections_attempt.kind(lambda: self.now), runs_attempt.kind(lambda: self.now))
        slots = Slots(2, wake=lambda _: None)
        self.reconciler = Reconciler(ctx, inbox, slots, kinds, instance="pod", clock=lambda: self.now)

    def _watch(self) -> list[Key]:
        """Have the process see what is there; name what it reconciles."""
        self.server.collect_garbage()
        for key in self.store:
            seen = self.store.get(key)
            assert seen is not None
            if seen.uid not in {each["metadata"]["uid"] for each in self.server.objects.values()}:
                metadata = {"name": key.name, "namespace": key.namespace, "uid": seen.uid}
                self.store.remove({"kind": key.kind, "metadata": metadata})
        for path, each in self.server.objects.items():
            if "/events/" not in path:
                self.store.put(each)
        return [key for key in self.store if key.kind in (Collection.__name__, ExtractorRun.__name__)]

    def _say(self, deployment: str, status: str, **more: str) -> None:
        """Have KubeRay say how the RayJob of the run is, and reconcile."""
        path = f"{JOBS}/{self.run['status']['job']}"
        at = self.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        said = {"jobDeploymentStatus": deployment, "jobStatus": status, "startTime": at, "endTime": at}
        self.server.put(path, self.server.objects[path] | {"status": said | more})
        self.settle()

    def _leave(self, path: PurePath, what: Struct) -> None:
        file = self.results / NAMESPACE / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(what.model_dump_json())

    def _put(self, resource: Resource, status: Json) -> None:
        body = resource.model_dump(mode="json", exclude_none=True)
        path = kube.path(API, resource.PLURAL, NAMESPACE, resource.metadata.name)
        self.server.put(path, {**body, "apiVersion": API, "kind": type(resource).__name__, "status": status})


def live(world: World) -> World:
    """Run a collection in two attempts, cancel another run of it, and run it once more."""
    world.ask("first")
    world.fails()
    world.succeeds()
    world.ask("second")
    world.cancel()
    world.ask("third")
    world.succeeds()
    return world


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def untouched(folder: Path) -> World:
    return live(World(folder))


def test_each_request_is_one_run_and_each_attempt_one_rayjob(untouched: World) -> None:
    made = [path.rpartition("/")[0] for path in untouched.server.made]

    assert (made.count(RUNS), made.count(JOBS)) == (3, 4)
    assert untouched.server.calls == WRITES


def test_runs_beyond_the_history_are_removed(untouched: World) -> None:
    made = [path for path in untouched.server.made if path.startswith(RUNS)]

    assert [path for path in untouched.server.objects if path.startswith(RUNS)] == made[1:]


@pytest.mark.parametrize("is_done", [False, True], ids=["before it was done", "after it was done"])
@pytest.mark.parametrize("write", range(1, WRITES + 1))
def test_killed_at_any_write_another_process_comes_to_the_same_end(
    write: int, is_done: bool, folder: Path, untouched: World
) -> None:
    world = live(World(folder, write, is_done=is_done))

    assert world.end == untouched.end
    assert world.server.made == untouched.server.made, "a run or a RayJob was made twice, or not at all"
