"""Many slow calls at once: aligned results, and no call that fails another."""

import asyncio
import contextvars
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from extractor_runtime import errors, usage
from extractor_runtime.sdk.concurrency import concurrent_api_calls, parallel_io

Caller = Callable[[Callable[[], Any]], Any]


def halve(number: int) -> float:
    if number == 0:
        raise ValueError("no half of nothing")
    return number / 2


async def halve_later(number: int) -> float:
    await asyncio.sleep(0)
    return halve(number)


def directly(call: Callable[[], Any]) -> Any:
    return call()


def in_a_thread(call: Callable[[], Any]) -> Any:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()
    thread.join()
    return results[0]


def in_a_coroutine(call: Callable[[], Any]) -> Any:
    async def main() -> Any:
        return call()

    return asyncio.run(main())


def in_a_call_of_its_own(call: Callable[[], Any]) -> Any:
    async def nested(_: int) -> Any:
        return call()

    return concurrent_api_calls([1], nested)[0]


CALLERS = [directly, in_a_thread, in_a_coroutine, in_a_call_of_its_own]


def test_results_of_io_are_found_by_index_and_failed_items_are_absent() -> None:
    assert parallel_io(items=[4, 0, 2], process_fn=halve, max_workers=2) == {0: 2.0, 2: 1.0}


def test_results_of_io_come_in_the_order_of_the_items() -> None:
    assert list(parallel_io([0.02, 0.0], time.sleep, 2)) == [0, 1]


@pytest.mark.parametrize("caller", CALLERS)
def test_results_of_calls_are_aligned_with_the_items_from_wherever_they_are_called(caller: Caller) -> None:
    assert caller(lambda: concurrent_api_calls([4, 0, 2], halve_later, max_concurrent=2)) == [2.0, None, 1.0]


@pytest.mark.parametrize("caller", CALLERS)
def test_results_of_io_are_the_same_from_wherever_they_are_called(caller: Caller) -> None:
    assert caller(lambda: parallel_io([4, 0, 2], halve)) == {0: 2.0, 2: 1.0}


@pytest.mark.parametrize(
    ("call", "want"),
    [
        (
            lambda: parallel_io([2, 0], halve),
            "parallel_io: item 1 of 2 failed: ValueError: no half of nothing",
        ),
        (
            lambda: concurrent_api_calls([0], halve_later),
            "concurrent_api_calls: item 0 of 1 failed: ValueError: no half of nothing",
        ),
    ],
    ids=["io", "calls"],
)
def test_a_failed_item_is_logged_with_its_index(
    call: Callable[[], Any], want: str, caplog: pytest.LogCaptureFixture
) -> None:
    # What ran before in this process may have turned logging down.
    caplog.set_level(logging.WARNING)

    call()

    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [(logging.WARNING, want)]


def test_no_more_calls_run_at_once_than_allowed() -> None:
    running, most = 0, 0

    async def call(_: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    concurrent_api_calls(range(20), call, max_concurrent=3)

    assert most == 3


def test_io_runs_at_once() -> None:
    meeting = threading.Barrier(3, timeout=5)

    assert len(parallel_io(range(3), lambda _: meeting.wait(), max_workers=3)) == 3


def test_a_client_bound_to_its_loop_lives_from_one_batch_to_the_next() -> None:
    async def loop_of(_: int) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    first, second = (concurrent_api_calls([1], loop_of)[0] for _ in range(2))

    assert first is second


@pytest.mark.parametrize("caller", CALLERS)
def test_calls_see_the_context_of_the_caller_and_know_their_item(caller: Caller) -> None:
    tenant = contextvars.ContextVar("tenant", default="nobody")

    def seen(_: str) -> tuple[str, usage.Item | None]:
        return tenant.get(), usage.ITEM.get()

    async def seen_later(item: str) -> tuple[str, usage.Item | None]:
        return seen(item)

    def call() -> tuple[list[Any], list[Any]]:
        tenant.set("us")
        return list(parallel_io("ab", seen).values()), concurrent_api_calls("ab", seen_later)

    want = [("us", usage.Item(0, 2)), ("us", usage.Item(1, 2))]
    assert contextvars.copy_context().run(caller, call) == (want, want)


def test_nothing_to_do_has_no_results() -> None:
    assert (parallel_io([], halve), concurrent_api_calls([], halve_later)) == ({}, [])


def test_a_limit_of_none_at_a_time_is_refused_instead_of_waited_for() -> None:
    with pytest.raises(ValueError, match="max_concurrent is 0: write 1 or more"):
        concurrent_api_calls([1], halve_later, max_concurrent=0)


def test_an_exit_in_a_thread_reaches_the_caller() -> None:
    def leave(_: int) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        parallel_io([1, 2], leave)


def unequipped(_: int) -> None:
    raise errors.SetupError("no language model is configured")


async def unequipped_later(_: int) -> None:
    unequipped(0)


@pytest.mark.parametrize(
    "call",
    [lambda: parallel_io([1, 2], unequipped), lambda: concurrent_api_calls([1, 2], unequipped_later)],
    ids=["io", "calls"],
)
def test_what_no_item_can_do_without_is_raised(call: Callable[[], Any]) -> None:
    with pytest.raises(errors.SetupError, match="no language model is configured"):
        call()


def test_calls_of_a_batch_that_failed_do_not_go_on_in_the_next() -> None:
    went_on = []

    async def call(item: str) -> None:
        if item == "unequipped":
            raise errors.SetupError("no")
        await asyncio.sleep(0.01)
        went_on.append(item)

    with pytest.raises(errors.SetupError):
        concurrent_api_calls(["slow", "unequipped"], call)
    concurrent_api_calls(["next"], call)

    assert went_on == ["next"]
