"""Where in the author's archive something is: ``path.py:12``, or None when it is not in there."""

import functools
import inspect
import re
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

_TRACE_LINE = re.compile(r'File "([^"]+)", line (\d+)')

Frame = tuple[str, int | None]
"""A file and a line."""


def of_error(error: BaseException, root: Path) -> str | None:
    """Find the innermost line of the archive that an exception passed through."""
    if isinstance(error, SyntaxError) and error.filename and (place := _within(error.filename, root)):
        return f"{place}:{error.lineno}"
    return _innermost(
        [(each.filename, each.lineno) for each in traceback.extract_tb(error.__traceback__)], root
    )


def of_thread(thread: threading.Thread, root: Path) -> str | None:
    """Find the line of the archive at which a thread stands."""
    frame: FrameType | None = sys._current_frames().get(thread.ident or 0)
    return _innermost([(each.filename, each.lineno) for each in traceback.extract_stack(frame)], root)


def of_definition(thing: Any, root: Path) -> str | None:
    """Find where a function, a class, or the class of an object that can be called is written."""
    while isinstance(thing, functools.partial):
        thing = thing.func
    if not (inspect.isroutine(thing) or isinstance(thing, type)):
        thing = type(thing).__call__ if callable(thing) else type(thing)
    thing = inspect.unwrap(thing)
    try:
        file, (_, line) = inspect.getsourcefile(thing), inspect.getsourcelines(thing)
    except (OSError, TypeError):
        return None
    return _innermost([(file or "", line)], root)


def of_trace(text: str, root: Path, *, innermost_first: bool = False) -> str | None:
    """Find the innermost line of the archive in a traceback that only its text is left of."""
    frames: list[Frame] = [(file, int(line)) for file, line in _TRACE_LINE.findall(text)]
    return _innermost(frames[::-1] if innermost_first else frames, root)


def _innermost(frames: Sequence[Frame], root: Path) -> str | None:
    """Find the last of the frames, outermost first, that lies in the archive."""
    for filename, line in reversed(frames):
        if place := _within(filename, root):
            return f"{place}:{line}"
    return None


def _within(filename: str, root: Path) -> str | None:
    path = Path(filename)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else None
