"""An extractor from its spec to what is in the cluster; the server, in memory, may fail at any write."""

import asyncio
import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from extractor_apis.extractor import Extractor
from extractor_apis.settings import Settings
from extractor_artifacts import ArtifactStore
from extractor_operator.context import Context
from extractor_operator.errors import ApiUnavailable
from extractor_operator.extractors import attempt
from extractor_operator.inbox import Inbox
from extractor_operator.kube import Client
from extractor_operator.metrics import Metrics
from extractor_operator.reconcile import Reconciler
from extractor_operator.relations import Key
from extractor_operator.slots import Slots
from extractor_operator.store import Store
from extractor_operator.versions.scan import Scanner
from extractor_operator.workqueue import WorkQueue
from support import inboxes, virtual_time, workloads
from support.accepting import Artifacts, Inline
from support.api_server import FakeClient
from support.ready import READY
from support.workloads import NAMESPACE

KEY = Key("Extractor", NAMESPACE, "text-embed")
PATH = f"/apis/extractors.mixpeek.com/v1alpha1/namespaces/{NAMESPACE}/extractors/text-embed"
RAY = f"/apis/ray.io/v1/namespaces/{NAMESPACE}/rayservices/"
SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services/"
STATUS = f"{PATH}/status"


class Server(FakeClient):
    """Fails once, at one of its writes: before it is done, or after."""

    def __init__(self, fails_at: int | None, *, is_done: bool) -> None:
        super().__init__()
        self.fails_at, self.is_done, self.calls = fails_at, is_done, 0

    async def _write(self, call: Any) -> Any:
        self.calls += 1
        fails = self.calls == self.fails_at
        if fails and not self.is_done:
            call.close()
            raise ApiUnavailable("it was killed")
        made = await call
        if fails:
            raise ApiUnavailable("it was killed")
        return made

    async def apply(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return cast("dict[str, Any]", await self._write(super().apply(path, body)))

    async def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return cast("dict[str, Any]", await self._write(super().create(path, body)))

    async def delete(self, path: str, uid: str) -> None:
        await self._write(super().delete(path, uid))


class World:
    """An extractor, and a reconciler for it."""

    def __init__(self, fails_at: int | None = None, *, is_done: bool = False) -> None:
        self.server, self.store = Server(fails_at, is_done=is_done), Store()
        self.now, self.artifacts = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), Artifacts()
        ctx = Context(
            client=cast("Client", self.server),
            settings=Settings(cluster=workloads.CLUSTER),
            inbox=inboxes.still(self.store),
            artifacts=cast("ArtifactStore", self.artifacts),
            scanner=Scanner(asyncio.Semaphore(1)),
            threads=cast("Any", Inline()),
            work=Path(),
            metrics=Metrics(),
        )
        queue: WorkQueue[Key] = WorkQueue(lambda key: self.reconciler.run(key))
        self.reconciler = Reconciler(
            ctx,
            Inbox(self.store, queue, frozenset({KEY.kind})),
            Slots(2, wake=lambda _: None),
            (attempt.kind(lambda: self.now),),
            instance="pod",
            clock=lambda: self.now,
        )
        for version in ("1.0.0", "1.1.0"):
            self.see_version(version)

    def ask(self, **spec: Any) -> None:
        """Apply the extractor, and reconcile until nothing more is to do."""
        known = self.server.objects.get(PATH, {})
        made = workloads.make_extractor(**spec).model_dump(mode="json", exclude_none=True)
        metadata = {
            **{name: made["metadata"][name] for name in ("name", "namespace", "uid")},
            "generation": known.get("metadata", {}).get("generation", 0) + 1,
        }
        body = {"apiVersion": f"{Extractor.GROUP}/{Extractor.VERSION}", "kind": "Extractor"}
        seen = {**body, "metadata": metadata, "spec": made["spec"], "status": known.get("status", {})}
        self.store.put(self.server.put(PATH, seen))
        self.settle()

    def answers(self, version: str) -> None:
        """Have KubeRay say that a version's RayService answers, and reconcile."""
        for path, service in self.services().items():
            if service["metadata"]["labels"]["extractors.mixpeek.com/version"] != version:
                continue
            name = service["metadata"]["name"]
            application = {"app": {"status": "RUNNING", "serveDeploymentStatuses": {}}}
            ready = {"type": "Ready", "status": "True", "reason": "NonZeroServeEndpoints"}
            service["status"] = {
                "observedGeneration": service["metadata"]["generation"],
                "numServeEndpoints": 1,
                "conditions": [ready],
                "activeServiceStatus": {"rayClusterName": f"{name}-c", "applicationStatuses": application},
            }
            self.store.put(self.server.put(path, service))
        self.settle()

    def settle(self) -> None:
        """Reconcile until there is nothing to write; what was deleted is told by a watch."""
        for _ in range(20):
            before = self.server.calls
            virtual_time.run(self.reconciler.run(KEY))
            for key in list(self.store):
                if key.kind == "RayService" and f"{RAY}{key.name}" not in self.server.objects:
                    seen = self.store.get(key)
                    assert seen is not None
                    metadata = {"name": key.name, "namespace": key.namespace, "uid": seen.uid}
                    self.store.remove({"kind": key.kind, "metadata": metadata})
            for service in self.services().values():
                # Also where the answer to the write was lost.
                self.store.put(service)
            self.store.put(self.server.objects[PATH])
            if self.server.calls == before:
                return
        raise AssertionError(f"it comes to no end: {self.server.writes[-3:]}")

    def services(self) -> dict[str, dict[str, Any]]:
        return {path: each for path, each in self.server.objects.items() if path.startswith(RAY)}

    @property
    def writes(self) -> list[tuple[str, str]]:
        """What was written, but for events."""
        return [(method, path) for method, path, _ in self.server.writes if "/events" not in path]

    @property
    def end(self) -> dict[str, Any]:
        """Give all there is, but for what differs from one life to another."""
        return {
            path: {
                "metadata": {
                    name: value for name, value in each["metadata"].items() if name != "resourceVersion"
                },
                **{part: each[part] for part in ("spec", "status") if part in each},
            }
            for path, each in self.server.objects.items()
            if "/events" not in path
        }

    def see_version(self, version: str, **status: Any) -> None:
        """Have a version be Ready."""
        made = workloads.make_code(version).version.model_dump(mode="json", exclude_none=True)
        metadata = {name: made["metadata"][name] for name in ("name", "namespace", "uid", "generation")}
        self.store.put(
            {
                "apiVersion": "extractors.mixpeek.com/v1alpha1",
                "kind": "ExtractorVersion",
                "metadata": {**metadata, "resourceVersion": str(1 + len(status))},
                "spec": made["spec"],
                "status": {**made["status"], "conditions": [READY], **status},
            }
        )


def live(world: World) -> World:
    """Deploy, roll out another version, edit its replicas, and go back where there is no room for two."""
    world.ask(version="1.0.0", realtime={"max_replicas": 2})
    world.answers("1.0.0")
    world.ask(version="1.1.0", realtime={"max_replicas": 2})
    world.answers("1.1.0")
    world.ask(version="1.1.0", realtime={"max_replicas": 2, "min_replicas": 2})
    world.now += datetime.timedelta(seconds=700)
    world.answers("1.1.0")
    world.ask(version="1.0.0", realtime={"strategy": "Recreate"})
    world.answers("1.0.0")
    return world


def test_an_extractor_is_ready_after_two_writes_of_its_status_besides_what_is_made_for_it() -> None:
    world = World()

    world.ask(version="1.0.0")
    world.answers("1.0.0")

    policy = f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/networkpolicies/text-embed-extractor"
    assert sorted(set(world.writes)) == sorted(
        [
            ("apply", STATUS),
            ("apply", policy),
            ("apply", f"{SERVICES}text-embed-serve"),
            ("create", RAY.rstrip("/")),
        ]
    )
    assert world.writes.count(("apply", STATUS)) == 2


def test_a_second_reconcile_sends_no_write() -> None:
    world = live(World())
    world.server.writes.clear()

    world.settle()

    assert world.server.writes == []


def test_the_plan_stands_in_the_status_before_a_rayservice_is_made() -> None:
    world = World()

    world.ask(version="1.0.0")

    [announced, *_] = [body["status"] for _, path, body in world.server.writes if path == STATUS]
    order = [path for _, path in world.writes]
    assert announced["plan"] == "start 1.0.0: 1 pod and a head"
    assert order.index(STATUS) < order.index(RAY.rstrip("/"))


def test_the_versions_own_service_is_there_before_the_extractors_leads_elsewhere() -> None:
    world = World()
    world.ask(version="1.0.0")
    world.answers("1.0.0")
    world.store.put(published("1.0.0"))
    world.ask(version="1.1.0")
    world.server.writes.clear()

    world.answers("1.1.0")

    moved = [path for _, path in world.writes if path.startswith(SERVICES)]
    assert moved == [f"{SERVICES}text-embed-1-0-0-serve", f"{SERVICES}text-embed-serve"]


def test_a_published_version_that_cannot_be_run_holds_nothing_up() -> None:
    world = World()
    lost = f"sha256:{'0' * 64}"
    world.see_version("1.0.0", artifact={"digest": lost, "size": 1})
    world.artifacts.missing.add(lost)
    world.store.put(published("1.0.0"))

    world.ask(version="1.1.0")
    world.answers("1.1.0")

    status = world.server.objects[PATH]["status"]
    assert status["activeVersion"] == "1.1.0"
    assert conditions(status)["Available"] == "True"
    assert conditions(status)["Ready"] == "False"


def test_a_version_that_cannot_be_run_leaves_the_one_that_answers_available() -> None:
    world = World()
    world.ask(version="1.0.0")
    world.answers("1.0.0")
    lost = f"sha256:{'0' * 64}"
    world.see_version("1.1.0", artifact={"digest": lost, "size": 1})
    world.artifacts.missing.add(lost)

    world.ask(version="1.1.0")

    said = conditions(world.server.objects[PATH]["status"])
    assert (said["Available"], said["Ready"], said["Reconciling"]) == ("True", "False", "True")


def test_a_version_that_only_a_person_can_mend_stalls_the_extractor_that_asks_for_it() -> None:
    world = World()
    world.ask(version="1.0.0")
    world.answers("1.0.0")
    rejected = {"observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z"}
    rejected |= {"reason": "ScanRejected", "message": "the scan rejects it"}
    told = [{"type": "Ready", "status": "False"}, {"type": "Stalled", "status": "True"}]
    world.see_version("1.1.0", conditions=[each | rejected for each in told])

    world.ask(version="1.1.0")

    status = world.server.objects[PATH]["status"]
    assert (conditions(status)["Available"], conditions(status)["Stalled"]) == ("True", "True")
    assert "text-embed-1.1.0 is not Ready: the scan rejects it; 1.0.0 answers" in str(status["conditions"])


def conditions(status: dict[str, Any]) -> dict[str, str]:
    return {each["type"]: each["status"] for each in status["conditions"]}


UNTOUCHED = live(World())


@pytest.mark.parametrize("is_done", [False, True], ids=["before it was done", "after it was done"])
@pytest.mark.parametrize("write", range(1, UNTOUCHED.server.calls + 1))
def test_killed_at_any_write_it_comes_to_the_same_end(write: int, is_done: bool) -> None:
    world = live(World(write, is_done=is_done))

    assert world.end == UNTOUCHED.end


def published(version: str) -> dict[str, Any]:
    """Give a collection whose published vectors are of a version."""
    made = workloads.make_collection().model_dump(mode="json", exclude_none=True)
    metadata = {name: made["metadata"][name] for name in ("name", "namespace", "uid", "generation")}
    return {
        "apiVersion": "extractors.mixpeek.com/v1alpha1",
        "kind": "Collection",
        "metadata": {**metadata, "resourceVersion": "1"},
        "spec": made["spec"],
        "status": {"publishedVersion": version},
    }
