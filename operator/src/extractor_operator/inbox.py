"""What comes in from the cluster, by a watch, a list, or as the answer to a write: kept, and enqueued."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from extractor_operator.relations import Key, key_of
from extractor_operator.store import Change, Store
from extractor_operator.workqueue import WorkQueue


@dataclass(frozen=True)
class Inbox:
    """The store, and the queue of those who have to look at what is new in it."""

    store: Store
    queue: WorkQueue[Key]
    ours: frozenset[str]
    """The kinds that are reconciled; the others are looked at by who made them."""

    def seen(self, body: dict[str, Any]) -> bool:
        """Take in an object as it is now; tell whether that was new."""
        change = self.store.put(body)
        self.enqueue(change)
        return change is not None

    def gone(self, body: dict[str, Any]) -> None:
        """Take in that an object was deleted."""
        self.enqueue(self.store.remove(body))

    def wrote(self, body: dict[str, Any]) -> None:
        """Take in what we have written ourselves: only others need to look at it."""
        # It may have been deleted meanwhile, and that may have been told first.
        change = self.store.put(body) if self.store.get(key_of(body)) else None
        if change:
            self._wake(change.dependents)

    def enqueue(self, change: Change | None) -> None:
        """Have everybody look whom a change concerns."""
        if change is None:
            return
        if change.key.kind in self.ours:
            self.queue.add(change.key, renewed=change.is_renewed)
        self._wake(change.dependents)

    def _wake(self, keys: Iterable[Key]) -> None:
        for key in keys:
            if key.kind in self.ours and self.store.get(key):
                self.queue.add(key)
