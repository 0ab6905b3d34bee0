"""What one Ray actor does: the author's steps of one stage, over one block of rows at a time.

The author's objects are made here, from the accepted tree, and never cross a process. Whatever the author's
code does with a batch, each object that came in goes out: as rows, or as a failure that says what happened to
it.
"""

import functools
import itertools
import resource
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from extractor_apis.run import RunConfig
from extractor_runtime import errors, places, usage
from extractor_runtime.batch import author, batches, marks, notes, output
from extractor_runtime.batch.attempt import Attempts, Piece
from extractor_runtime.batch.author import Processor
from extractor_runtime.batch.batches import Rows
from extractor_runtime.batch.crew import Crew
from extractor_runtime.batch.marks import MARK
from extractor_runtime.batch.notes import NOTE, Failure, Measure, Note
from extractor_runtime.batch.output import Given
from extractor_runtime.batch.plan import Step
from extractor_runtime.batch.rows import FIELDS, GIVEN
from extractor_runtime.loader import Tree
from extractor_runtime.sdk.pipeline import RowCondition
from extractor_runtime.sources import credentials

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class StageConfig:
    """Everything an actor needs to know; small, since each actor is sent its own copy."""

    tree: Tree
    run: RunConfig
    steps: tuple[Step, ...]
    is_last: bool
    threads: int = 1


class StageActor:
    """Holds the author's processors of one stage; Ray Data creates it once in each process."""

    def __init__(
        self, config: StageConfig, on_call: Callable[[Processor], None] = lambda processor: None
    ) -> None:
        """Make the processors; ``on_call`` is told before each call of the author's code."""
        self._config = config
        if config.run.source_credentials is not None:
            credentials.use(config.run.source_credentials)
        self._output = output.Output(config.run)
        self._attempts = Attempts(
            config.tree,
            seconds=config.run.batch_timeout,
            features=frozenset(feature.name for feature in config.run.manifest.vectors),
            on_call=on_call,
        )
        self._broken: Failure | None = None
        try:
            self._crew = Crew(
                functools.partial(author.make_processors, config.tree, config.run, config.steps),
                config.tree.root,
                threads=config.threads,
                seconds=config.run.batch_timeout,
            )
        except Exception as error:
            # An actor that cannot be made is made again: let the first block carry the reason out.
            self._broken = self._fatal("pipeline", error)

    def __call__(self, block: pa.Table | pd.DataFrame) -> pa.Table | pd.DataFrame:
        rows, told = _take_notes(batches.rows_of(block))
        if self._broken is None and len(rows):
            try:
                return self._run(rows, told)
            except errors.AuthorError as error:
                self._broken = self._fatal("output", error)
        if self._broken is not None:
            told.append(self._broken)
        return self._hand_on(rows.slice(0, 0), told)

    def _run(self, rows: Rows, told: list[Note]) -> pa.Table | pd.DataFrame:
        given = _given(rows)
        known = marks.load(rows.column(MARK)) if MARK in rows.names else marks.plain(len(rows))
        piece = Piece(rows.without(FIELDS, GIVEN, MARK), known)
        for index, step in enumerate(self._config.steps):
            piece = self._run_step(index, step, piece, told)
        if self._config.is_last:
            table, failures = self._output.rows(piece.rows, piece.marks, given)
            return pa.concat_tables([table, self._output.notes([*told, *failures])])
        origins = [given[object_id] for object_id in piece.rows.column("object_id")]
        rows = piece.rows.with_column(FIELDS, [origin.fields for origin in origins])
        rows = rows.with_column(GIVEN, [origin.data for origin in origins])
        return self._hand_on(rows.with_column(MARK, marks.dump(piece.marks)), told)

    def _run_step(self, index: int, step: Step, piece: Piece, told: list[Note]) -> Piece:
        wanted, others = _select(step.condition, piece)
        if not len(wanted.rows):
            return others
        wanted = Piece(_converted(wanted.rows, step), wanted.marks)
        slices = [
            wanted.slice(start, start + step.batch_size)
            for start in range(0, len(wanted.rows), step.batch_size)
        ]
        attempts = self._crew.map(lambda worker, batch: self._attempts.run(worker, index, batch), slices)
        for attempt in attempts:
            told.extend(attempt.failures)
        told.append(
            Measure(
                index=step.index,
                rows=len(wanted.rows),
                seconds=sum(attempt.seconds for attempt in attempts),
                create_seconds=self._crew.create_seconds(index),
                peak_memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT,
                usage=usage.summed(used for attempt in attempts for used in attempt.usage),
            )
        )
        return _joined([*(done for attempt in attempts for done in attempt.done), others], step)

    def _hand_on(self, rows: Rows, told: list[Note]) -> pa.Table | pd.DataFrame:
        """Return rows with what is told beside them, in the form that the next stage or the driver takes."""
        if self._config.is_last:
            return self._output.notes(told)
        carriers = rows.slice(0, 0).of(NOTE, [notes.dump(note) for note in told])
        rows = rows.with_column(NOTE, [None] * len(rows)).joined([carriers])
        return rows.frame() if isinstance(rows, batches.Frame) else rows.table()

    def _fatal(self, step: str, error: Exception) -> Failure:
        if isinstance(error, errors.AuthorError):
            return Failure("", step, error.message, error.location, fatal=True)
        location = places.of_error(error, self._config.tree.root)
        return Failure("", step, errors.describe(error), location, fatal=True)


def _take_notes(rows: Rows) -> tuple[Rows, list[Note]]:
    if NOTE not in rows.names:
        return rows, []
    texts = rows.column(NOTE)
    carriers, others = rows.split([isinstance(text, str) for text in texts])
    return others.without(NOTE), [notes.load(text) for text in carriers.column(NOTE)]


def _given(rows: Rows) -> dict[str, Given]:
    for name in ("object_id", "document_id", "data", "mime_type"):
        if name not in rows.names:
            raise errors.AuthorError(f"prepare returned rows without the column {name}: keep it")
    nothing = [None] * len(rows)
    is_first = GIVEN not in rows.names
    given = map(
        Given,
        rows.column("data" if is_first else GIVEN),
        rows.column(FIELDS) if FIELDS in rows.names else nothing,
        rows.column("mime_type"),
        rows.column("document_id") if is_first else nothing,
    )
    return dict(zip(rows.column("object_id"), given, strict=True))


def _select(condition: RowCondition, piece: Piece) -> tuple[Piece, Piece]:
    if condition is RowCondition.ALWAYS:
        return piece, piece.slice(0, 0)
    mask = [condition.matches(mime_type) for mime_type in piece.rows.column("mime_type")]
    wanted, others = piece.rows.split(mask)
    return (
        Piece(wanted, list(itertools.compress(piece.marks, mask))),
        Piece(
            others, marks.pass_by([mark for mark, match in zip(piece.marks, mask, strict=True) if not match])
        ),
    )


def _joined(pieces: Sequence[Piece], step: Step) -> Piece:
    """Put what a step made of its batches above the rows that it did not want."""
    filled = [piece for piece in pieces if len(piece.rows)] or pieces[:1]
    first, *others = [_converted(piece.rows, step) for piece in filled]
    try:
        rows = first.joined(others)
    except TypeError as error:
        raise errors.AuthorError(f"step {step.name} returned {error}") from None
    return Piece(rows, [mark for piece in filled for mark in piece.marks])


def _converted(rows: Rows, step: Step) -> Rows:
    try:
        return batches.converted(rows, step.batch_format)
    except TypeError as error:
        raise errors.AuthorError(
            f"step {step.name} has batch_format {step.batch_format!r}, but is given {error}"
        ) from None
