"""Steps that ask for Arrow or NumPy, wait for remote APIs, or want only some rows."""

from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
import pytest

from extractor_runtime.batch import batches, rows
from support import runs
from support.stages import actor, measures, run, split

HEAD = """
import asyncio, threading, time
import numpy as np, pyarrow as pa
from engine.plugins.extractors.pipeline import ResourceType, RowCondition, StepDefinition


def vector(text):
    return [float(len(text)), 1.0, 2.0, 3.0]


class Pandas:
    def __call__(self, batch):
        batch["vector"] = [vector(text) for text in batch["data"]]
        batch["words"] = [len(text.split()) for text in batch["data"]]
        return batch


class Arrow:
    batch_format = "pyarrow"

    def __call__(self, batch):
        texts = batch.column("data").to_pylist()
        flat = pa.array([number for text in texts for number in vector(text)], pa.float32())
        batch = batch.append_column("vector", pa.FixedSizeListArray.from_arrays(flat, 4))
        return batch.append_column("words", pa.array([len(text.split()) for text in texts]))


class NumPy:
    batch_format = "numpy"

    def __init__(self, config=None):
        self.buffer = np.empty((64, 4), np.float32)

    def __call__(self, batch):
        vectors = self.buffer[:len(batch["data"])]
        vectors[:] = [vector(text) for text in batch["data"]]
        return {**batch, "vector": vectors, "words": np.array([len(text.split()) for text in batch["data"]])}


def same(batch):
    return batch


same.batch_format = "pyarrow"


def shout(batch):
    batch["data"] = [text.upper() for text in batch["data"]]
    return batch
"""
TEXTS: dict[str, str | None] = {f"o{number}": "word " * (number + 1) for number in range(10)}


def archive(steps: str, more: str = "") -> dict[str, str]:
    return {"pipeline.py": f"{HEAD}\n{more}\ndef build_steps(**kwargs):\n    return {{'steps': [{steps}]}}\n"}


@pytest.fixture
def no_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(rows: Any) -> pd.DataFrame:
        raise AssertionError("an Arrow stage was converted to pandas")

    monkeypatch.setattr(batches.Table, "frame", refuse)


@pytest.mark.parametrize(
    "steps",
    ["Pandas()", "Arrow()", "NumPy()", "shout, Arrow()", "Arrow(), shout", "StepDefinition(NumPy), shout"],
)
def test_every_form_makes_the_same_documents(tmp_path: Path, steps: str) -> None:
    done, failures = run(tmp_path, archive(steps), TEXTS)

    documents = [orjson.loads(row["document"]) for row in done]
    assert failures == []
    assert [row["vector"] for row in done] == [[5.0 * (n + 1), 1, 2, 3] for n in range(10)]
    assert [document["words"] for document in documents] == list(range(1, 11))
    assert [document["data"].lower() for document in documents] == list(TEXTS.values())


@pytest.mark.usefixtures("no_pandas")
@pytest.mark.parametrize("steps", ["Arrow()", "NumPy(), same", "StepDefinition(Arrow, condition='is_text')"])
def test_a_stage_of_arrow_steps_never_comes_to_pandas(tmp_path: Path, steps: str) -> None:
    done, failures = run(tmp_path, archive(steps), TEXTS)

    assert (len(done), failures) == (10, [])


def test_arrow_travels_between_stages_as_arrow(tmp_path: Path) -> None:
    tree = runs.make_tree(tmp_path / "tree", archive("NumPy(), Arrow.__call__"))
    config = runs.make_config(tree, tmp_path)
    block = rows.contract_table(runs.make_objects(TEXTS, fields={"page": 7}), config)

    between = actor(tree, config, slice(0, 1), is_last=False)(block)

    assert isinstance(between, pa.Table)
    assert between.schema.field("vector").type == pa.list_(pa.float32(), 4)


@pytest.mark.parametrize(
    ("returned", "want"),
    [
        pytest.param("batch.to_pylist()", "returned list, not a pyarrow Table", id="a list"),
        pytest.param("batch.select(['data']).slice(1)", "returned 3 rows for 4 without", id="fewer"),
        pytest.param("batch.append_column('data', batch['data'])", "two columns named 'data'", id="twice"),
    ],
)
def test_an_arrow_step_is_held_to_the_contract_too(tmp_path: Path, returned: str, want: str) -> None:
    step = f"def broken(batch):\n    return {returned}\nbroken.batch_format = 'pyarrow'\n"

    _, failures = run(tmp_path, archive("broken", step), TEXTS)

    assert failures[-1].fatal
    assert want in failures[-1].error
    assert failures[-1].location == "pipeline.py:51"


def test_a_column_that_arrow_cannot_hold_is_named(tmp_path: Path) -> None:
    step = "def odd(batch):\n    batch['odd'] = [object()] * len(batch)\n    return batch\n"

    _, failures = run(tmp_path, archive("odd, Arrow()", step), TEXTS)

    assert failures[-1].fatal
    assert failures[-1].error.startswith(
        "step Arrow has batch_format 'pyarrow', but is given the column 'odd', which Arrow cannot hold"
    )


def test_an_async_step_is_awaited_on_one_loop(tmp_path: Path) -> None:
    step = """
class Async:
    loops = set()
    async def __call__(self, batch):
        await asyncio.sleep(0)
        self.loops.add(asyncio.get_running_loop())
        batch["loops"] = len(self.loops)
        return Pandas()(batch)
"""

    done, failures = run(tmp_path, archive("Async()", step), TEXTS)

    assert failures == []
    assert [orjson.loads(row["document"])["loops"] for row in done] == [1] * 10


def test_api_batches_run_at_the_same_time_each_in_objects_of_its_own_thread(tmp_path: Path) -> None:
    step = """
meeting = threading.Barrier(3, timeout=10)
class Remote:
    def __init__(self, config):
        self.thread = threading.get_ident()
    def __call__(self, batch):
        assert self.thread == threading.get_ident()
        meeting.wait()
        return Pandas()(batch)
"""
    manifest = runs.make_manifest(compute_profile={"batch_size": 4, "max_concurrency": 3})

    done, failures = run(
        tmp_path,
        archive("StepDefinition(Remote, ResourceType.API)", step),
        TEXTS,
        threads=3,
        manifest=manifest,
    )

    assert failures == []
    assert [row["object_id"] for row in done] == list(TEXTS)


def test_rows_that_no_step_wants_become_documents_without_a_vector(tmp_path: Path) -> None:
    tree = runs.make_tree(tmp_path / "tree", archive("shout, StepDefinition(Pandas, condition='IS_TEXT')"))
    config = runs.make_config(tree, tmp_path)
    objects = mixed({"a": "text/plain", "b": "application/pdf", "c": "text/html"})

    done, failures = split(actor(tree, config)(rows.contract_table(objects, config)))

    assert failures == []
    assert {row["object_id"]: row["vector"] for row in done} == {
        "a": [1, 1, 2, 3],
        "b": None,
        "c": [1, 1, 2, 3],
    }


@pytest.mark.parametrize(
    ("steps", "mime_types", "want"),
    [
        pytest.param(
            "StepDefinition(Pandas, condition='is_text')", ["application/pdf"], {}, id="nothing is wanted"
        ),
        pytest.param(
            "StepDefinition(Nothing, condition='is_text')",
            ["text/plain", "application/pdf"],
            {"0": "vector is missing"},
            id="a row that is wanted must have one",
        ),
        pytest.param(
            "StepDefinition(Pandas, condition='is_text'), StepDefinition(shout_class, condition='is_pdf')",
            ["text/plain", "application/pdf"],
            {},
            id="another step for the others makes none",
        ),
        pytest.param(
            "StepDefinition(Pandas, condition='is_text'), StepDefinition(Nothing, condition='is_pdf')",
            ["text/plain", "application/pdf"],
            {},
            id="or has nothing to say",
        ),
        pytest.param(
            "StepDefinition(Pandas, condition='is_text'), StepDefinition(Arrow2, condition='is_pdf')",
            ["text/plain", "application/pdf"],
            {},
            id="or makes one",
        ),
    ],
)
def test_only_rows_that_a_step_wanted_must_have_a_vector(
    tmp_path: Path, steps: str, mime_types: list[str], want: dict[str, str]
) -> None:
    more = """
def Nothing(config):
    def nothing(batch):
        batch["vector"] = None
        return batch
    return nothing
def shout_class(config):
    return shout
class Arrow2(Pandas):
    pass
"""
    tree = runs.make_tree(tmp_path / "tree", archive(steps, more))
    config = runs.make_config(tree, tmp_path)
    objects = mixed({str(number): mime for number, mime in enumerate(mime_types)})

    done, failures = split(actor(tree, config)(rows.contract_table(objects, config)))

    assert {failure.object_id: failure.error for failure in failures} == want
    assert len(done) == len(mime_types) - len(want)


def test_rows_passed_by_in_one_stage_need_no_vector_in_the_next(tmp_path: Path) -> None:
    tree = runs.make_tree(tmp_path / "tree", archive("StepDefinition(Pandas, condition='is_text'), shout"))
    config = runs.make_config(tree, tmp_path)
    objects = mixed({"a": "text/plain", "b": "application/pdf"})

    between = actor(tree, config, slice(0, 1), is_last=False)(rows.contract_table(objects, config))
    done, failures = split(actor(tree, config, slice(1, 2))(between))

    assert failures == []
    assert [row["vector"] for row in done] == [[1, 1, 2, 3], None]


def test_what_rows_consume_and_cost_is_told_of_each_document_and_each_step(tmp_path: Path) -> None:
    step = """
from extractor_runtime import usage
def asks(batch):
    for row, text in enumerate(batch["data"]):
        if text == "ask":
            usage.ITEM.set(usage.Item(row, len(batch)))
            usage.record(requests=1, input_tokens=10, output_tokens=5)
    usage.ITEM.set(None)
    return batch
"""
    tree = runs.make_tree(tmp_path / "tree", archive("asks, Pandas()", step))
    manifest = runs.make_manifest(cost_rates=[{"unit": "1k_tokens", "credits_per_unit": 100}])
    config = runs.make_config(tree, tmp_path, manifest=manifest)
    block = rows.contract_table(runs.make_objects({"a": "ask", "b": "no"}), config)

    table = actor(tree, config)(block)

    [asked, silent] = [orjson.loads(row["document"]) for row in split(table)[0]]
    assert asked["usage"] == {
        "requests": 1,
        "input_tokens": 10,
        "output_tokens": 5,
        "units": {"1k_tokens": 0.015},
        "credits": 1.5,
    }
    assert "usage" not in silent
    first, second = measures(table)
    assert (first.index, first.rows, first.usage.requests) == (0, 2, 1)
    assert (second.index, second.rows, second.usage.requests) == (1, 2, 0)
    assert first.seconds > 0
    assert first.peak_memory_bytes > 1 << 20


def mixed(mime_types: dict[str, str]) -> pa.Table:
    objects = runs.make_objects(dict.fromkeys(mime_types, "x"))
    column = objects.schema.get_field_index("mime_type")
    return objects.set_column(column, "mime_type", pa.array(list(mime_types.values())))
