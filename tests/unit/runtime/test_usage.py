"""What the author's code consumes, and which row pays for it."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from extractor_apis.run import Usage
from extractor_runtime import usage
from extractor_runtime.sdk import concurrency
from extractor_runtime.sdk.container import ServiceContainer
from extractor_runtime.usage import ITEM, Item, Meter
from support import runs


def tokens(count: int, requests: int = 1) -> Usage:
    return Usage(requests=requests, input_tokens=count, units={"1k_tokens": count / 1000})


def spend(count: int = 10) -> None:
    usage.record(requests=1, input_tokens=count)


async def spend_later() -> None:
    await asyncio.sleep(0)
    spend()


def in_a_pool_of_its_own() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(spend).result()


def in_a_loop_of_another_thread() -> None:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(spend_later(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.mark.parametrize(
    "call",
    [
        spend,
        lambda: asyncio.run(spend_later()),
        lambda: asyncio.run(asyncio.to_thread(spend)),
        lambda: contextvars.Context().run(spend),
        in_a_pool_of_its_own,
        in_a_loop_of_another_thread,
        lambda: concurrency.parallel_io([1], lambda item: spend()),
        lambda: concurrency.concurrent_api_calls([1], lambda item: spend_later()),
    ],
    ids=[
        "the call itself",
        "asyncio.run",
        "asyncio.to_thread",
        "an empty context",
        "a pool that takes no context along",
        "a loop in another thread",
        "parallel_io",
        "concurrent_api_calls",
    ],
)
def test_what_a_call_consumes_is_counted_wherever_it_does_it(call: Callable[[], object]) -> None:
    meter = Meter()

    meter.run(call)

    assert meter.total == tokens(10)


def test_a_meter_counts_its_own_call_only_and_nothing_after_it() -> None:
    first, second = Meter(), Meter()

    first.run(spend, 1)
    second.run(lambda: first.run(spend, 2))
    spend(100)

    assert (first.total, second.total) == (tokens(3, requests=2), Usage())


def test_what_raises_is_counted_and_raised() -> None:
    meter = Meter()

    def fail() -> None:
        spend()
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        meter.run(fail)
    spend()

    assert meter.total == tokens(10)


def test_the_result_of_the_call_is_handed_on() -> None:
    assert Meter().run(lambda left, right: left + right, 1, right=2) == 3


@pytest.mark.parametrize(
    ("items", "want"),
    [
        ({0: 10, 2: 30}, [(1, 10), None, (1, 30)]),
        ({None: 10}, [(1, 4), (0, 3), (0, 3)]),
        ({0: 5, None: 3}, [(2, 6), (0, 1), (0, 1)]),
    ],
    ids=["an item pays for itself", "what no item did is shared", "both"],
)
def test_a_row_pays_for_its_item_and_its_share(
    items: dict[int | None, int], want: list[tuple[int, int] | None]
) -> None:
    meter = Meter()

    def work() -> None:
        for index, count in items.items():
            ITEM.set(None if index is None else Item(index, 3))
            spend(count)

    contextvars.copy_context().run(meter.run, work)

    assert [row and (row.requests, row.input_tokens) for row in meter.by_row(3)] == want


def test_items_that_are_not_the_rows_are_shared() -> None:
    meter = Meter()

    meter.run(concurrency.parallel_io, [40, 20], spend)

    assert [row and (row.requests, row.input_tokens) for row in meter.by_row(3)] == [
        (1, 20),
        (1, 20),
        (0, 20),
    ]


@pytest.mark.parametrize("rows", [0, 1, 2, 5])
def test_together_the_rows_are_the_total(rows: int) -> None:
    meter = Meter()

    meter.run(lambda: concurrency.parallel_io([7, 8], spend))

    paid, total = usage.summed(row for row in meter.by_row(rows) if row), meter.total if rows else Usage()
    assert (paid.requests, paid.input_tokens) == (total.requests, total.input_tokens)
    assert paid.units == pytest.approx(total.units)


def test_the_manifests_rates_price_tokens_and_what_the_author_charges() -> None:
    manifest = runs.make_manifest(
        cost_rates=[
            {"unit": "1k_tokens", "credits_per_unit": 2},
            {"unit": "minute", "credits_per_unit": 50},
            {"unit": "page", "credits_per_unit": 9},
        ]
    )
    meter = Meter()

    def work() -> None:
        usage.record(requests=1, input_tokens=1200, output_tokens=300)
        ServiceContainer.create().usage.add("minute", 0.5)
        ServiceContainer.create().usage.add("face", 3)

    meter.run(work)
    priced = usage.priced(meter.total, manifest)

    assert priced == Usage(
        requests=1,
        input_tokens=1200,
        output_tokens=300,
        units={"1k_tokens": 1.5, "minute": 0.5, "face": 3},
        credits=28.0,
    )
    assert usage.priced(priced, manifest) == priced
