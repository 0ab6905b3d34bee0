"""What a stage tells the driver beside its rows: who failed, and what it took.

Notes travel as rows that have nothing else, so that they arrive with the rows they are about, exactly once,
and need neither an actor nor a file of their own.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from extractor_apis.run import DeadLetter, Usage

NOTE = "_extractor_note"
"""The column that holds a note as JSON, in a row that has nothing else."""


@dataclass(frozen=True)
class Failure:
    """A row that could not be done, or, when ``fatal``, the reason why the run cannot go on."""

    object_id: str
    step: str
    error: str
    location: str | None = None
    document_id: str | None = None
    fatal: bool = False

    def dead_letter(self) -> DeadLetter:
        """The same as a wire model."""
        return DeadLetter(
            object_id=self.object_id,
            document_id=self.document_id,
            step=self.step,
            error=self.error,
            location=self.location,
        )


@dataclass(frozen=True)
class Measure:
    """What one step took for one block."""

    index: int
    """Which step, counted over the whole pipeline."""
    rows: int
    seconds: float
    """Inside the author's code."""
    create_seconds: float
    peak_memory_bytes: int
    usage: Usage


Note = Failure | Measure


def dump(note: Note) -> str:
    """Write a note as JSON."""
    return orjson.dumps({type(note).__name__: note}, _model).decode()


def load(text: str) -> Note:
    """Read what `dump` wrote."""
    [(kind, fields)] = orjson.loads(text).items()
    if kind == Failure.__name__:
        return Failure(**fields)
    return Measure(**{**fields, "usage": Usage.model_validate(fields["usage"])})


def _model(value: Any) -> Any:
    return value.model_dump()
