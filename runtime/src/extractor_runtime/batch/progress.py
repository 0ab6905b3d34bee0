"""How far a run is: `state.json` and the dead letters in the run's folder, and whoever watches.

The state is written at most once in ten seconds, and at every change of phase.
"""

import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from extractor_apis.manifest import CostUnit
from extractor_apis.run import RunConfig, RunPhase, RunState, StepReport, Usage
from extractor_runtime import usage
from extractor_runtime.batch import dead_letters
from extractor_runtime.batch.notes import Failure, Measure, Note
from extractor_runtime.batch.plan import Step
from extractor_stores import CompletionRecord

_WRITE_SECONDS = 10.0
_TELLING_SHARE = 0.1
"""Part of the objects after which their pace says something of the rest."""


class Progress:
    """Counts what a run does, and tells."""

    def __init__(self, config: RunConfig, folder: Path, on_state: Callable[[RunState], None]) -> None:
        now = datetime.now(UTC)
        self.state = RunState(run_id=config.run_id, phase=RunPhase.STARTING, started=now, updated=now)
        self.failed_objects: set[str] = set()
        self.first_failure: str | None = None
        self.dead_letters = dead_letters.path(folder)
        self._manifest = config.manifest
        self._folder = folder
        self._on_state = on_state
        self._done: set[str] = set()
        self._consumed = Usage()
        self._images = 0
        self._written = 0.0
        self._running_since = 0.0
        folder.mkdir(parents=True, exist_ok=True)
        # Of an earlier attempt at the same run: the objects that it names are taken again.
        self.dead_letters.unlink(missing_ok=True)
        self._update(write=True)

    def begin(self, objects: int, todo: int) -> None:
        """Note how much there is to do."""
        self._update(objects_total=objects, objects_unchanged=objects - todo, objects_todo=todo)

    def enter(self, phase: RunPhase, message: str = "") -> None:
        """Change phase."""
        if phase is RunPhase.RUNNING:
            self._running_since = time.monotonic()
        self._update(write=True, phase=phase, message=message)

    def plan(self, steps: Sequence[Step]) -> None:
        """Note the steps that there are."""
        self._update(steps=tuple(StepReport(name=step.name, resource=step.resource) for step in steps))

    def tell(self, message: str) -> None:
        """Note something that the user should know while the run goes on."""
        self._update(write=True, message=message)

    def is_done(self, object_id: str) -> bool:
        """Tell whether an object has come back, as documents or as a failure."""
        return object_id in self._done

    def advance(self, object_ids: Sequence[str], images: int = 0) -> None:
        """Note the objects of the documents that were just written, and how many of them are images."""
        self._done.update(object_ids)
        self._images += images
        documents = self.state.documents + len(object_ids)
        self._update(documents=documents, objects_done=len(self._done), usage=self._usage(documents))

    def record(self, notes: Sequence[Note]) -> None:
        """Take what the stages tell: write dead letters, add up what the steps took."""
        self._record_failures([note for note in notes if isinstance(note, Failure) and not note.fatal])
        self._record_measures([note for note in notes if isinstance(note, Measure)])

    def complete(self, record: CompletionRecord) -> None:
        """Note that the run is published."""
        count = self.state.dead_letters
        message = f"{count} dead letter{'s' * (count != 1)} in {self.dead_letters}" if count else ""
        self._update(
            write=True,
            phase=RunPhase.COMPLETED,
            message=message,
            documents_total=record.documents,
            seconds_left=0.0,
        )

    def tick(self) -> None:
        """Tell how far it is even when nothing new has come."""
        self._update()

    def _record_failures(self, letters: Sequence[Failure]) -> None:
        if not letters:
            return
        if self.first_failure is None:
            first = letters[0]
            place = f"{first.location}: " if first.location else ""
            self.first_failure = f"object {first.object_id}: {place}{first.error}"
        self.dead_letters.parent.mkdir(exist_ok=True)
        with self.dead_letters.open("a", encoding="utf-8") as file:
            for letter in letters:
                file.write(letter.dead_letter().model_dump_json() + "\n")
        self.failed_objects.update(letter.object_id for letter in letters)
        self._done.update(self.failed_objects)
        self._update(
            dead_letters=self.state.dead_letters + len(letters),
            objects_done=len(self._done),
            objects_failed=len(self.failed_objects),
        )

    def _record_measures(self, measures: Sequence[Measure]) -> None:
        steps = list(self.state.steps)
        for measure in measures:
            step = steps[measure.index]
            steps[measure.index] = StepReport(
                name=step.name,
                resource=step.resource,
                rows=step.rows + measure.rows,
                seconds=step.seconds + measure.seconds,
                create_seconds=max(step.create_seconds, measure.create_seconds),
                peak_memory_bytes=max(step.peak_memory_bytes, measure.peak_memory_bytes),
            )
        self._consumed = usage.summed([self._consumed, *(measure.usage for measure in measures)])
        self._update(steps=tuple(steps), usage=self._usage(self.state.documents))

    def _usage(self, documents: int) -> Usage:
        """Say what the run has consumed, with the documents and images that the author has not charged."""
        rated = {rate.unit for rate in self._manifest.cost_rates} - self._consumed.units.keys()
        counted = {CostUnit.EXTRACTION: float(documents), CostUnit.IMAGE: float(self._images)}
        units = {str(unit): amount for unit, amount in counted.items() if unit in rated}
        return usage.priced(usage.summed([self._consumed, Usage(units=units)]), self._manifest)

    def _seconds_left(self) -> float | None:
        done = self.state.objects_done
        if (
            self.state.phase is not RunPhase.RUNNING
            or not done
            or done < _TELLING_SHARE * self.state.objects_todo
        ):
            return None
        spent = time.monotonic() - self._running_since
        return round(spent / done * (self.state.objects_todo - done), 1)

    def _update(self, *, write: bool = False, **changes: object) -> None:
        self.state = self.state.model_copy(update={**changes, "updated": datetime.now(UTC)})
        if "seconds_left" not in changes:
            self.state = self.state.model_copy(update={"seconds_left": self._seconds_left()})
        if write or time.monotonic() - self._written >= _WRITE_SECONDS:
            # A reader never sees half a state, whenever the run is killed.
            temporary = self._folder / "state.json.tmp"
            temporary.write_text(self.state.model_dump_json(indent=1))
            os.replace(temporary, self._folder / "state.json")
            self._written = time.monotonic()
        self._on_state(self.state)
