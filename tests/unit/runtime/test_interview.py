"""The realtime half is asked as searches ask it, and what it does wrong is noted and not raised."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extractor_runtime.realtime.realtime_service import RealtimeService
from extractor_runtime.trial import interview
from extractor_runtime.trial.observed import Batch, Realtime
from extractor_runtime.trial.parity import Document
from extractor_runtime.trial.samples import Sample, Samples
from support.runs import make_manifest, make_tree

NOTHING = Batch()
TEXT = Sample("a", "text", {"text": "tea"})
LENGTHS = """
class InferenceService:
    def run_inference(self, inputs, parameters):
        return {"embedding": [float(len(inputs.pop("text"))), 0, 0, 0]}
"""


def held(
    root: Path,
    code: str,
    *samples: Sample,
    batch: Batch = NOTHING,
    seconds: float = 60,
    **changes: Any,
) -> Realtime:
    manifest = make_manifest(**changes)
    service = RealtimeService.load(make_tree(root, {"realtime.py": code}), manifest)
    try:
        asked = interview.Interview(service, manifest, {}, load_seconds=0.5, answer_seconds=seconds)
        return asyncio.run(asked.hold(Samples(samples, ()), batch))
    finally:
        service.close()


def test_answers_are_kept_and_timed_though_the_class_eats_its_inputs(tmp_path: Path) -> None:
    seen = held(tmp_path, LENGTHS, TEXT)

    assert [(answer.sample, answer.feature, answer.vector[0]) for answer in seen.answers] == [
        ("a", "vector", 3.0)
    ]
    assert (seen.asked, seen.answered, len(seen.latencies) >= 5, seen.faults) == (1, 1, True, ())


def test_documents_of_one_sample_are_asked_with_their_own_text(tmp_path: Path) -> None:
    documents = tuple(
        Document(f"d{number}", "a", {"vector": np.zeros(4, np.float32)}, {"text": "x" * number})
        for number in (1, 2)
    )

    seen = held(tmp_path, LENGTHS, TEXT, batch=Batch(documents=documents))

    asked = [(answer.document_id, answer.vector[0]) for answer in seen.answers]
    assert asked == [(None, 3.0), ("d1", 1.0), ("d2", 2.0)]


def test_an_error_is_noted_with_its_line(tmp_path: Path) -> None:
    code = LENGTHS.replace("return", "inputs['nothing']; return")

    seen = held(tmp_path, code, TEXT)

    ((sample, fault),) = seen.faults
    assert (sample, fault.location, seen.answered) == ("a", "realtime.py:4", 0)
    assert "KeyError" in fault.message


def test_a_class_for_text_need_not_answer_to_media(tmp_path: Path) -> None:
    seen = held(tmp_path, LENGTHS, Sample("a.png", "image", {"image": "data:image/png;base64,AA=="}), TEXT)

    assert ([name for name, _ in seen.unpromised], seen.faults, seen.answered) == (["a.png"], (), 1)


@pytest.mark.parametrize(
    ("sample", "is_due"),
    [
        pytest.param(TEXT, False, id="a text, and no vector to search by"),
        pytest.param(Sample("example_input", "text", {"body": "tea"}), True, id="the manifest's example"),
        pytest.param(Sample("a", "text", {"pairs": []}, in_batch=False), True, id="a question"),
    ],
)
def test_without_vectors_an_answer_is_due_to(tmp_path: Path, sample: Sample, is_due: bool) -> None:
    code = "class InferenceService:\n    def run_inference(self, inputs, parameters): return inputs['prompt']"

    seen = held(tmp_path, code, sample, vectors=[])

    assert (bool(seen.faults), bool(seen.unpromised)) == (is_due, not is_due)


def test_a_sample_that_cannot_be_sent_is_not_asked(tmp_path: Path) -> None:
    assert held(tmp_path, LENGTHS, Sample("film.mp4", "video", {})).asked == 0


def test_a_class_that_hangs_is_asked_once(tmp_path: Path) -> None:
    code = LENGTHS.replace("    def", "    async def").replace(
        "return", "import asyncio; await asyncio.sleep(9); return"
    )

    seen = held(tmp_path, code, TEXT, Sample("b", "text", {"text": "bread"}), seconds=0.05)

    assert [(name, fault.message) for name, fault in seen.faults] == [
        ("a", "there was no answer within 0.05 s")
    ]
