"""What the author's code consumes: counted while it runs, charged to the rows it runs for.

A `Meter` is open around each call of the author's code. What the call records, in its coroutines and threads
too, is its own; helpers that work through a list of items say by `ITEM` which of them they are at.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from extractor_apis.manifest import Manifest
from extractor_apis.run import Usage

P = ParamSpec("P")
T = TypeVar("T")

TOKENS = "1k_tokens"


@dataclass(frozen=True)
class Item:
    """One of the items that a helper works through."""

    index: int
    count: int
    """How many items there are; as many as rows means that items and rows are the same."""


ITEM: ContextVar[Item | None] = ContextVar("extractor_item", default=None)
"""What the running code works on; set where items are handed out (`concurrency`)."""

_METER: ContextVar["Meter | None"] = ContextVar("extractor_meter", default=None)
_open: list["Meter"] = []


class Meter:
    """Counts what one call of the author's code consumes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._charged: list[tuple[Item | None, Usage]] = []

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function and count what it consumes until it returns."""
        token = _METER.set(self)
        _open.append(self)
        try:
            return function(*args, **kwargs)
        finally:
            _open.remove(self)
            _METER.reset(token)

    def charge(self, item: Item | None, usage: Usage) -> None:
        """Count what was consumed for an item, or for the call as a whole."""
        with self._lock:
            self._charged.append((item, usage))

    @property
    def total(self) -> Usage:
        """Everything that was consumed; the manifest's prices are not in it (see `priced`)."""
        with self._lock:
            return summed(usage for _, usage in self._charged)

    def by_row(self, rows: int) -> list[Usage | None]:
        """Charge what was consumed to the rows of the batch; None for a row that consumed nothing.

        What an item consumed goes to the row of its index when there are as many items as rows, and
        everything else to all rows alike. Together the rows are the total.
        """
        with self._lock:
            charged = list(self._charged)
        own: list[list[Usage]] = [[] for _ in range(rows)]
        shared: list[Usage] = []
        for item, usage in charged:
            (own[item.index] if item is not None and item.count == rows else shared).append(usage)
        if shared and rows:
            for row, part in zip(own, _shares(summed(shared), rows), strict=True):
                row.append(part)
        sums = [summed(row) for row in own]
        return [usage if usage != Usage() else None for usage in sums]


def record(
    *,
    requests: int = 0,
    input_tokens: int = 0,
    output_tokens: int = 0,
    units: Mapping[str, float] | None = None,
) -> Usage:
    """Count what the running code has consumed, and return it; tokens are units too."""
    amounts = dict(units or {})
    if tokens := input_tokens + output_tokens:
        amounts[TOKENS] = amounts.get(TOKENS, 0.0) + tokens / 1000
    usage = Usage(requests=requests, input_tokens=input_tokens, output_tokens=output_tokens, units=amounts)
    # A pool of the author's own does not take the context along: then it is the latest call's.
    if meter := _METER.get() or next(reversed(_open), None):
        meter.charge(ITEM.get(), usage)
    return usage


def summed(usages: Iterable[Usage]) -> Usage:
    """Add up what was consumed, credits included."""
    requests = input_tokens = output_tokens = 0
    paid, units = 0.0, dict[str, float]()
    for usage in usages:
        requests += usage.requests
        input_tokens += usage.input_tokens
        output_tokens += usage.output_tokens
        paid += usage.credits
        for unit, amount in usage.units.items():
            units[unit] = units.get(unit, 0.0) + amount
    return Usage(
        requests=requests,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        units=units,
        credits=paid,
    )


def priced(usage: Usage, manifest: Manifest) -> Usage:
    """Say what was consumed costs by the manifest's ``cost_rates``; a unit without a rate is free."""
    paid = sum(usage.units.get(rate.unit, 0.0) * rate.credits_per_unit for rate in manifest.cost_rates)
    return usage.model_copy(update={"credits": paid})


def _shares(usage: Usage, rows: int) -> list[Usage]:
    """Split into equal parts, whole numbers as equal as can be."""

    def part(amount: int, row: int) -> int:
        return amount // rows + (row < amount % rows)

    return [
        Usage(
            requests=part(usage.requests, row),
            input_tokens=part(usage.input_tokens, row),
            output_tokens=part(usage.output_tokens, row),
            units={unit: amount / rows for unit, amount in usage.units.items()},
        )
        for row in range(rows)
    ]
