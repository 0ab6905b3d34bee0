"""What a worker says: JSON, a line at a time, on standard output."""

import json
import sys
from typing import Any


def say(line: dict[str, Any]) -> None:
    """Say a line now. What an archive spells with half a character says a question mark instead."""
    # Python's strings may hold lone surrogates, which no reader of JSON need take.
    sys.stdout.buffer.write(json.dumps(line, ensure_ascii=False).encode(errors="replace") + b"\n")
    sys.stdout.buffer.flush()
