"""How a run is shown: a bar on a terminal, plain lines elsewhere. Both on stderr."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from extractor_apis.run import RunPhase, RunState, Usage
from extractor_cli import terminal

OnState = Callable[[RunState], None]
_LINE_SECONDS = 10.0


@contextlib.contextmanager
def shown(title: str) -> Iterator[OnState]:
    """Show a run's states as they come."""
    if not terminal.is_terminal():
        yield _Lines(title)
        return
    from rich import progress as bars
    from rich.console import Console

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TextColumn("objects"),
        bars.TextColumn("{task.fields[documents]:,} documents"),
        bars.TimeElapsedColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"{title} Starting", total=None, documents=0)

        def show(state: RunState) -> None:
            bar.update(
                task,
                description=f"{title} {state.phase}",
                completed=state.objects_done,
                total=state.objects_todo or None,
                documents=state.documents,
            )

        yield show


class _Lines:
    """One line for each phase and message, and one every ten seconds while it lasts."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._news: tuple[RunPhase, str] | None = None
        self._said = 0.0

    def __call__(self, state: RunState) -> None:
        now = time.monotonic()
        news = (state.phase, state.message)
        if news == self._news and now - self._said < _LINE_SECONDS:
            return
        self._news, self._said = news, now
        left = f", {state.seconds_left:.0f} s left" if state.seconds_left else ""
        failed = f", {state.objects_failed} failed" if state.objects_failed else ""
        unchanged = f", {state.objects_unchanged} unchanged" if state.objects_unchanged else ""
        # Later messages are told by the summary, or as the error.
        told = f"; {state.message}" if state.message and state.phase is RunPhase.RUNNING else ""
        terminal.say(
            f"{self._title} {state.phase}: {state.objects_done} of {state.objects_todo} objects{unchanged}, "
            f"{state.documents} documents{failed}{left}{told}"
        )


def summary(state: RunState, store: Path) -> str:
    """Say what a completed run did."""
    seconds = (state.updated - state.started).total_seconds()
    parts = [
        f"{state.objects_done} of {state.objects_total} objects done in {seconds:.1f} s",
        f"{state.objects_unchanged} unchanged",
        f"{state.documents} documents written, {state.documents_total} in the collection",
    ]
    if state.usage != Usage():
        parts.append(_consumed(state.usage))
    if state.dead_letters:
        parts.append(state.message)
    return f"{'; '.join(parts)} ({store})"


def _consumed(usage: Usage) -> str:
    units = [f"{amount:,g} x {unit}" for unit, amount in usage.units.items()]
    asked = [f"{usage.requests:,} language model calls"] if usage.requests else []
    return f"{', '.join(asked + units)}: {usage.credits:,.10g} credits"
