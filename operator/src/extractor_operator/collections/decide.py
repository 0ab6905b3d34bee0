"""Which run a collection wants, and what it says of those that were. All of it is pure.

What is asked for has a name, and its run has the same: so nothing is run twice, whether its run is still
there, was deleted, or is only known to the results.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from extractor_apis import naming
from extractor_apis.collection import Collection, Ingest
from extractor_apis.extractor import Extractor
from extractor_apis.extractorrun import ExtractorRun
from extractor_apis.results import CompletionRecord
from extractor_operator import times
from extractor_operator.collections import schedule

_DIGITS = 10
_NAME = 63


@dataclass(frozen=True)
class Wanted:
    """What a run would be made of."""

    extractor: Extractor
    version: str
    digest: str
    """Of the version's artifact."""
    recorded: frozenset[str]
    """The runs that the results have of that version."""
    elsewhere: str | None = None
    """What answers now, if it is another version: its last run."""


@dataclass(frozen=True)
class Request:
    """A run that is asked for."""

    name: str
    version: str
    scheduled: str | None = None
    """The time of the schedule that asks."""


def concerns(collection: Collection, run: ExtractorRun) -> bool:
    """Tell whether a run is of this collection, and not of one that had its name and takes it along."""
    owners = {each.uid for each in run.metadata.owner_references if each.controller}
    return not owners or collection.metadata.uid in owners


def request(
    collection: Collection, wanted: Wanted, runs: Sequence[ExtractorRun], now: datetime
) -> Request | None:
    """Say which run is asked for and was not made; None if there is nothing to do."""
    known = {run.metadata.name for run in runs} | wanted.recorded | set(collection.status.requested)
    candidates = (*_asked(collection, wanted), _due(collection, wanted, now))
    return next((each for each in candidates if each and each.name not in known), None)


def seen_to(collection: Collection, wanted: Wanted, made: Request | None, now: datetime) -> dict[str, Any]:
    """Give the fields of the status that tell what was asked for and need not be asked again."""
    asked, due = _asked(collection, wanted), _due(collection, wanted, now)
    is_next = due and due.scheduled and (made is None or made == due)
    return {
        **({"requested": tuple(each.name for each in asked)} if asked else {}),
        # A run that was asked for by hand goes first; the schedule's is made after it.
        **({"scheduled": due.scheduled} if due and due.scheduled and is_next else {}),
    }


def following(collection: Collection, now: datetime) -> datetime | None:
    """Give the schedule's next time; None without a schedule. Raises Stalled for what is none."""
    if collection.spec.ingest is not Ingest.ON_SCHEDULE or collection.spec.suspend:
        return None
    return schedule.following(collection.spec, now)


def expired(collection: Collection, runs: Sequence[ExtractorRun], now: datetime) -> tuple[ExtractorRun, ...]:
    """Name the runs of its own that have ended and are not kept."""
    spec, gone = collection.spec, []
    kept = {True: spec.history.succeeded, False: spec.history.failed}
    for run in sorted(ended(runs), key=_finished, reverse=True):
        if not any(owner.uid == collection.metadata.uid for owner in run.metadata.owner_references):
            continue
        succeeded = has_succeeded(run)
        kept[succeeded] -= 1
        if kept[succeeded] < 0 or (_expires(collection, run) or now) < now:
            gone.append(run)
    return tuple(gone)


def look_again(collection: Collection, runs: Sequence[ExtractorRun], now: datetime) -> float | None:
    """Say after how many seconds time alone asks for something."""
    times_ahead = [at for run in ended(runs) if (at := _expires(collection, run)) and at >= now]
    if at := following(collection, now):
        times_ahead.append(at)
    return min((max(1.0, (at - now).total_seconds() + 1) for at in times_ahead), default=None)


def elsewhere(published: CompletionRecord | None, version: str, runs: Sequence[ExtractorRun]) -> str | None:
    """Name the last run of the version that answers, if that is another one than is wanted."""
    if published is None or published.version == version:
        return None
    others = [run for run in ended(runs) if run.spec.version == published.version and has_succeeded(run)]
    known = [run.metadata.name for run in sorted(others, key=_finished)]
    recorded = sorted(source.run_id for source in published.sources.values())
    return (known or recorded or [published.version])[-1]


def under_way(runs: Sequence[ExtractorRun]) -> ExtractorRun | None:
    """Find the run that has its turn, or else the next one."""
    waiting = [run for run in runs if not run.status.finished]
    return min(waiting, key=lambda run: (not run.status.attempts, _created(run)), default=None)


def ended(runs: Sequence[ExtractorRun]) -> list[ExtractorRun]:
    """Give the runs that have ended."""
    return [run for run in runs if run.status.finished]


def latest(runs: Sequence[ExtractorRun]) -> ExtractorRun | None:
    """Find the run that ended last."""
    return max(ended(runs), key=_finished, default=None)


def has_succeeded(run: ExtractorRun) -> bool:
    """Tell whether a run has ended well."""
    return any(each.type == "Succeeded" and each.status == "True" for each in run.status.conditions)


def _asked(collection: Collection, wanted: Wanted) -> tuple[Request, ...]:
    """Say which runs the object itself asks for, the first of them before the others."""
    spec = collection.spec
    asked_by_hand = collection.metadata.annotations.get(naming.REQUESTED_AT)
    if spec.ingest is Ingest.ON_ACTIVATE:
        made_of = {
            "digest": wanted.digest,
            "source": spec.source.url,
            "mappings": spec.input_mappings,
            "parameters": {**wanted.extractor.spec.parameters, **spec.parameters},
            "request": asked_by_hand,
        }
        why = json.dumps(made_of, sort_keys=True)
        first = _named(collection, wanted.version, why)
        if not (wanted.elsewhere and wanted.recorded):
            return (first,)
        # A version that comes back has its vectors; a run of it lets readers follow, and takes what is new.
        return first, _named(collection, wanted.version, f"{why} after {wanted.elsewhere}")
    return (_named(collection, wanted.version, f"request {asked_by_hand}"),) if asked_by_hand else ()


def _due(collection: Collection, wanted: Wanted, now: datetime) -> Request | None:
    """Say which run the schedule asks for."""
    spec, created = collection.spec, collection.metadata.creation_timestamp
    if spec.ingest is not Ingest.ON_SCHEDULE:
        return None
    since = times.read(collection.status.scheduled) if collection.status.scheduled else created or now
    at = schedule.last(spec, since, now)
    if at is None:
        return None
    return _named(collection, wanted.version, f"schedule {times.write(at)}", times.write(at))


def _named(collection: Collection, version: str, why: str, scheduled: str | None = None) -> Request:
    digest = naming.stable_hash(collection.metadata.name, version, why)[:_DIGITS]
    end = f"-{version.replace('.', '-')}-{digest}"
    return Request(collection.metadata.name[: _NAME - len(end)].rstrip("-") + end, version, scheduled)


def _expires(collection: Collection, run: ExtractorRun) -> datetime | None:
    seconds = collection.spec.ttl_seconds_after_finished
    return None if seconds is None else times.after(_finished(run), seconds)


def _finished(run: ExtractorRun) -> str:
    return run.status.finished or ""


def _created(run: ExtractorRun) -> str:
    created = run.metadata.creation_timestamp
    return f"{created.isoformat() if created else ''} {run.metadata.name}"
