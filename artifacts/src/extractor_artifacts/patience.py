"""How long a download may take, and how often it may fail."""

import random
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

    def before_attempt(self, number: int, after: float | None = None) -> float:
        """Say how long to pause before the n-th attempt, or as long as the server asks, within limits."""
        if after is None:
            # Jitter, so that clients which failed together do not come back together.
            after = self.pause * 2 ** (number - 2) * random.uniform(0.5, 1.0)
        return min(after, self.longest_pause)
