"""Lists beside the watch: what they add, what they remove, and what they say of the watch."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from extractor_operator import watched
from extractor_operator.errors import ApiError, Gone
from extractor_operator.health import Watch
from extractor_operator.inbox import Inbox
from extractor_operator.kube import Client
from extractor_operator.relations import Key
from extractor_operator.resync import Resync
from extractor_operator.store import Store
from extractor_operator.workqueue import WorkQueue
from support import inboxes, operators, virtual_time
from support.api_server import FakeClient


class World:
    """A server in memory, and what an operator knows of it."""

    def __init__(self) -> None:
        self.server, self.store = FakeClient(), Store()
        self.reconciled: list[str] = []
        self.behind: list[float] = []

    def put(self, name: str) -> dict[str, Any]:
        item = operators.make_version(name, "https://example.com/a.zip")
        item["metadata"] |= {"uid": name, "generation": 1, "namespace": "team"}
        return self.server.put(operators.path("team", item["metadata"]["name"]), item)

    def play(self, seconds: float, *, heard: bool = False) -> None:
        """Resync every minute for some time."""

        async def reconcile(key: Key) -> None:
            self.reconciled.append(key.name)
            if heard:
                watch.heard(key)

        async def main() -> None:
            queue = WorkQueue(reconcile)
            inbox = Inbox(self.store, queue, frozenset({"ExtractorVersion"}))
            resync = Resync(cast("Client", self.server), inbox, watch, watched.OURS[:1], ("team",))
            tasks = [asyncio.create_task(each) for each in (queue.run(), resync.run(60))]
            await asyncio.sleep(seconds)
            self.behind = [watch.oldest[1]] if watch.oldest else []
            for task in tasks:
                task.cancel()

        watch = Watch(lambda: asyncio.get_running_loop().time())
        virtual_time.run(main())


def test_what_the_watch_did_not_bring_is_reconciled_and_counts_against_it() -> None:
    world = World()
    world.put("text")

    world.play(130)

    assert (world.reconciled, world.behind) == (["text-1.0.0"], [70])


def test_a_watch_that_follows_up_is_alive() -> None:
    world = World()
    world.put("text")

    world.play(130, heard=True)

    assert (world.reconciled, world.behind) == (["text-1.0.0"], [])


def test_what_was_deleted_while_the_watch_was_away_is_forgotten() -> None:
    world = World()
    world.store.put(world.put("text"))
    world.server.objects.clear()

    world.play(70)

    assert (len(world.store), world.reconciled, world.behind) == (0, ["text-1.0.0"], [])


def test_an_api_server_that_is_away_is_no_reason_to_forget_anything() -> None:
    world = World()
    world.store.put(world.put("text"))
    world.server.is_down = True

    world.play(130)

    assert (len(world.store), world.reconciled) == (1, [])


@pytest.mark.parametrize(
    ("kind", "want"),
    [
        pytest.param(watched.OURS[0], "apply the folder crds/", id="one of ours"),
        pytest.param(watched.RAY_JOBS, "install KubeRay", id="one of KubeRay's"),
    ],
)
def test_a_kind_that_is_not_installed_is_named(kind: watched.Watched, want: str) -> None:
    class Nothing(FakeClient):
        async def pages(self, path: str) -> AsyncIterator[list[dict[str, Any]]]:
            raise Gone(f"{path}: 404")
            yield []

    inbox = inboxes.still(Store())
    resync = Resync(cast("Client", Nothing()), inbox, Watch(lambda: 0.0), (kind,), ())

    with pytest.raises(ApiError, match=want):
        asyncio.run(resync.prime())
