"""What was seen in a trial is held against the manifest: each broken promise is named once."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from extractor_apis.manifest import Manifest
from extractor_apis.run import DeadLetter, RunPhase, RunState, StepReport
from extractor_apis.scan import Finding, Severity
from extractor_runtime.trial import verdict
from extractor_runtime.trial.observed import Batch, Fault, Realtime, Seen
from extractor_runtime.trial.parity import Answer, Document
from support.runs import make_manifest

GIB = 1 << 30
ONE = [1.0, 0.0, 0.0, 0.0]
OTHER = [0.9, 0.1, 0.0, 0.0]


def make_document(
    object_id: str = "a", vector: list[float] | None = ONE, ordinal: int = 0, **attributes: Any
) -> Document:
    vectors = {} if vector is None else {"vector": np.array(vector, np.float32)}
    return Document(f"{object_id}-{ordinal}", object_id, vectors, attributes)


def make_answer(vector: list[float] = ONE, document_id: str | None = None) -> Answer:
    return Answer("a", "vector", np.array(vector, np.float32), document_id)


def make_batch(*documents: Document, steps: tuple[StepReport, ...] = (), **changes: Any) -> Batch:
    now = datetime.now(UTC)
    state = RunState(run_id="r", phase=RunPhase.COMPLETED, started=now, updated=now, steps=steps)
    return Batch(**{"state": state, "documents": documents or (make_document(),), **changes})


def make_realtime(*answers: Answer, **changes: Any) -> Realtime:
    return Realtime(**{"asked": 1, "answered": 1, "answers": answers or (make_answer(),), **changes})


def make_seen(**changes: Any) -> Seen:
    return Seen(**{"samples": ("a",), "batch": make_batch(), "realtime": make_realtime(), **changes})


def judged(seen: Seen, manifest: Manifest | None = None) -> list[tuple[str, str]]:
    report = verdict.judge(manifest or make_manifest(), seen)
    assert report.passed is not any(each.severity is Severity.REJECT for each in report.findings)
    return [(finding.rule, str(finding.severity)) for finding in report.findings]


def letter(
    error: str, step: str = "Embed", location: str | None = "p.py:3", object_id: str = "b"
) -> DeadLetter:
    return DeadLetter(object_id=object_id, step=step, error=error, location=location)


ATTRIBUTE = make_manifest(output_schema={"vector": {}, "words": {"type": "integer"}})
OPTIONAL = make_manifest(output_schema={"type": "object", "properties": {"words": {"type": "integer"}}})
GPU = make_manifest(compute_profile={"resource_type": "gpu"})
PASSAGES = make_batch(make_document(text="x"), make_document(text="y", ordinal=1))


@pytest.mark.parametrize(
    ("manifest", "seen", "want"),
    [
        pytest.param(None, make_seen(), [], id="both halves agree"),
        pytest.param(None, make_seen(realtime=None), [], id="batch only"),
        pytest.param(
            None,
            make_seen(samples=(), batch=Batch(), realtime=Realtime()),
            [("T08", "warn")],
            id="nothing to try it on",
        ),
        pytest.param(
            None, make_seen(skipped=("not here",)), [("T08", "warn")], id="an example that is not here"
        ),
        pytest.param(
            None,
            make_seen(batch=Batch(fault=Fault("it raised", "pipeline.py:3"))),
            [("T01", "reject")],
            id="the pipeline fails",
        ),
        pytest.param(
            None,
            make_seen(
                batch=make_batch(
                    dead_letters=(letter("KeyError: 'x'"), letter("KeyError: 'x'", object_id="c"))
                )
            ),
            [("T02", "reject")],
            id="two objects fail in the same way",
        ),
        pytest.param(
            None,
            make_seen(
                batch=make_batch(
                    fault=Fault("no document was written: object b: p.py:3: KeyError: 'x'"),
                    dead_letters=(letter("KeyError: 'x'"),),
                )
            ),
            [("T02", "reject")],
            id="the only object fails",
        ),
        pytest.param(
            None,
            make_seen(batch=make_batch(dead_letters=(letter("vector is missing", "output", None),))),
            [("T03", "reject")],
            id="a row without a vector",
        ),
        pytest.param(
            None,
            make_seen(batch=make_batch(make_document(vector=None)), realtime=None),
            [("T03", "warn")],
            id="no input of the kind that has a vector",
        ),
        pytest.param(
            None,
            make_seen(batch=make_batch(make_document(vector=None))),
            [("T03", "warn")],
            id="a vector that realtime has and no input of the batch",
        ),
        pytest.param(ATTRIBUTE, make_seen(), [("T04", "reject")], id="a promised attribute that is nowhere"),
        pytest.param(
            ATTRIBUTE,
            make_seen(batch=make_batch(make_document(words=0))),
            [],
            id="an attribute that is there, and 0",
        ),
        pytest.param(OPTIONAL, make_seen(), [("T04", "warn")], id="an optional field of a JSON schema"),
        pytest.param(
            None,
            make_seen(realtime=Realtime(fault=Fault("it does not import", "realtime.py:1"))),
            [("T05", "reject")],
            id="realtime does not start",
        ),
        pytest.param(
            None,
            make_seen(realtime=Realtime(asked=2, faults=(("a", Fault("bad")), ("b", Fault("bad"))))),
            [("T05", "reject")],
            id="the same fault for two samples",
        ),
        pytest.param(
            None,
            make_seen(realtime=Realtime(asked=1, unpromised=(("a.png", Fault("no text")),))),
            [("T05", "warn")],
            id="a class for text queries",
        ),
        pytest.param(
            make_manifest(vectors=[{"name": "vector", "dimensions": 4}, {"name": "image", "dimensions": 4}]),
            make_seen(
                batch=make_batch(
                    Document("a", "a", {name: np.ones(4, np.float32) for name in ("vector", "image")}, {})
                ),
                realtime=make_realtime(make_answer([1, 1, 1, 1])),
            ),
            [("T05", "warn")],
            id="a feature that no query can search by",
        ),
        pytest.param(
            None,
            make_seen(realtime=make_realtime(make_answer(OTHER))),
            [("T06", "reject")],
            id="other vectors",
        ),
        pytest.param(
            None,
            make_seen(realtime=make_realtime(make_answer([2.0, 0, 0, 0]))),
            [],
            id="a longer vector, by cosine",
        ),
        pytest.param(
            make_manifest(vectors=[{"name": "vector", "dimensions": 4, "distance": "dot"}]),
            make_seen(realtime=make_realtime(make_answer([2.0, 0, 0, 0]))),
            [("T06", "reject")],
            id="a longer vector, by dot product",
        ),
        pytest.param(
            None,
            make_seen(batch=PASSAGES, realtime=make_realtime(make_answer(OTHER))),
            [("T06", "info")],
            id="a whole text and its passages",
        ),
        pytest.param(
            None,
            make_seen(batch=PASSAGES, realtime=make_realtime(make_answer(OTHER, "a-1"))),
            [("T06", "reject")],
            id="a passage and the answer to its text",
        ),
        pytest.param(GPU, make_seen(), [("T07", "warn")], id="a GPU for nothing"),
        pytest.param(GPU, make_seen(imports=frozenset({"torch"})), [], id="a GPU for torch"),
        pytest.param(
            make_manifest(compute_profile={"actor_memory_gb": 1.0}),
            make_seen(
                batch=make_batch(steps=(StepReport(name="P", resource="cpu", peak_memory_bytes=3 * GIB),))
            ),
            [("T07", "warn")],
            id="more memory than asked for",
        ),
        pytest.param(
            make_manifest(compute_profile={"actor_memory_gb": 32}),
            make_seen(batch=make_batch(steps=(StepReport(name="P", resource="cpu", peak_memory_bytes=GIB),))),
            [("T07", "info")],
            id="far less memory than asked for",
        ),
    ],
)
def test_each_broken_promise_is_one_finding(
    manifest: Manifest | None, seen: Seen, want: list[tuple[str, str]]
) -> None:
    assert judged(seen, manifest) == want


def test_a_finding_says_where() -> None:
    seen = make_seen(
        batch=make_batch(dead_letters=(letter("KeyError: 'x'"), letter("KeyError: 'x'", object_id="c")))
    )

    (finding,) = verdict.judge(make_manifest(), seen).findings

    assert (finding.path, finding.line) == ("p.py", 3)
    assert finding.message == "Embed fails on b and 1 more: KeyError: 'x'"


def test_the_weightiest_finding_comes_first_and_warnings_of_the_scan_do_not_fail() -> None:
    warned = Finding(rule="SEQ001", severity=Severity.WARN, message="slow")

    report = verdict.judge(make_manifest(), make_seen(scan=(warned,)))
    broken = verdict.judge(
        make_manifest(), make_seen(scan=(warned,), realtime=make_realtime(make_answer(OTHER)))
    )

    assert report.passed
    assert [finding.rule for finding in broken.findings] == ["T06", "SEQ001"]


def test_parity_has_the_pair_that_agrees_least() -> None:
    report = verdict.judge(
        make_manifest(), make_seen(realtime=make_realtime(make_answer(), make_answer(OTHER))), min_cosine=0.9
    )

    (parity,) = report.parity
    assert (parity.compared, parity.worst, report.passed) == (2, "a", True)
    assert parity.min_cosine == pytest.approx(0.9939, abs=1e-4)
    assert parity.max_difference == pytest.approx(0.1)


def test_latency_is_a_median_in_milliseconds() -> None:
    report = verdict.judge(make_manifest(), make_seen(realtime=make_realtime(latencies=(0.001, 0.002, 0.5))))

    assert report.realtime is not None and report.realtime.median_ms == pytest.approx(2.0)
