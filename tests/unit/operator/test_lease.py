"""The Lease, in virtual time: one holder, a successor when it is silent, and an end when it is lost."""

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

import pytest

from extractor_operator.kube import Client
from extractor_operator.lease import Lease, LeaseLost
from support import virtual_time
from support.api_server import FakeClient

PATH = "/apis/coordination.k8s.io/v1/namespaces/system/leases/operator"


def lease(server: FakeClient, identity: str) -> Lease:
    return Lease(cast("Client", server), "system", "operator", identity)


def holder(server: FakeClient) -> str:
    return str(server.objects[PATH]["spec"]["holderIdentity"])


async def until(when: float, *work: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.create_task(each) for each in work]
    await asyncio.sleep(when)
    for task in tasks:
        task.cancel()


def test_a_lease_that_nobody_has_is_taken_at_once() -> None:
    server = FakeClient()

    virtual_time.run(lease(server, "one").acquire())

    assert holder(server) == "one"


def test_a_lease_that_is_renewed_is_not_taken() -> None:
    server = FakeClient()

    async def play() -> None:
        await lease(server, "one").acquire()
        await until(300, lease(server, "one").keep(), lease(server, "other").acquire())

    virtual_time.run(play())

    assert holder(server) == "one"


def test_a_lease_that_nobody_renews_is_taken_after_its_duration() -> None:
    server = FakeClient()

    async def play() -> float:
        await lease(server, "one").acquire()
        await lease(server, "other").acquire()
        return asyncio.get_running_loop().time()

    assert 15 < virtual_time.run(play()) <= 20
    assert (holder(server), server.objects[PATH]["spec"]["leaseTransitions"]) == ("other", 1)


def test_a_lease_that_is_given_up_is_taken_at_once() -> None:
    server = FakeClient()

    async def play() -> float:
        await lease(server, "one").acquire()
        await lease(server, "one").release()
        await lease(server, "other").acquire()
        return asyncio.get_running_loop().time()

    assert virtual_time.run(play()) == 0
    assert holder(server) == "other"


def test_who_cannot_renew_it_ends_before_another_may_take_it() -> None:
    server = FakeClient()

    async def play() -> float:
        await lease(server, "one").acquire()
        server.is_down = True
        with pytest.raises(LeaseLost, match="could not be renewed"):
            await lease(server, "one").keep()
        return asyncio.get_running_loop().time()

    assert 10 < virtual_time.run(play()) < 15


def test_who_has_lost_it_ends_at_once() -> None:
    server = FakeClient()

    async def play() -> None:
        await lease(server, "one").acquire()
        taken = server.objects[PATH]
        taken["spec"]["holderIdentity"] = "other"
        server.put(PATH, taken)
        with pytest.raises(LeaseLost, match="the lease operator is other's now"):
            await lease(server, "one").keep()

    virtual_time.run(play())
