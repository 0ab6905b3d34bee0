"""How long a scan without a verdict is tried again: an archive that takes it over would have it for ever.

The status remembers since when, so that nothing is counted and another process knows as much.
"""

from collections.abc import Sequence
from datetime import datetime

from extractor_apis import conditions, naming
from extractor_apis.conditions import ConditionType
from extractor_apis.resource import Condition, ConditionStatus
from extractor_operator import times
from extractor_operator.errors import Retrying, Stalled

_SECONDS = 1800.0
"""About a dozen tries, as the work queue spaces them."""


def judge(failure: Retrying, known: Sequence[Condition], now: datetime) -> Retrying | Stalled:
    """Give the failure back, or what it has come to when it has been so for long."""
    fetched, ready = (conditions.find(known, type) for type in (ConditionType.FETCHED, ConditionType.READY))
    if not (fetched and ready) or ready.status is ConditionStatus.TRUE:
        return failure
    # A version is not Ready while it is fetched, and is judged again long after that.
    since = max(times.read(each.last_transition_time) for each in (fetched, ready))
    if (now - since).total_seconds() < _SECONDS:
        return failure
    return Stalled(
        failure.reason,
        f"{failure}; it was tried for {times.say(_SECONDS)}. Try `extractor lint` on the archive, and see "
        f"the operator's log; then push another version, or annotate the object with {naming.REQUESTED_AT}",
    )
