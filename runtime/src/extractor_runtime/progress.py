"""How far a run is: `state.json` and the dead letters in the run's folder, and whoever watches.

The state is written at most once in ten seconds, and at every change of phase.
"""

import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from extractor_apis.run import RunPhase, RunState
from extractor_runtime.rows import Failure
from extractor_stores import CompletionRecord

_WRITE_SECONDS = 10.0
_TELLING_SHARE = 0.1
"""Part of the objects after which their pace says something of the rest."""


class Progress:
    """Counts what a run does, and tells."""

    def __init__(self, run_id: str, folder: Path, on_state: Callable[[RunState], None]) -> None:
        now = datetime.now(UTC)
        self.state = RunState(run_id=run_id, phase=RunPhase.STARTING, started=now, updated=now)
        self.failed_objects: set[str] = set()
        self.first_failure: str | None = None
        self.dead_letters = folder / "dead-letters" / "dead-letters.jsonl"
        self._folder = folder
        self._on_state = on_state
        self._done: set[str] = set()
        self._written = 0.0
        self._running_since = 0.0
        folder.mkdir(parents=True, exist_ok=True)
        self._update(write=True)

    def begin(self, objects: int, todo: int) -> None:
        """Note how much there is to do."""
        self._update(objects_total=objects, objects_unchanged=objects - todo, objects_todo=todo)

    def enter(self, phase: RunPhase, message: str = "") -> None:
        """Change phase."""
        if phase is RunPhase.RUNNING:
            self._running_since = time.monotonic()
        self._update(write=True, phase=phase, message=message)

    def advance(self, object_ids: Sequence[str]) -> None:
        """Note the objects of the documents that were just written."""
        self._done.update(object_ids)
        self._update(documents=self.state.documents + len(object_ids), objects_done=len(self._done))

    def record_failures(self, failures: Sequence[Failure]) -> None:
        """Write dead letters."""
        letters = [failure for failure in failures if not failure.fatal]
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

    def complete(self, record: CompletionRecord) -> None:
        """Note that the run is published."""
        message = (
            f"{self.state.dead_letters} dead letters in {self.dead_letters}" if self.failed_objects else ""
        )
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
