"""Whose turn it is: of the runs of a collection one is at work, and the others wait.

They go in the order in which they were made, which the API server tells to the second, and then by name. But
the first of two may be seen when the second has begun. So a run that has begun keeps its turn, whatever shows
that: its status, its RayJob, or, while there is neither, what this process remembers.
"""

from dataclasses import dataclass, field
from datetime import datetime

from extractor_apis.conditions import Reason
from extractor_apis.extractorrun import ExtractorRun
from extractor_operator.errors import Waiting
from extractor_operator.kuberay.job import observe_job
from extractor_operator.relations import Key, Mark
from extractor_operator.store import Store
from extractor_operator.watched import RAY_JOBS

_AGAIN_SECONDS = 300.0
"""Only to be sure: the end of a run is told at once."""
_REMOVING_SECONDS = 5.0
"""Between looks at the RayJob of another run: only that run is told of it."""


@dataclass
class Turns:
    """The turns that this process has given."""

    # What is left: nobody knows of a RayJob that a process asked for as it ended, and that is made after the
    # next one has listed them; nor of the pods of a run that is deleted, which take some seconds to go. There
    # the lock of the results decides (`extractor_stores.lock`), and the later attempt fails.
    _given: dict[Mark, str] = field(default_factory=dict)
    """For each collection the uid of the run that was the last to begin."""

    def take(self, run: ExtractorRun, store: Store, now: datetime) -> None:
        """Take the turn of a run that is about to begin. Raises Waiting while it is another one's.

        Nothing is awaited here: of two runs that are reconciled at the same time, one gets it.
        """
        if run.status.attempts:
            return
        collection = Mark(ExtractorRun.__name__, run.metadata.namespace, "collection", run.spec.collection)
        keys = [key for key in store.find(collection) if key.name != run.metadata.name]
        found = {key: store.read(ExtractorRun, key.namespace, key.name) for key in keys}
        others = {key: other for key, other in found.items() if other and not other.status.finished}
        given = self._given.get(collection)
        for key, other in others.items():
            if other.status.attempts or other.metadata.uid == given or store.children(key, RAY_JOBS.kind):
                raise _waiting(f"{key.name} is under way; cancel it to begin sooner", _AGAIN_SECONDS)
        for key in keys:
            if key not in others and _is_ending(key, store, now):
                raise _waiting(f"{key.name} has ended, and its RayJob is being removed", _REMOVING_SECONDS)
        first = min((run, *others.values()), key=_age)
        if first is not run and given != run.metadata.uid:
            said = f"{first.metadata.name} was made before; cancel it to begin sooner"
            raise _waiting(said, _AGAIN_SECONDS)
        self._given[collection] = run.metadata.uid


def _is_ending(run: Key, store: Store, now: datetime) -> bool:
    """Tell whether a run that was given up, or is being deleted, has a RayJob that is not done."""
    jobs = store.children(run, RAY_JOBS.kind).values()
    return any(observe_job(job, None, (), now=now).has_to_go for job in jobs)


def _age(run: ExtractorRun) -> tuple[str, str]:
    created = run.metadata.creation_timestamp
    return (created.isoformat() if created else "", run.metadata.name)


def _waiting(said: str, after: float) -> Waiting:
    return Waiting(Reason.QUEUED, f"runs of a collection take turns: {said}", after=after)
