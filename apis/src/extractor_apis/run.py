"""A batch run: what it is asked to do, how far it is, and the rows it could not do.

`RunConfig` is the mounted file of `python -m extractor_runtime.batch --config FILE`; it holds no secret.
`RunState` is `state.json` in the run's folder, which is all that anyone outside the run reads of it. An
author's code can write it too, so that it has bounds.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field

from extractor_apis import naming
from extractor_apis.meta import Count, Struct
from extractor_apis.workload import WorkloadConfig

_Time = Annotated[
    AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), le=datetime(9000, 1, 1, tzinfo=UTC))
]
"""A time that is one everywhere: without a zone, or at the edge of the calendar, it cannot be compared."""


class ErrorBudget(Struct):
    """How many objects may fail before the run does: it is spent when more than both have failed."""

    count: int = Field(default=10, ge=0)
    """Objects."""
    share: float = Field(default=0.1, ge=0, le=1)
    """Part of the objects to do."""

    def is_spent(self, failed: int, total: int) -> bool:
        """Tell whether ``failed`` of ``total`` objects are too many."""
        return failed > max(self.count, self.share * total)


class RunConfig(WorkloadConfig):
    """One run of one extractor version over one source into one collection."""

    run_id: str
    collection: str = Field(pattern=naming.COLLECTION_PATTERN)
    source: str
    """A file, folder, glob or object-store URL of objects."""
    source_credentials: str | None = None
    """Folder of a Secret's fields, such as ``aws_access_key_id``: what the source's object store asks for."""
    retry_failed_of: str | None = None
    """Id of a run whose dead letters are replayed: the objects that they name are taken, and no others."""
    store: str
    """The folder that results go to."""
    error_budget: ErrorBudget = ErrorBudget()
    batch_timeout: float = Field(default=600.0, gt=0)
    """Seconds that the author's code may take to be imported, to build its steps, and for each batch."""
    checkpoint_seconds: float = Field(default=60.0, ge=0)
    """Seconds of work that a killed run loses at most."""
    cpus: int | None = Field(default=None, ge=1)
    """Processors to use on this machine; all of them by default."""


class RunPhase(StrEnum):
    """Where a run is."""

    STARTING = "Starting"
    RUNNING = "Running"
    PUBLISHING = "Publishing"
    COMPLETED = "Completed"
    FAILED = "Failed"
    INTERRUPTED = "Interrupted"


class Usage(Struct):
    """What was consumed: calls to language models, and billable units."""

    requests: int = 0
    """Calls to language models that were answered."""
    input_tokens: int = 0
    output_tokens: int = 0
    units: dict[str, float] = Field(default_factory=dict)
    """Amounts by the units of the manifest's ``cost_rates``: ``1k_tokens``, ``image``, ``minute``, …"""
    credits: float = 0.0
    """The units at the manifest's ``cost_rates``."""


class StepReport(Struct):
    """What one step of the pipeline did and needed, over all workers."""

    name: str
    """The processor's class or function."""
    resource: str
    """``cpu``, ``gpu`` or ``api``."""
    rows: int = 0
    """Rows given to it."""
    seconds: float = 0.0
    """Inside the author's code, summed over workers."""
    create_seconds: float = 0.0
    """To create the processor, at most in one worker."""
    peak_memory_bytes: int = 0
    """Resident memory of the largest worker that ran it."""


class RunState(Struct):
    """How far a run is."""

    run_id: str
    phase: RunPhase
    objects_total: Count = 0
    """Objects that the source has."""
    objects_unchanged: Count = 0
    """Objects that an earlier run had done already."""
    objects_todo: Count = 0
    """Objects that this run takes."""
    objects_done: Count = 0
    objects_failed: Count = 0
    """Objects with at least one dead letter."""
    documents: Count = 0
    """Documents that this run wrote."""
    documents_total: Count = 0
    """Documents in the collection once the run completed."""
    dead_letters: Count = 0
    steps: tuple[StepReport, ...] = ()
    usage: Usage = Usage()
    started: _Time
    updated: _Time
    seconds_left: float | None = Field(default=None, ge=0, le=1e12)
    """Estimate; None while nothing can be said."""
    message: str = ""


class DeadLetter(Struct):
    """A row that could not be done, and why."""

    object_id: str
    document_id: str | None = None
    step: str
    """Where it failed: the processor's class, or ``output``."""
    error: str
    """The exception or the violated promise, one line."""
    location: str | None = None
    """``file.py:12`` in the author's archive, where there is one."""
