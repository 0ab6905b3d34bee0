"""How many reconciles may be at work, of all tenants and of one: nobody's slow downloads hold up everybody's.

Who finds no slot is told so instead of waiting, and woken in turn, one tenant after the other.
"""

import collections
from collections.abc import Callable

from extractor_operator.relations import Key


class Slots:
    """Slots by key; a tenant is a namespace."""

    def __init__(self, total: int, *, wake: Callable[[Key], None]) -> None:
        """Give a tenant half of the slots at most; ``wake`` is told whose turn it is."""
        self._total = total
        self._per_tenant = max(1, total // 2)
        self._wake = wake
        self._held: set[Key] = set()
        self._granted: set[Key] = set()
        """Those of them that have been woken, and not come yet."""
        self._lines: dict[str, collections.OrderedDict[Key, None]] = {}

    def take(self, key: Key) -> bool:
        """Take a slot; if there is none, the key is woken when it has one."""
        if key in self._granted:
            self._granted.discard(key)
        elif self._has_room(key.namespace):
            self._held.add(key)
        else:
            self._lines.setdefault(key.namespace, collections.OrderedDict())[key] = None
            return False
        self._leave(key)
        return True

    def release(self, key: Key) -> None:
        """Give a slot back, or a place in the line; whose turn it is now has it."""
        self._held.discard(key)
        self._granted.discard(key)
        self._leave(key)
        for namespace in list(self._lines):
            if not self._has_room(namespace):
                continue
            line = self._lines.pop(namespace)
            following, _ = line.popitem(last=False)
            if line:
                self._lines[namespace] = line  # Behind the other tenants.
            self._held.add(following)
            self._granted.add(following)
            self._wake(following)

    @property
    def waiting(self) -> int:
        """Count the keys that wait for a slot."""
        return sum(map(len, self._lines.values()))

    def _has_room(self, namespace: str) -> bool:
        tenants = sum(1 for key in self._held if key.namespace == namespace)
        return len(self._held) < self._total and tenants < self._per_tenant

    def _leave(self, key: Key) -> None:
        line = self._lines.get(key.namespace)
        if line is not None:
            line.pop(key, None)
            if not line:
                del self._lines[key.namespace]
