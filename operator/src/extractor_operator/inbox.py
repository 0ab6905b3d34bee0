"""What comes in from the cluster, by a watch, a list, or as the answer to a write: kept, and enqueued."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from extractor_operator.relations import Key, key_of
from extractor_operator.store import Change, Store
from extractor_operator.workqueue import WorkQueue

_SOON_SECONDS = 2.0
"""Until what was made is looked at: KubeRay has said something of it by then, most of the time."""


@dataclass(frozen=True)
class Inbox:
    """The store, and the queue of those who have to look at what is new in it."""

    store: Store
    queue: WorkQueue[Key]
    ours: frozenset[str]
    """The kinds that are reconciled; the others are looked at by who made them."""
    _expected: set[Key] = field(default_factory=set)

    def seen(self, body: dict[str, Any]) -> bool:
        """Take in an object as it is now; tell whether that was new."""
        change = self.store.put(body)
        if change and change.key in self._expected:
            self._answer(change)
        else:
            self.enqueue(change)
        return change is not None

    @contextlib.contextmanager
    def expecting(self, key: Key) -> Iterator[None]:
        """Take what is told of an object, as long as we write it, for what we write: often it comes first."""
        self._expected.add(key)
        try:
            yield
        finally:
            self._expected.discard(key)

    def made(self, body: dict[str, Any]) -> None:
        """Take in what we have just made for an object."""
        # A watch may tell it later than the next reconcile asks, and what is known already is no news then.
        self._answer(self.store.put(body))

    def wrote(self, body: dict[str, Any]) -> None:
        """Take in what we have written ourselves: only others need to look at it."""
        # It may have been deleted meanwhile, and that may have been told first.
        if self.store.get(key_of(body)):
            self._answer(self.store.put(body))

    def gone(self, body: dict[str, Any]) -> None:
        """Take in that an object was deleted."""
        self.enqueue(self.store.remove(body))

    def enqueue(self, change: Change | None) -> None:
        """Have everybody look whom a change concerns."""
        if change is None:
            return
        if change.key.kind in self.ours:
            self.queue.add(change.key, renewed=change.is_renewed)
        self._wake(change.dependents)

    def _answer(self, change: Change | None) -> None:
        """Have those look who would look at it if it were not our own doing; whoever had it made, later."""
        if change is None:
            return
        if change.is_renewed and change.key.kind in self.ours:
            self.queue.add(change.key, renewed=True)
        self._wake(change.dependents, after=_SOON_SECONDS if change.is_new else 0.0)

    def _wake(self, keys: Iterable[Key], *, after: float = 0.0) -> None:
        for key in keys:
            if key.kind in self.ours and self.store.get(key):
                self.queue.add(key, after=after)
