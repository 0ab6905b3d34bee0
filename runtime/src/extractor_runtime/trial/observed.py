"""What a trial of an extractor saw, before anybody judges it."""

from dataclasses import dataclass

from extractor_apis.errors import ExtractorError
from extractor_apis.run import DeadLetter, RunState
from extractor_apis.scan import Finding
from extractor_runtime import errors
from extractor_runtime.trial.parity import Answer, Document


@dataclass(frozen=True)
class Fault:
    """What stopped a half of the extractor, or one of its answers."""

    message: str
    location: str | None = None
    """``file.py:12`` in the archive."""


@dataclass(frozen=True)
class Batch:
    """What came out of the batch half."""

    state: RunState | None = None
    """None where nothing was run."""
    documents: tuple[Document, ...] = ()
    dead_letters: tuple[DeadLetter, ...] = ()
    fault: Fault | None = None
    """Why the run failed as a whole, or the pipeline cannot be built."""


@dataclass(frozen=True)
class Realtime:
    """What the realtime half answered."""

    load_seconds: float = 0.0
    asked: int = 0
    answered: int = 0
    latencies: tuple[float, ...] = ()
    """Seconds of each answer, without the first: that one may load something."""
    answers: tuple[Answer, ...] = ()
    faults: tuple[tuple[str, Fault], ...] = ()
    """By sample, why it was not answered, or not as the manifest promises."""
    unpromised: tuple[tuple[str, Fault], ...] = ()
    """The same where nothing says that an answer is due: a class may be for texts, or for questions only."""
    fault: Fault | None = None
    """Why it does not start."""


@dataclass(frozen=True)
class Seen:
    """All that a trial saw."""

    scan: tuple[Finding, ...] = ()
    """What the scan warned of."""
    samples: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    batch: Batch = Batch()
    realtime: Realtime | None = None
    """None where the archive has no realtime.py."""
    imports: frozenset[str] = frozenset()
    """What the archive imports: ``torch.nn.functional``, and so ``torch.nn`` and ``torch``."""


def fault_of(error: ExtractorError) -> Fault:
    """Tell what an error says, and the author's line if it knows it."""
    if isinstance(error, errors.AuthorError):
        return Fault(error.message, error.location)
    return Fault(str(error))
