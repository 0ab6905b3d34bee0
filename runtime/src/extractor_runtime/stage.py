"""What one Ray actor does: the author's steps of one stage, over one block of rows at a time.

The author's objects are made here, from the accepted tree, and never cross a process. Whatever the author's
code does with a batch, each object that came in goes out: as rows, or as a failure that says what happened to
it.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from extractor_apis.run import RunConfig
from extractor_runtime import author, errors, rows
from extractor_runtime.deadline import AuthorThread
from extractor_runtime.loader import Tree
from extractor_runtime.pipeline import RowCondition
from extractor_runtime.plan import Step
from extractor_runtime.rows import FAILURE, FIELDS, Failure

Processor = Callable[[pd.DataFrame], pd.DataFrame]
_GIVEN = "_extractor_given"
"""The object's ``data`` as it came from the source, to tell what the author made of it."""


@dataclass(frozen=True)
class StageConfig:
    """Everything an actor needs to know; small, since each actor is sent its own copy."""

    tree: Tree
    run: RunConfig
    steps: tuple[Step, ...]
    is_last: bool


class StageActor:
    """Holds the author's processors of one stage; Ray Data creates it once in each process."""

    def __init__(self, config: StageConfig) -> None:
        self._config = config
        self._timeout = config.run.batch_timeout
        self._output = rows.Output(config.run)
        self._thread = AuthorThread(config.tree.root)
        self._broken: Failure | None = None
        self._processors: list[tuple[Step, RowCondition, Processor]] = []
        try:
            self._processors = self._thread.call(
                author.make_processors,
                config.tree,
                config.run,
                config.steps,
                seconds=self._timeout,
                what="the pipeline",
            )
        except Exception as error:
            # An actor that cannot be made is restarted for ever: let the first block carry the reason out.
            self._broken = self._fatal("pipeline", error)

    def __call__(self, block: pa.Table | pd.DataFrame) -> pa.Table | pd.DataFrame:
        frame = rows.to_frame(block) if isinstance(block, pa.Table) else block
        frame, failures = _take_failures(frame)
        if self._broken is not None:
            return self._hand_on(frame.iloc[:0], [*failures, self._broken])
        given = frame[["object_id", "mime_type", FIELDS]].assign(data=frame.get(_GIVEN, frame["data"]))
        given = given.drop_duplicates("object_id", ignore_index=True)
        frame = frame.drop(columns=[FIELDS, _GIVEN], errors="ignore")
        try:
            for step, condition, processor in self._processors:
                frame = self._run_step(step, condition, processor, frame, failures)
            if not self._config.is_last:
                extra = given.rename(columns={"data": _GIVEN}).drop(columns="mime_type")
                return self._hand_on(frame.merge(extra, on="object_id", how="left"), failures)
            table, broken_promises = self._output.rows(frame, given)
        except errors.AuthorError as error:
            self._broken = self._fatal("output", error)
            return self._hand_on(frame.iloc[:0], [*failures, self._broken])
        return pa.concat_tables([table, self._output.failures([*failures, *broken_promises])])

    def _run_step(
        self,
        step: Step,
        condition: RowCondition,
        processor: Processor,
        frame: pd.DataFrame,
        failures: list[Failure],
    ) -> pd.DataFrame:
        wanted, others = _select(frame, condition)
        done: list[pd.DataFrame] = []
        for start in range(0, len(wanted), step.batch_size):
            batch = wanted.iloc[start : start + step.batch_size].reset_index(drop=True)
            self._run_batch(step, processor, batch, done, failures)
        return _concat([*done, others], like=frame)

    def _run_batch(
        self,
        step: Step,
        processor: Processor,
        batch: pd.DataFrame,
        done: list[pd.DataFrame],
        failures: list[Failure],
    ) -> None:
        """Call the author with a batch; on an exception with its halves, down to the rows that raise."""
        try:
            # A copy: authors write into what they get, and the halves must start from what was given.
            result = self._thread.call(
                processor,
                batch.copy(),
                seconds=self._timeout,
                what=f"step {step.name} with {len(batch)} rows",
            )
        except errors.AuthorError:
            raise
        except Exception as error:
            if len(batch) > 1:
                middle = len(batch) // 2
                for half in (batch.iloc[:middle], batch.iloc[middle:]):
                    self._run_batch(step, processor, half.reset_index(drop=True), done, failures)
                return
            location = errors.locate(error, self._config.tree.root)
            row = batch.iloc[0]
            failures.append(
                Failure(row["object_id"], step.name, errors.describe(error), location, row["document_id"])
            )
            return
        done.append(self._accept(step, processor, batch, result, failures))

    def _accept(
        self, step: Step, processor: Processor, batch: pd.DataFrame, result: Any, failures: list[Failure]
    ) -> pd.DataFrame:
        """Hold a step to the contract: a frame whose rows can be told apart, and none of them lost."""
        location = author.location_of(processor, self._config.tree.root)
        if not isinstance(result, pd.DataFrame):
            raise errors.AuthorError(
                f"step {step.name} returned {type(result).__name__}, not a DataFrame: return the batch",
                location,
            )
        result = result.reset_index(drop=True)
        if "object_id" not in result.columns:
            if len(result) != len(batch):
                raise errors.AuthorError(
                    f"step {step.name} returned {len(result)} rows for {len(batch)} without the column "
                    "object_id: keep it, so that the rows can be told apart",
                    location,
                )
            result["object_id"] = batch["object_id"]
        if missing := [
            name for name in batch.columns if name not in result.columns and name in rows.CONTRACT_COLUMNS
        ]:
            first = batch.drop_duplicates("object_id").set_index("object_id")
            for name in missing:
                result[name] = result["object_id"].map(first[name])
        if result["object_id"].tolist() != batch["object_id"].tolist():
            failures.extend(_missing(step, batch, result, location))
        return result

    def _hand_on(self, frame: pd.DataFrame, failures: list[Failure]) -> pa.Table | pd.DataFrame:
        """Return what is left with what failed, in the form that the next stage, or the driver, takes."""
        if self._config.is_last:
            return self._output.failures(failures)
        if failures:
            extra = pd.DataFrame({FAILURE: [failure.dump() for failure in failures]}, dtype=object)
            frame = pd.concat([frame.assign(**{FAILURE: None}), extra], ignore_index=True)
        return frame

    def _fatal(self, step: str, error: Exception) -> Failure:
        if isinstance(error, errors.AuthorError):
            return Failure("", step, error.message, error.location, fatal=True)
        location = errors.locate(error, self._config.tree.root)
        return Failure("", step, errors.describe(error), location, fatal=True)


def _take_failures(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Failure]]:
    if FAILURE not in frame.columns:
        return frame, []
    failed = frame[FAILURE].notna()
    failures = [Failure.load(text) for text in frame.loc[failed, FAILURE]]
    return frame[~failed].drop(columns=FAILURE).reset_index(drop=True), failures


def _select(frame: pd.DataFrame, condition: RowCondition) -> tuple[pd.DataFrame, pd.DataFrame]:
    if condition is RowCondition.ALWAYS:
        return frame, frame.iloc[:0]
    wanted = frame["mime_type"].map(condition.matches).astype(bool)
    return frame[wanted], frame[~wanted]


def _concat(frames: list[pd.DataFrame], *, like: pd.DataFrame) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return like.iloc[:0]
    return filled[0] if len(filled) == 1 else pd.concat(filled, ignore_index=True)


def _missing(step: Step, batch: pd.DataFrame, result: pd.DataFrame, location: str | None) -> list[Failure]:
    """Name the objects of which a step returned fewer rows than it got.

    Raises AuthorError for rows it made up.
    """
    given, returned = Counter(batch["object_id"]), Counter(result["object_id"])
    if unknown := returned.keys() - given.keys():
        raise errors.AuthorError(
            f"step {step.name} returned the object_id {next(iter(unknown))!r}, which it was not given",
            location,
        )
    return [
        Failure(
            object_id,
            step.name,
            f"step {step.name} returned {returned[object_id]} of its {count} rows",
            location,
        )
        for object_id, count in given.items()
        if returned[object_id] < count
    ]
