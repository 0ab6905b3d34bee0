"""One step with one batch: called, measured, held to the contract; and halved until only bad rows fail."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from extractor_apis.run import Usage
from extractor_runtime import deadline, errors, places
from extractor_runtime.batch import batches, marks, rows
from extractor_runtime.batch.author import Processor
from extractor_runtime.batch.batches import Rows
from extractor_runtime.batch.crew import Worker
from extractor_runtime.batch.marks import Mark
from extractor_runtime.batch.notes import Failure
from extractor_runtime.loader import Tree
from extractor_runtime.sdk import concurrency
from extractor_runtime.sdk.concurrency import Failed
from extractor_runtime.usage import Meter

_NOTHING = Usage()


@dataclass(frozen=True)
class Piece:
    """Rows on their way through the steps."""

    rows: Rows
    marks: list[Mark]

    def slice(self, start: int, stop: int) -> "Piece":
        """The rows from ``start`` to before ``stop``."""
        return Piece(self.rows.slice(start, stop), self.marks[start:stop])


@dataclass
class Attempt:
    """What became of one batch."""

    done: list[Piece] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0
    """Inside the author's code."""
    usage: list[Usage] = field(default_factory=list)


@dataclass(frozen=True)
class Attempts:
    """How the batches of a run are attempted."""

    tree: Tree
    seconds: float
    """The deadline of one call."""
    features: frozenset[str]
    """The vectors that the manifest declares."""
    on_call: Callable[[Processor], None] = lambda processor: None
    """Told before each call of the author's code."""

    def run(self, worker: Worker, index: int, batch: Piece) -> Attempt:
        """Give a batch to the ``index``-th processor of a worker.

        Raises AuthorError when the run cannot go on: the contract is broken, or the deadline missed.
        """
        attempt = Attempt()
        self._run(worker, worker.processors[index], batch, attempt)
        return attempt

    def _run(self, worker: Worker, processor: Processor, batch: Piece, attempt: Attempt) -> None:
        call = _Call(processor, batch.rows)
        size = len(batch.rows)
        self.on_call(processor)
        try:
            result = worker.thread.call(
                call, seconds=self.seconds, what=f"step {processor.step.name} with {size} rows"
            )
        except errors.Overdue:
            raise
        except errors.SetupError as error:
            location = places.of_error(error, self.tree.root) or processor.location
            raise errors.AuthorError(f"step {processor.step.name}: {error}", location) from error
        except Exception as error:
            if size == 1:
                attempt.failures.append(self._failure(processor, batch.rows, error))
            else:
                for half in (batch.slice(0, size // 2), batch.slice(size // 2, size)):
                    self._run(worker, processor, half, attempt)
            return
        finally:
            attempt.seconds += call.seconds
            if (consumed := call.meter.total) != _NOTHING:
                attempt.usage.append(consumed)
        known = batch.marks
        if consumed != _NOTHING:
            parts = call.meter.by_row(size)
            known = [mark.charged(part) for mark, part in zip(known, parts, strict=True)]
        if reasons := {each.item.index: each.reason for each in call.failed if each.item.count == size}:
            known = marks.explain(known, reasons)
        before = batch.rows.column("object_id")
        accepted = _taken(processor, batch.rows, result)
        if "object_id" not in accepted.names:
            accepted = accepted.with_column("object_id", before)
        after = accepted.column("object_id")
        if after != before:
            attempt.failures.extend(_lost(processor, before, after))
            known = marks.follow(known, before, after)
        if written := _written(batch.rows, accepted, self.features):
            known = marks.try_features(known, written)
        attempt.done.append(Piece(_completed(batch.rows, accepted, before, after), known))

    def _failure(self, processor: Processor, row: Rows, error: Exception) -> Failure:
        return Failure(
            object_id=row.column("object_id")[0],
            step=processor.step.name,
            error=errors.describe(error) + _columns_there(error, row),
            location=places.of_error(error, self.tree.root) or processor.location,
            document_id=row.column("document_id")[0],
        )


def _columns_there(error: Exception, row: Rows) -> str:
    """Help an author who takes another name for a column: no mapping renames ``data``."""
    return (
        f"; the batch has the columns {', '.join(map(str, row.names))}" if isinstance(error, KeyError) else ""
    )


class _Call:
    """One call of the author's code, in the author's thread, and what it took."""

    def __init__(self, processor: Processor, batch: Rows) -> None:
        self._processor = processor
        self._batch = batch
        self.meter = Meter()
        self.failed: list[Failed] = []
        self.seconds = 0.0

    def __call__(self) -> Any:
        given = batches.given(self._batch, self._processor.step.batch_format)
        started = time.perf_counter()
        try:
            return self.meter.run(self._result, given)
        finally:
            self.seconds = time.perf_counter() - started

    def _result(self, given: Any) -> Any:
        token = concurrency.FAILED.set(self.failed)
        try:
            return deadline.awaited(self._processor.call(given))
        finally:
            concurrency.FAILED.reset(token)


def _taken(processor: Processor, batch: Rows, result: Any) -> Rows:
    """Hold what a step returned to the contract: a batch whose rows can be told apart."""
    step = f"step {processor.step.name}"
    try:
        taken = batches.taken(result, processor.step.batch_format)
    except TypeError as error:
        raise errors.AuthorError(f"{step} returned {error}: return the batch", processor.location) from None
    names = taken.names
    if len(set(names)) < len(names):
        repeated = next(name for name, count in Counter(names).items() if count > 1)
        raise errors.AuthorError(f"{step} returned two columns named {repeated!r}", processor.location)
    if "object_id" not in names and len(taken) != len(batch):
        raise errors.AuthorError(
            f"{step} returned {len(taken)} rows for {len(batch)} without the column object_id: "
            "keep it, so that the rows can be told apart",
            processor.location,
        )
    return taken


def _completed(batch: Rows, accepted: Rows, before: list[str], after: list[str]) -> Rows:
    """Restore the contract's columns that a step left out; an object's first row speaks for all of them."""
    kept = frozenset(accepted.names)
    for name in batch.names:
        if name in rows.CONTRACT_COLUMNS and name not in kept:
            values = dict(zip(reversed(before), reversed(batch.column(name)), strict=True))
            accepted = accepted.with_column(name, [values[object_id] for object_id in after])
    return accepted


def _lost(processor: Processor, given: list[str], returned: list[Any]) -> list[Failure]:
    """Name the objects of which a step returned fewer rows than it got.

    Raises AuthorError for rows it made up.
    """
    step = f"step {processor.step.name}"
    before = Counter(given)
    for object_id in returned:
        if not isinstance(object_id, str) or object_id not in before:
            raise errors.AuthorError(
                f"{step} returned the object_id {object_id!r:.100}, which it was not given",
                processor.location,
            )
    after = Counter(returned)
    return [
        Failure(
            object_id,
            processor.step.name,
            f"{step} returned {after[object_id]} of its {count} rows",
            processor.location,
        )
        for object_id, count in before.items()
        if after[object_id] < count
    ]


def _written(batch: Rows, accepted: Rows, features: frozenset[str]) -> frozenset[str]:
    """Name the features that a step has written, and not only handed on."""
    return frozenset(
        name
        for name in features.intersection(accepted.names)
        if name not in batch.names or (batch.is_empty(name) and not accepted.is_empty(name))
    )
