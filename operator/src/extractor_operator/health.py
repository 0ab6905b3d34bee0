"""Is this process worth keeping? What liveness answers, and why.

A watch can die without a word. So every list is compared with what the watch has brought: what a list shows
and the watch does not follow up within a minute says that it is dead.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from extractor_operator.relations import Key

_WATCH_SECONDS = 60.0
_QUEUE_SECONDS = 600.0


@dataclass
class Watch:
    """What lists have shown and the watch has not."""

    clock: Callable[[], float]
    """Monotonic."""
    _missed: dict[Key, float] = field(default_factory=dict)

    def heard(self, key: Key) -> None:
        """Note that the watch has brought an object."""
        self._missed.pop(key, None)

    def missed(self, key: Key) -> None:
        """Note that a list has brought something new of an object."""
        self._missed.setdefault(key, self.clock())

    @property
    def oldest(self) -> tuple[Key, float] | None:
        """Give what has been missed for longest, and for how many seconds."""
        if not self._missed:
            return None
        key, since = next(iter(self._missed.items()))
        return key, self.clock() - since


@dataclass(frozen=True)
class Health:
    """What is looked at."""

    oldest_key_seconds: Callable[[], float]
    """How long the oldest key has been waiting for a worker."""
    watch: Watch

    def problem(self) -> str | None:
        """Say why this process should be replaced; None if all is well."""
        waiting = self.oldest_key_seconds()
        if waiting > _QUEUE_SECONDS:
            return f"a key has been waiting for a worker for {waiting:.0f} s"
        oldest = self.watch.oldest
        if oldest and oldest[1] > _WATCH_SECONDS:
            return f"the watch is dead: {oldest[0]} changed {oldest[1]:.0f} s ago, and it said nothing"
        return None
