"""Without an object to run on, what can be tried is tried: build_steps, constructors, the realtime class."""

from pathlib import Path
from typing import Any

import pytest

from extractor_runtime import errors
from extractor_runtime.realtime import query_vector
from extractor_runtime.trial import rehearsal
from extractor_runtime.trial.observed import Seen
from support.runs import make_manifest, make_tree

PIPELINE = """
class Embed:
    def __init__(self, config=None):
        config["model"]

    def __call__(self, batch):
        return batch

def build_steps(extractor_request):
    from engine.plugins.extractors.pipeline import StepDefinition
    return {"steps": [StepDefinition(service_class=Embed, config=CONFIG)]}
"""
RERANKER = """
class InferenceService:
    def run_inference(self, inputs, parameters):
        return {"scores": [1.0 for _ in inputs["pairs"]]}
"""


def rehearsed(root: Path, files: dict[str, str], **manifest: Any) -> Seen:
    tree = make_tree(root / "tree", files)
    (root / "out").mkdir()
    return rehearsal.rehearse(
        rehearsal.Setting(tree, make_manifest(**manifest), files=(), folder=root / "out")
    )


def test_processors_are_created_where_there_is_nothing_to_run(tmp_path: Path) -> None:
    fine = rehearsed(tmp_path / "fine", {"pipeline.py": PIPELINE.replace("CONFIG", "{'model': 1}")})
    broken = rehearsed(tmp_path / "broken", {"pipeline.py": PIPELINE.replace("CONFIG", "{}")})

    assert (fine.samples, fine.batch.fault, fine.realtime) == ((), None, None)
    assert broken.batch.fault is not None
    assert broken.batch.fault.location == "pipeline.py:4"
    assert "Embed could not be created: KeyError: 'model'" in broken.batch.fault.message


def test_a_reranker_is_asked_and_its_pipeline_left_alone(tmp_path: Path) -> None:
    files = {"pipeline.py": "raise ValueError('nothing to store')", "realtime.py": RERANKER}

    seen = rehearsed(tmp_path, files, vectors=(), example_input={"pairs": [["tea", "green"]]})

    assert (seen.batch.fault, seen.batch.state) == (None, None)
    assert seen.realtime is not None and (seen.realtime.answered, seen.realtime.faults) == (1, ())


def test_a_wrong_number_of_scores_is_a_fault(tmp_path: Path) -> None:
    files = {"pipeline.py": "", "realtime.py": RERANKER.replace('[1.0 for _ in inputs["pairs"]]', "[]")}

    seen = rehearsed(tmp_path, files, vectors=(), example_input={"pairs": [["tea", "green"]]})

    assert seen.realtime is not None
    ((_, fault),) = seen.realtime.faults
    assert (fault.message, fault.location) == ("'scores' holds 0 numbers for 1 pairs", "realtime.py:3")


def test_a_realtime_class_that_does_not_start_is_a_fault(tmp_path: Path) -> None:
    files = {
        "pipeline.py": PIPELINE.replace("CONFIG", "{'model': 1}"),
        "realtime.py": "import nothing_of_that_name",
    }

    seen = rehearsed(tmp_path, files)

    assert seen.realtime is not None and seen.realtime.fault is not None
    assert seen.realtime.fault.location == "realtime.py:1"


def test_imports_are_known_with_their_packages(tmp_path: Path) -> None:
    files = {
        "pipeline.py": PIPELINE.replace("CONFIG", "{'model': 1}"),
        "later.py": "from torch.nn import functional",
    }

    assert {"torch", "torch.nn", "torch.nn.functional"} <= rehearsed(tmp_path, files).imports


def test_a_query_that_no_endpoint_takes_is_not_sent() -> None:
    manifest = make_manifest()
    inputs = {"image": "x" * (33 << 20)}

    with pytest.raises(
        errors.RunError, match=r"the query has 34,\d{3},\d{3} bytes, and an endpoint takes 33,554,432"
    ):
        query_vector.ask("http://127.0.0.1:9/", manifest, manifest.vectors[0], inputs)
