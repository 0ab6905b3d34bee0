"""What a completed run did, in one line for people."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from extractor_apis.run import RunPhase, RunState, Usage
from extractor_cli import progress

STARTED = datetime(2026, 1, 1, tzinfo=UTC)
DONE = "2 of 3 objects done in 1.5 s; 1 unchanged; 4 documents written, 6 in the collection"


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        pytest.param({}, DONE, id="nothing else"),
        pytest.param(
            {"usage": Usage(requests=2, input_tokens=1200, units={"1k_tokens": 1.2, "page": 3}, credits=4.8)},
            f"{DONE}; 2 language model calls, 1.2 x 1k_tokens, 3 x page: 4.8 credits",
            id="what it consumed",
        ),
        pytest.param(
            {"dead_letters": 1, "message": "1 dead letter in letters.jsonl"},
            f"{DONE}; 1 dead letter in letters.jsonl",
            id="dead letters",
        ),
    ],
)
def test_a_summary_has_what_a_user_asks_for(changes: dict[str, Any], want: str) -> None:
    state = RunState(
        run_id="run-1",
        phase=RunPhase.COMPLETED,
        objects_total=3,
        objects_unchanged=1,
        objects_done=2,
        documents=4,
        documents_total=6,
        started=STARTED,
        updated=STARTED + timedelta(seconds=1.5),
        **changes,
    )

    assert progress.summary(state, Path("store")) == f"{want} (store)"
