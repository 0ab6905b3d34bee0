"""How far a run is, from what it tells in its folder. All of it is pure."""

from datetime import timedelta
from typing import Any

from extractor_apis.extractorrun import ExtractorRunStatus
from extractor_apis.run import RunState
from extractor_operator import times

_SKEW = timedelta(minutes=1)
"""By which the clocks of a pod and ours may differ."""


def follow(status: ExtractorRunStatus, state: RunState | None) -> ExtractorRunStatus:
    """Take over what a run tells, unless it was told by an attempt before this one."""
    if state is None or not is_of_this_attempt(status, state):
        return status
    known: dict[str, Any] = {
        "total": state.objects_todo,
        "done": state.objects_done,
        "written": state.documents,
        "failed": state.objects_failed,
        "started": times.write(state.started),
        "progress": _percent(state),
        "eta": None if state.seconds_left is None else times.say(state.seconds_left),
    }
    if state.objects_done != status.done:
        known["progressed"] = times.write(state.updated)
    return status.model_copy(update=known)


def is_of_this_attempt(status: ExtractorRunStatus, state: RunState) -> bool:
    """Tell whether a state is of the RayJob that was made last: all attempts have one folder."""
    return bool(status.submitted) and state.started >= times.read(status.submitted or "") - _SKEW


def _percent(state: RunState) -> str | None:
    if not state.objects_todo:
        return None
    return f"{100 * state.objects_done // state.objects_todo} %"
