"""When a schedule's times are. All of it is pure.

Times that passed while nobody was there to start a run are made up for by one run, the latest.
"""

import zoneinfo
from datetime import datetime

import cronsim

from extractor_apis.collection import CollectionSpec
from extractor_apis.conditions import Reason
from extractor_operator.errors import Stalled

_NAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
_MISSED = 1_000
"""Times that are looked through for the latest; one that fires every minute loses a day or so, and begins
again from now."""


def last(spec: CollectionSpec, after: datetime, now: datetime) -> datetime | None:
    """Give the latest time of a schedule that has passed since ``after``; None if none has."""
    found = None
    times = _times(spec, after)
    for _ in range(_MISSED):
        at = next(times, None)
        if at is None or at > now:
            return found
        found = at
    return now.replace(second=0, microsecond=0)


def following(spec: CollectionSpec, now: datetime) -> datetime | None:
    """Give the next time of a schedule; None if it has none left."""
    return next(_times(spec, now), None)


def _times(spec: CollectionSpec, after: datetime) -> cronsim.CronSim:
    """Raises Stalled for what is no schedule."""
    schedule = spec.schedule or ""
    try:
        zone = zoneinfo.ZoneInfo(spec.time_zone or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as err:
        raise Stalled(
            Reason.SCHEDULE_INVALID, f"{spec.time_zone!r} is no time zone: write one as in Europe/Berlin"
        ) from err
    try:
        return cronsim.CronSim(_NAMES.get(schedule, schedule), after.astimezone(zone))
    except cronsim.CronSimError as err:
        raise Stalled(
            Reason.SCHEDULE_INVALID, f"{schedule!r} is no schedule ({err}): write five fields as in 0 3 * * *"
        ) from err
