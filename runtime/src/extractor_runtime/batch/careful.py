"""What an actor does with rows that were under way when a worker died: the same, in a process that may die.

The author's steps run in a child of the actor's. When it dies, its batch is tried again in a fresh one, and
then halved, until the rows that kill it are alone; each becomes a failure that says how the process died.
"""

import pyarrow as pa
import pyarrow.compute as pc

from extractor_runtime import errors
from extractor_runtime.batch import memory, output
from extractor_runtime.batch.child import Child, ChildDied
from extractor_runtime.batch.notes import Failure
from extractor_runtime.batch.stage import StageConfig

_MEMORY_SHARE = 0.8
"""Of what is available when a child starts; Ray ends whole actors when a machine is nearly full."""
_STARTS = 2


class CarefulActor:
    """Does what `stage.StageActor` does with all of a pipeline's steps; ``actors`` share the machine."""

    def __init__(self, config: StageConfig, actors: int = 1, memory_limit: int | None = None) -> None:
        self._config = config
        self._actors = actors
        self._memory_limit = memory_limit
        self._output = output.Output(config.run)
        self._child: Child | None = None
        self._stillborn = 0

    def __call__(self, block: pa.Table) -> pa.Table:
        done: list[pa.Table] = []
        try:
            self._run(block, done)
        except errors.AuthorError as error:
            failure = Failure("", "pipeline", error.message, error.location, fatal=True)
            done.append(self._output.notes([failure]))
        return pa.concat_tables(done)

    def close(self) -> None:
        """End the child; an actor's own end does it too."""
        if self._child is not None:
            self._child.close()
            self._child = None

    def _run(self, rows: pa.Table, done: list[pa.Table], *, guilty: bool = False) -> bool:
        """Do rows, of which some are known to kill when they are ``guilty``; tell whether any did."""
        objects = rows.column("object_id").unique()
        if guilty and len(objects) > 1:
            self._halve(rows, objects, done)
            return True
        # Only what a process dies of at its first batch is held against the batch: it may have been dying
        # of what it had kept from those before.
        fresh = self._child is None
        try:
            done.append(self._living().run(rows))
        except ChildDied as death:
            self._child = None
            if death.moment == "created":
                self._check_start(death)
            if death.moment == "created" or not fresh:
                return self._run(rows, done)
            if len(objects) > 1:
                self._halve(rows, objects, done)
            else:
                done.append(self._blame(rows, death))
            return True
        return False

    def _halve(self, rows: pa.Table, objects: pa.Array, done: list[pa.Table]) -> None:
        """Do rows in two parts, with no object in both."""
        middle = len(objects) // 2
        first, second = (
            rows.filter(pc.is_in(rows.column("object_id"), half))
            for half in (objects[:middle], objects[middle:])
        )
        died = self._run(first, done)
        self._run(second, done, guilty=not died)

    def _blame(self, rows: pa.Table, death: ChildDied) -> pa.Table:
        failure = Failure(
            object_id=rows.column("object_id")[0].as_py(),
            step=death.step,
            error=f"the process died in step {death.step}: {death.reason}",
            location=death.location,
            document_id=rows.column("document_id")[0].as_py(),
        )
        return self._output.notes([failure])

    def _living(self) -> Child:
        if self._child is None:
            self._child = Child(self._config, memory_limit=self._limit())
            self._stillborn = 0
        return self._child

    def _limit(self) -> int | None:
        if self._memory_limit is not None:
            return self._memory_limit
        available = memory.available_bytes()
        return available and int(available * _MEMORY_SHARE / self._actors)

    def _check_start(self, death: ChildDied) -> None:
        self._stillborn += 1
        if self._stillborn >= _STARTS:
            raise errors.AuthorError(
                f"the process died {self._stillborn} times while the pipeline's steps were created: "
                f"{death.reason}",
                death.location or "pipeline.py:1",
            ) from death
