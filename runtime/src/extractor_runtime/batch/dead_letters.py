"""The objects that a run could not do, as its dead letters name them."""

from pathlib import Path

import pydantic

from extractor_apis.run import DeadLetter
from extractor_runtime import errors
from extractor_stores import Store

_LINE_BYTES = 1024 * 1024


def path(folder: Path) -> Path:
    """Say where a run's folder has them, a JSON line each."""
    return folder / "dead-letters" / "dead-letters.jsonl"


def read(store: Store, run_id: str) -> set[str]:
    """Name the objects of a run's dead letters; raise RunError if it left none."""
    letters = path(store.layout.run(run_id))
    found: set[str] = set()
    try:
        with letters.open("rb") as lines:
            while line := lines.readline(_LINE_BYTES):
                found.add(DeadLetter.model_validate_json(line).object_id)
    except FileNotFoundError:
        raise errors.RunError(f"run {run_id} left no dead letters in {letters}: nothing to replay") from None
    except OSError as err:
        raise errors.RunError(f"cannot read the dead letters {letters}: {err.strerror}") from err
    except pydantic.ValidationError:
        raise errors.RunError(f"{letters} is damaged: run over the whole source instead") from None
    return found
