"""Times as Kubernetes writes them, and durations as people say them."""

from datetime import UTC, datetime, timedelta

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))


def write(at: datetime) -> str:
    """Write a time, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read(text: str) -> datetime:
    """Read a time."""
    return datetime.fromisoformat(text)


def after(text: str, seconds: float) -> datetime:
    """Give the time that is so many seconds after another one."""
    return read(text) + timedelta(seconds=seconds)


def say(seconds: float) -> str:
    """Say a duration in its largest unit: `4 min`."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{round(seconds / size)} {unit}"
    return f"{round(seconds)} s"
