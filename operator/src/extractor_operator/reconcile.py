"""From a key to a status that tells the truth: what the work queue calls.

It reads what was last seen, lets the kind's attempt work, and writes the status if that says something
else now.
"""

import asyncio
import datetime
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from extractor_apis import conditions
from extractor_apis.conditions import ConditionType, Outcome, Reason, Stage
from extractor_apis.errors import ExtractorError
from extractor_apis.resource import ConditionStatus
from extractor_operator import events, kube, watched
from extractor_operator.context import Context
from extractor_operator.errors import ApiUnavailable, Gone, Stalled, Waiting
from extractor_operator.inbox import Inbox
from extractor_operator.kind import Attempt, Kind
from extractor_operator.permissions import permission
from extractor_operator.relations import Key
from extractor_operator.slots import Slots
from extractor_operator.store import Seen

PERMISSIONS = tuple(permission(kind.group, f"{kind.plural}/status", "patch") for kind in watched.OURS)

_QUIET_SECONDS = 2.0
"""What takes longer says so in the status; most versions are Ready by then, with a single write."""
_API_SECONDS = 5.0
"""Before the next try when the API server does not answer: that says nothing of the object."""

_logger = logging.getLogger(__name__)


class Reconciler:
    """Reconciles keys, none of them twice at a time."""

    def __init__(
        self,
        ctx: Context,
        inbox: Inbox,
        slots: Slots,
        kinds: Sequence[Kind[Any]],
        *,
        instance: str,
        clock: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
    ) -> None:
        """Reconcile these kinds; ``instance`` names this process in events."""
        self._ctx = ctx
        self._inbox = inbox
        self._slots = slots
        self._kinds = {kind.resource.__name__: kind for kind in kinds}
        self._instance = instance
        self._clock = clock
        self._stalled: dict[Key, tuple[object, ...]] = {}
        """Of which objects this process has found that only a change helps, and what it said then."""

    async def run(self, key: Key) -> float | None:
        """Reconcile an object; give the seconds after which to look again. Raises what may pass by itself."""
        seen, kind = self._inbox.store.get(key), self._kinds[key.kind]
        if seen is None or seen.is_deleting:
            self._stalled.pop(key, None)
            self._slots.release(key)
            return None
        if kind.is_heavy and not self._slots.take(key):
            return None
        started, result = time.monotonic(), "error"
        try:
            result, again = await self._reconcile(key, kind, seen)
            return again
        except Gone:
            result = "gone"
            return None
        except ApiUnavailable as err:
            _logger.warning("%s: %s; next try in %.0f s", key, err, _API_SECONDS)
            return _API_SECONDS
        finally:
            self._slots.release(key)
            self._ctx.metrics.reconciles.labels(key.kind, result).inc()
            self._ctx.metrics.reconcile_seconds.labels(key.kind).observe(time.monotonic() - started)

    async def _reconcile(self, key: Key, kind: Kind[Any], seen: Seen) -> tuple[str, float | None]:
        known = kind.resource.model_validate_json(seen.content)
        if self._stalled.get(key) == _judgement(seen, known):
            return "settled", None
        self._stalled.pop(key, None)

        async def tell(outcome: Outcome) -> None:
            await self._write(work, outcome)

        work = _Work(known, kind.begin(known, self._ctx, tell))
        try:
            outcome = await self._attempt(work)
        except Waiting as wait:
            await self._write(work, work.reconciling(wait.reason, str(wait)))
            return "waiting", wait.after
        except Stalled as stop:
            await self._write(work, work.stalled(stop))
            if kind.is_heavy:
                self._stalled[key] = _judgement(seen, work.known)
            return "stalled", None
        except (Gone, ApiUnavailable):
            raise
        except Exception as err:
            # Nobody has made sure that any other shows no secret.
            said = str(err) if isinstance(err, ExtractorError) else work.last_words
            await self._write(work, work.reconciling(Reason.RETRYING, said))
            raise
        await self._write(work, outcome)
        return _result(outcome), outcome.after

    async def _attempt(self, work: "_Work") -> Outcome:
        """Do the steps, and say which one it is at if they take long and nothing has been said yet."""
        steps = asyncio.ensure_future(work.attempt.work())
        try:
            done, _ = await asyncio.wait({steps}, timeout=_QUIET_SECONDS)
            ready = conditions.find(work.known.status.conditions, ConditionType.READY)
            if not done and (ready is None or ready.reason == Reason.PROGRESSING):
                await self._write(work, work.reconciling(Reason.PROGRESSING, work.attempt.doing))
            return await steps
        finally:
            steps.cancel()

    async def _write(self, work: "_Work", outcome: Outcome) -> None:
        """Have the status say what the attempt does, unless it does already. Raises Gone with the object."""
        async with work.writing:
            await self._write_alone(work, outcome)

    async def _write_alone(self, work: "_Work", outcome: Outcome) -> None:
        before, at = work.known, self._clock()
        wanted = work.attempt.status(before, outcome, now=at.strftime("%Y-%m-%dT%H:%M:%SZ"))
        if wanted == before.status:
            return
        metadata, api = before.metadata, f"{before.GROUP}/{before.VERSION}"
        kind = type(before).__name__
        with self._inbox.expecting(Key(kind, metadata.namespace, metadata.name)):
            body = await self._ctx.client.apply(
                kube.path(api, before.PLURAL, metadata.namespace, metadata.name, "status"),
                {
                    "apiVersion": api,
                    "kind": kind,
                    # With the uid it is never written to another object of that name.
                    "metadata": {"name": metadata.name, "namespace": metadata.namespace, "uid": metadata.uid},
                    "status": wanted.model_dump(mode="json", exclude_none=True),
                },
            )
        self._inbox.wrote(body)
        work.known = before.model_copy(update={"status": wanted})
        changed = events.transition(before.status.conditions, wanted.conditions)
        if changed:
            event = events.render(before, changed, instance=self._instance, at=at)
            await events.tell(self._ctx.client, event)


@dataclass
class _Work:
    """An object that is worked on."""

    known: Any
    """The object, with the status that was last written."""
    attempt: Attempt[Any]
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Of two statuses the later one is what is known to be there."""

    def reconciling(self, reason: Reason, message: str) -> Outcome:
        stage = Stage(ConditionType.RECONCILING, ConditionStatus.TRUE, reason, message)
        return Outcome(tuple(self.attempt.stages), reconciling=stage)

    def stalled(self, stop: Stalled) -> Outcome:
        stage = Stage(ConditionType.STALLED, ConditionStatus.TRUE, stop.reason, str(stop))
        return Outcome(tuple(self.attempt.stages), stalled=stage)

    @property
    def last_words(self) -> str:
        stages = self.attempt.stages
        return stages[-1].message if stages else "failed before the first step; trying again"


def _result(outcome: Outcome) -> str:
    if outcome.stalled:
        return "stalled"
    return "waiting" if outcome.reconciling else "ready"


def _judgement(seen: Seen, known: Any) -> tuple[object, ...]:
    return seen.asked, known.status.model_dump_json()
