"""An inbox whose queue nobody works on: tests of one reconcile need no more."""

from extractor_operator.inbox import Inbox
from extractor_operator.store import Store
from extractor_operator.workqueue import WorkQueue


async def _nothing(_: object) -> None:
    """Reconcile nothing."""


def still(store: Store) -> Inbox:
    """Give an inbox over a store that wakes nobody."""
    return Inbox(store, WorkQueue(_nothing), frozenset())
