"""How a kind plugs into the reconciler: what to do for one object, and what its status says then."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from extractor_apis.conditions import Outcome, Stage
from extractor_apis.resource import Resource, Status
from extractor_operator.context import Context

R = TypeVar("R", bound=Resource)
C = TypeVar("C", bound=Resource, contravariant=True)

Tell = Callable[[Outcome], Awaitable[None]]
"""Writes what an attempt has found so far into the status, before it goes on."""


class Attempt(Protocol[C]):
    """One reconcile of one object, and what it has found out so far."""

    @property
    def stages(self) -> list[Stage]:
        """What the steps said that were done."""

    @property
    def doing(self) -> str:
        """What it is at, for people who wait."""

    async def work(self) -> Outcome:
        """Bring the object to what it asks for, as far as it goes now.

        Raises Waiting, Stalled or Retrying, and bugs.
        """

    def status(self, known: C, outcome: Outcome, *, now: str) -> Status:
        """Make the status; ``known`` is the object with the one that was last written."""


@dataclass(frozen=True)
class Kind(Generic[R]):
    """One of our kinds."""

    resource: type[R]
    begin: Callable[[R, Context, Tell], Attempt[R]]
    is_heavy: bool = False
    """Whether an attempt downloads and computes: it takes a slot of its tenant's then, and what stalled is
    left alone until somebody asks anew."""
