"""A Serve application: which version answers, and what it may take."""

from pydantic import Field

from extractor_apis.workload import WorkloadConfig


class ApplicationConfig(WorkloadConfig):
    """The mounted file of `extractor_runtime.realtime.application:build`.

    ``parameters`` are the extractor's; those of a request go over them. How many replicas there are, and how
    many requests wait, stands in Serve's own config, where it can change while they answer.
    """

    verdicts: str | None = None
    """Folder of results where the verdicts of parity are kept; None keeps none, and compares every time."""
    max_ongoing: int = Field(default=256, ge=1, le=100_000)
    """Requests that a replica answers at a time; the surplus is told to come again later."""
    start_seconds: float = Field(default=600.0, gt=0)
    """What the author's code may take to be imported, and to be constructed."""
    request_seconds: float = Field(default=60.0, gt=0)
    """What one request may take."""
