"""Events, as `kubectl describe` shows them: one for each transition, and none for a retry.

They are a courtesy: one that cannot be written costs a line in the log, and nothing else.
"""

import datetime
import logging
from collections.abc import Sequence

from extractor_apis import conditions, naming
from extractor_apis.conditions import ConditionType, Reason
from extractor_apis.resource import Condition, ConditionStatus, Resource
from extractor_operator import kube
from extractor_operator.errors import ApiError, Exists, Gone
from extractor_operator.kube import Client
from extractor_operator.permissions import permission

PERMISSIONS = (permission("events.k8s.io", "events", "create"),)

_NOTE_BYTES = 1024
_UNDER_WAY = frozenset(
    {
        Reason.PROGRESSING,
        Reason.QUEUED,
        Reason.STARTING,
        Reason.RUNNING,
        Reason.SUSPENDED,
        Reason.VERSION_NOT_READY,
    }
)
"""What everything passes through on its way, unless it is stalled there."""
_logger = logging.getLogger(__name__)


def render(resource: Resource, condition: Condition, *, instance: str, at: datetime.datetime) -> kube.Json:
    """Make the event that says what a condition has become; the same transition has the same name."""
    metadata, kind = resource.metadata, type(resource).__name__
    name = naming.stable_hash(metadata.uid, condition.reason, at.isoformat())[:16]
    note = condition.message.encode()[:_NOTE_BYTES].decode(errors="ignore")
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata.name[:200]}.{name}", "namespace": metadata.namespace},
        "eventTime": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": naming.FIELD_MANAGER,
        "reportingInstance": instance[:128],
        "action": "Reconcile",
        "reason": condition.reason[:128],
        "type": "Normal" if condition.status is ConditionStatus.TRUE else "Warning",
        "note": note,
        "regarding": {
            "apiVersion": f"{resource.GROUP}/{resource.VERSION}",
            "kind": kind,
            "namespace": metadata.namespace,
            "name": metadata.name,
            "uid": metadata.uid,
        },
    }


def transition(before: Sequence[Condition], after: Sequence[Condition]) -> Condition | None:
    """Give `Ready` if it says something else than before, and something that has ended."""
    was, is_now = _ended(before), _ended(after)
    is_same = was and is_now and (was.status, was.reason) == (is_now.status, is_now.reason)
    return None if is_same else is_now


async def tell(client: Client, event: kube.Json) -> None:
    """Write an event, if that can be done."""
    try:
        await client.create(kube.path("events.k8s.io/v1", "events", event["metadata"]["namespace"]), event)
    except (ApiError, Exists, Gone) as err:
        _logger.warning("an event is lost: %s", err)


def _ended(known: Sequence[Condition]) -> Condition | None:
    """Give `Ready`, unless it says what passes by itself."""
    ready = conditions.find(known, ConditionType.READY)
    is_stalled = conditions.find(known, ConditionType.STALLED) is not None
    return None if ready and ready.reason in _UNDER_WAY and not is_stalled else ready
