"""How long a download may take, and how often it may fail."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """Limits of one download; times are in seconds."""

    connect: float = 10.0
    read: float = 30.0
    """Longest silence of the server."""
    total: float = 900.0
    attempts: int = 5
    """Attempts in a row that bring nothing; one that brings bytes starts the count again."""
    pause: float = 0.5
    """Before the second attempt; doubles each time."""
    longest_pause: float = 30.0
    """Also the longest Retry-After that is obeyed."""
