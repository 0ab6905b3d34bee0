"""One actor's work, without Ray: the author's steps over a block, and what becomes of every row."""

from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pytest

from extractor_runtime.batch import rows
from support import runs
from support.stages import GOOD, actor, pipeline, run, split

MAPPED = runs.make_manifest(input_mappings={"text": "title"})


def test_each_object_becomes_a_row_with_vector_and_document(tmp_path: Path) -> None:
    done, failures = run(tmp_path, pipeline(GOOD + "\nbatch['words'] = 2"), {"a": "x y", "b": "z"})

    assert failures == []
    assert [(row["object_id"], row["ordinal"], row["vector"]) for row in done] == [
        ("a", 0, [1, 2, 3, 4]),
        ("b", 0, [1, 2, 3, 4]),
    ]
    assert orjson.loads(done[0]["document"]) == {
        "document_id": done[0]["document_id"],
        "object_id": "a",
        "collection_id": "default",
        "mime_type": "text/plain",
        "data": "x y",
        "words": 2,
    }


def test_a_missing_value_reaches_the_author_as_none_and_never_as_nan(tmp_path: Path) -> None:
    body = "batch['seen'] = ['' if v is None else str(v) for v in batch['data']]\n" + GOOD

    done, _ = run(tmp_path, pipeline(body), {"a": None, "b": "text"})

    assert [orjson.loads(row["document"])["seen"] for row in done] == ["", "text"]


def test_the_author_gets_the_ten_columns_as_objects(tmp_path: Path) -> None:
    body = "batch['columns'] = [[f'{n}:{t}' for n, t in batch.dtypes.items()]] * len(batch)\n" + GOOD

    done, _ = run(tmp_path, pipeline(body), {"a": "x"})

    assert orjson.loads(done[0]["document"])["columns"] == [
        f"{name}:object" for name in rows.CONTRACT_COLUMNS
    ]


def test_who_asks_for_a_column_that_is_not_there_is_told_which_are(tmp_path: Path) -> None:
    _, (failure,) = run(tmp_path, pipeline("batch['title']"), {"a": "x"}, manifest=MAPPED)

    assert failure.error == (
        "KeyError: 'title'; the batch has the columns data, document_id, object_id, blob_id, blob_property, "
        "blob_type, collection_id, feature_extractor_id, mime_type, size_bytes, text"
    )


def test_an_attribute_may_be_a_pydantic_model(tmp_path: Path) -> None:
    head = "import pydantic\nclass Price(pydantic.BaseModel):\n    amount: float\n    per: str"
    body = GOOD + "\nbatch['price'] = [Price(amount=2, per='kg')]"

    done, _ = run(tmp_path, pipeline(body, head=head), {"a": "x"})

    assert orjson.loads(done[0]["document"])["price"] == {"amount": 2.0, "per": "kg"}


def test_an_object_may_become_several_documents(tmp_path: Path) -> None:
    split_up = "batch['text'] = [v.split() for v in batch['data']]"
    body = f"{split_up}\nbatch = batch.explode('text', ignore_index=True)\n{GOOD}"

    done, failures = run(tmp_path, pipeline(body), {"a": "one two three", "b": "four"})

    documents = [orjson.loads(row["document"]) for row in done]
    assert failures == []
    assert [(row["object_id"], row["ordinal"]) for row in done] == [("a", 0), ("a", 1), ("a", 2), ("b", 0)]
    assert [document["text"] for document in documents] == ["one", "two", "three", "four"]
    assert [document.get("data") for document in documents] == [None, None, None, "four"]
    assert len({row["document_id"] for row in done}) == 4


@pytest.mark.parametrize(
    ("output_schema", "want"),
    [
        pytest.param({"text": {"type": "string"}}, "X", id="declared: the author's"),
        pytest.param(None, None, id="not declared: an alias of what came in"),
    ],
)
def test_a_mapped_name_is_an_attribute_when_the_manifest_declares_it(
    tmp_path: Path, output_schema: dict[str, Any] | None, want: str | None
) -> None:
    manifest = runs.make_manifest(input_mappings={"text": "text"}, output_schema=output_schema)

    done, _ = run(
        tmp_path,
        pipeline("batch['text'] = batch['text'].str.upper()\n" + GOOD),
        {"a": "x"},
        manifest=manifest,
    )

    assert orjson.loads(done[0]["document"]).get("text") == want


def test_a_step_sees_no_more_rows_than_its_batch_size(tmp_path: Path) -> None:
    split_up = "batch = batch.loc[batch.index.repeat(3)].reset_index(drop=True)"
    counted = "batch['size'] = len(batch)\n" + GOOD

    done, _ = run(tmp_path, pipeline(split_up, counted), {str(i): "x" for i in range(3)})

    assert [orjson.loads(row["document"])["size"] for row in done] == [4] * 8 + [1]


@pytest.mark.parametrize(
    ("body", "want_error"),
    [
        pytest.param("batch['vector'] = [[1.,2.,3.,4.], None]", "vector is missing", id="missing"),
        pytest.param(
            "batch['vector'] = [[1.,2.,3.,4.], [float('nan')] * 4]",
            "vector contains NaN or infinity",
            id="nan",
        ),
        pytest.param(
            "batch['vector'] = [[1.,2.,3.,4.], [1.0, 2.0]]",
            "vector has shape (2,), the manifest declares (4,)",
            id="wrong dimension",
        ),
        pytest.param(
            "batch['vector'] = [[1.,2.,3.,4.], 'no']",
            "vector is no vector of numbers but str",
            id="not numbers",
        ),
        pytest.param(
            GOOD + "\nbatch['raw'] = ['x', b'bytes']",
            "'raw' cannot be written as JSON: bytes is no JSON value: write text, a number, a list or a URL",
            id="bytes in the document",
        ),
    ],
)
def test_a_row_that_breaks_a_promise_fails_alone(tmp_path: Path, body: str, want_error: str) -> None:
    done, failures = run(tmp_path, pipeline(body), {"good": "x", "bad": "y"})

    assert [row["object_id"] for row in done] == ["good"]
    assert [(failure.object_id, failure.error) for failure in failures] == [("bad", want_error)]
    assert failures[0].document_id is not None


def test_an_exception_fails_only_the_rows_that_raise_it(tmp_path: Path) -> None:
    body = "if 'poison' in set(batch['data']): raise ValueError('bad\\nblood')\n" + GOOD

    done, failures = run(
        tmp_path, pipeline(body), {str(i): "poison" if i in (2, 5) else "fine" for i in range(7)}
    )

    assert sorted(row["object_id"] for row in done) == ["0", "1", "3", "4", "6"]
    assert [(failure.object_id, failure.error, failure.location) for failure in failures] == [
        ("2", "ValueError: bad blood", "pipeline.py:3"),
        ("5", "ValueError: bad blood", "pipeline.py:3"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            "found = parallel_io(items=batch['data'].tolist(), process_fn=embed)\n"
            "batch['vector'] = [found.get(row) for row in range(len(batch))]",
            id="parallel_io",
        ),
        pytest.param(
            "async def ask(text): return embed(text)\n"
            "batch['vector'] = concurrent_api_calls(batch['data'].tolist(), ask)",
            id="concurrent_api_calls",
        ),
    ],
)
def test_a_vector_that_is_missing_says_which_call_failed(
    tmp_path: Path, body: str, request: pytest.FixtureRequest
) -> None:
    head = (
        "from shared.plugins.sdk import concurrent_api_calls, parallel_io\n"
        "def embed(text): return [1., 2., 3., 4.] if text == 'fine' else [][0]\n"
    )

    done, failures = run(tmp_path, pipeline(body, head=head), {"a": "fine", "b": "broken", "c": "fine"})

    function = request.node.callspec.id
    assert [row["object_id"] for row in done] == ["a", "c"]
    assert [(failure.object_id, failure.error) for failure in failures] == [
        ("b", f"vector is missing ({function}: IndexError: list index out of range)")
    ]


def test_a_retried_half_starts_from_what_was_given(tmp_path: Path) -> None:
    body = "assert 'mark' not in batch\nbatch['mark'] = 1\nif len(batch) > 1: raise ValueError\n" + GOOD

    done, failures = run(tmp_path, pipeline(body), {"a": "x", "b": "y"})

    assert (len(done), failures) == (2, [])


def test_a_row_that_a_step_drops_is_a_failure(tmp_path: Path) -> None:
    done, failures = run(
        tmp_path, pipeline(GOOD + "\nbatch = batch[batch['data'] != 'y']"), {"a": "x", "b": "y"}
    )

    assert [row["object_id"] for row in done] == ["a"]
    assert [(failure.object_id, failure.error, failure.location) for failure in failures] == [
        ("b", "step step_0 returned 0 of its 1 rows", "pipeline.py:2")
    ]


def test_columns_that_the_author_left_out_are_restored(tmp_path: Path) -> None:
    body = "import pandas as pd\nbatch = pd.DataFrame({'vector': [[1., 2., 3., 4.]] * len(batch)})"

    done, failures = run(tmp_path, pipeline(body), {"a": "x", "b": "y"})

    assert failures == []
    assert [orjson.loads(row["document"])["data"] for row in done] == ["x", "y"]


@pytest.mark.parametrize(
    ("body", "want"),
    [
        pytest.param(
            "batch = None", "pipeline.py:2: step step_0 returned NoneType, not a DataFrame", id="no frame"
        ),
        pytest.param(
            "return list(batch)", "pipeline.py:2: step step_0 returned list, not a DataFrame", id="a list"
        ),
        pytest.param(
            "batch = batch[['data']].head(1)",
            "pipeline.py:2: step step_0 returned 1 rows for 2 without the column object_id",
            id="rows that cannot be told apart",
        ),
        pytest.param(
            "batch['object_id'] = 'made up'",
            "pipeline.py:2: step step_0 returned the object_id 'made up', which it was not given",
            id="rows made up",
        ),
        pytest.param(
            "batch['vektor'] = 1",
            "the manifest declares the feature 'vector', but no step wrote a column of that name; "
            "columns written: vektor",
            id="feature never written",
        ),
    ],
)
def test_a_broken_contract_ends_the_run(tmp_path: Path, body: str, want: str) -> None:
    done, failures = run(tmp_path, pipeline(body), {"a": "x", "b": "y"})

    fatal = failures[-1]
    assert done == []
    assert fatal.fatal
    assert f"{fatal.location}: {fatal.error}".removeprefix("None: ").startswith(want)


def test_a_step_that_never_returns_is_given_up_with_its_line(tmp_path: Path) -> None:
    body = "import time\nwhile True: time.sleep(0.01)"

    _, failures = run(tmp_path, pipeline(body), {"a": "x"}, batch_timeout=0.3)

    assert failures[0].fatal
    assert failures[0].location == "pipeline.py:4"
    assert failures[0].error == "step step_0 with 1 rows did not return within 0.3 s and was given up"


def test_a_processor_that_cannot_be_created_ends_the_run_with_its_line(tmp_path: Path) -> None:
    files = {
        "pipeline.py": (
            "from engine.plugins.extractors.pipeline import StepDefinition\n"
            "class Model:\n"
            "    def __init__(self, config):\n"
            "        self.weights = config['weights']\n"
            "    def __call__(self, batch):\n"
            "        return batch\n"
            "def build_steps(extractor_request):\n"
            "    return {'steps': [StepDefinition(Model, config={})]}\n"
        )
    }

    _, failures = run(tmp_path, files, {"a": "x"})

    assert (failures[0].fatal, failures[0].location) == (True, "pipeline.py:4")
    assert failures[0].error == "Model could not be created: KeyError: 'weights'"


def test_a_constructor_that_wants_more_than_a_config_is_named_by_its_line(tmp_path: Path) -> None:
    code = "class Model:\n    def __init__(self, config, device): pass\n    __call__ = print\n"
    files = {"pipeline.py": f"{code}def build_steps(): return {{'steps': [Model]}}\n"}

    _, (failure,) = run(tmp_path, files, {"a": "x"})

    assert (failure.location, failure.error.partition(": TypeError")[0]) == (
        "pipeline.py:1",
        "Model could not be created",
    )


def test_failures_and_source_fields_travel_through_later_stages(tmp_path: Path) -> None:
    head = "from engine.plugins.extractors.pipeline import StepDefinition, ResourceType"
    body = "if 'bad' in set(batch['data']): raise ValueError('one')"
    tree = runs.make_tree(tmp_path / "tree", pipeline(body, GOOD, head=head))
    config = runs.make_config(tree, tmp_path)
    block = rows.contract_table(runs.make_objects({"a": "x", "b": "bad"}, fields={"page": 7}), config)

    between = actor(tree, config, slice(0, 1), is_last=False)(block)
    done, failures = split(actor(tree, config, slice(1, 2))(between))

    assert isinstance(between, pd.DataFrame)
    assert [orjson.loads(row["document"])["metadata"] for row in done] == [{"page": 7}]
    assert [orjson.loads(row["document"])["data"] for row in done] == ["x"]
    assert [failure.object_id for failure in failures] == ["b"]
