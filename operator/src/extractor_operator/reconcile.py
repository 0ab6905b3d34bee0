"""From a key to a status that tells the truth: what the work queue calls.

It reads what was last seen, lets the steps work, and writes the status if that says something else now.
"""

import asyncio
import datetime
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from extractor_apis import conditions
from extractor_apis.conditions import ConditionType, Outcome, Reason, Stage
from extractor_apis.extractorversion import ExtractorVersion
from extractor_apis.resource import ConditionStatus
from extractor_operator import events, kube, status, version
from extractor_operator.context import Context
from extractor_operator.errors import ApiError, ApiUnavailable, Gone, Stalled, Waiting
from extractor_operator.permissions import permission
from extractor_operator.slots import Slots
from extractor_operator.status import Draft
from extractor_operator.store import Key, Seen, Store, key_of
from extractor_operator.version import Step

PERMISSIONS = (permission(ExtractorVersion.GROUP, f"{ExtractorVersion.PLURAL}/status", "patch"),)

_QUIET_SECONDS = 2.0
"""What takes longer says so in the status; most versions are Ready by then, with a single write."""
_API_SECONDS = 5.0
"""Before the next try when the API server does not answer: that says nothing of the object."""

_logger = logging.getLogger(__name__)


@dataclass
class Reconciler:
    """Reconciles keys, none of them twice at a time."""

    ctx: Context
    store: Store
    slots: Slots
    instance: str
    """This process, for events."""
    steps: tuple[Step, ...] = version.STEPS
    clock: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)
    _stalled: dict[Key, tuple[object, ...]] = field(default_factory=dict)
    """Of which objects this process has found that only a change helps, and what it said then."""

    async def run(self, key: Key) -> float | None:
        """Reconcile an object; give the seconds after which to look again. Raises what may pass by itself."""
        seen = self.store.get(key)
        if seen is None or seen.is_deleting:
            self._stalled.pop(key, None)
            self.slots.release(key)
            return None
        if not self.slots.take(key):
            return None
        started, result = time.monotonic(), "error"
        try:
            result, again = await self._reconcile(key, seen)
            return again
        except Gone:
            result = "gone"
            return None
        except ApiUnavailable as err:
            _logger.warning("%s: %s; next try in %.0f s", key, err, _API_SECONDS)
            return _API_SECONDS
        finally:
            self.slots.release(key)
            self.ctx.metrics.reconciles.labels(key.kind, result).inc()
            self.ctx.metrics.reconcile_seconds.labels(key.kind).observe(time.monotonic() - started)

    async def _reconcile(self, key: Key, seen: Seen) -> tuple[str, float | None]:
        attempt = _Attempt(ExtractorVersion.model_validate_json(seen.content))
        if self._stalled.get(key) == _judgement(seen, attempt.version):
            return "settled", None
        self._stalled.pop(key, None)
        try:
            outcome = await self._work(attempt)
        except Waiting as wait:
            await self._write(attempt, attempt.reconciling(wait.reason, str(wait)))
            return "waiting", wait.after
        except Stalled as stop:
            await self._write(attempt, attempt.stalled(stop))
            self._stalled[key] = _judgement(seen, attempt.version)
            return "stalled", None
        except (Gone, ApiError):
            raise
        except Exception:
            await self._write(attempt, attempt.reconciling(Reason.RETRYING, attempt.last_words))
            raise
        await self._write(attempt, outcome)
        return "ready", None

    async def _work(self, attempt: "_Attempt") -> Outcome:
        """Do the steps, and say which one it is at if they take long and nothing has been said yet."""
        steps = asyncio.ensure_future(version.reconcile(attempt.version, attempt.draft, self.ctx, self.steps))
        try:
            done, _ = await asyncio.wait({steps}, timeout=_QUIET_SECONDS)
            ready = conditions.find(attempt.version.status.conditions, ConditionType.READY)
            if not done and (ready is None or ready.reason == Reason.PROGRESSING):
                await self._write(attempt, attempt.reconciling(Reason.PROGRESSING, attempt.draft.doing))
            return await steps
        finally:
            steps.cancel()

    async def _write(self, attempt: "_Attempt", outcome: Outcome) -> None:
        """Have the status say what the draft does, unless it does already. Raises Gone with the object."""
        before, at = attempt.version, self.clock()
        now = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        wanted = status.render(before, attempt.draft, outcome, now=now)
        if wanted == before.status:
            return
        metadata, api = before.metadata, f"{before.GROUP}/{before.VERSION}"
        body = await self.ctx.client.apply(
            kube.path(api, before.PLURAL, metadata.namespace, metadata.name, "status"),
            {
                "apiVersion": api,
                "kind": type(before).__name__,
                # With the uid it is never written to another object of that name.
                "metadata": {"name": metadata.name, "namespace": metadata.namespace, "uid": metadata.uid},
                "status": wanted.model_dump(mode="json", exclude_none=True),
            },
        )
        # It may have been deleted meanwhile, and that may have been told first.
        if self.store.get(key_of(body)):
            self.store.put(body)
        attempt.version = before.model_copy(update={"status": wanted})
        changed = status.transition(before.status.conditions, wanted.conditions)
        if changed:
            event = events.render(before, changed, instance=self.instance, at=at)
            await events.tell(self.ctx.client, event)


@dataclass
class _Attempt:
    """One reconcile of one version."""

    version: ExtractorVersion
    """With the status that was last written."""
    draft: Draft = field(default_factory=Draft)

    def reconciling(self, reason: Reason, message: str) -> Outcome:
        stage = Stage(ConditionType.RECONCILING, ConditionStatus.TRUE, reason, message)
        return Outcome(tuple(self.draft.stages), reconciling=stage)

    def stalled(self, stop: Stalled) -> Outcome:
        stage = Stage(ConditionType.STALLED, ConditionStatus.TRUE, stop.reason, str(stop))
        return Outcome(tuple(self.draft.stages), stalled=stage)

    @property
    def last_words(self) -> str:
        stages = self.draft.stages
        return stages[-1].message if stages else "failed before the first step; trying again"


def _judgement(seen: Seen, version: ExtractorVersion) -> tuple[object, ...]:
    return seen.asked, version.status.model_dump_json()
