"""Authors' code that does what nobody expects: told with file and line, and never with the process."""

import os
from pathlib import Path

import orjson
import pytest

from support.stages import GOOD, pipeline, run

TEXTS: dict[str, str | None] = {str(number): "poison" if number == 2 else "fine" for number in range(6)}


@pytest.mark.parametrize(
    ("raised", "want"),
    [
        pytest.param("raise SystemExit(3)", "RuntimeError: the code raised SystemExit: 3", id="SystemExit"),
        pytest.param(
            "raise KeyboardInterrupt",
            "RuntimeError: the code raised KeyboardInterrupt",
            id="KeyboardInterrupt",
        ),
        pytest.param("raise Own", "RuntimeError: the code raised Own", id="a BaseException of its own"),
        pytest.param("raise Unpicklable(lambda: 1)", "Unpicklable: <function", id="unpicklable"),
        pytest.param(
            "raise Mute",
            "Mute: (its message cannot be read: __str__ raised ZeroDivisionError)",
            id="a broken __str__",
        ),
        pytest.param("raise ValueError('x' * 10**6)", "ValueError: " + "x" * 500, id="a long message"),
    ],
)
def test_whatever_is_raised_fails_only_its_row_with_its_line(tmp_path: Path, raised: str, want: str) -> None:
    head = """class Own(BaseException): pass
class Unpicklable(Exception): pass
class Mute(Exception):
    def __str__(self): return str(1 / 0)"""
    body = f"if 'poison' in set(batch['data']): {raised}\n{GOOD}"

    done, failures = run(tmp_path, pipeline(body, head=head), TEXTS)

    [failure] = failures
    assert len(done) == 5
    assert (failure.object_id, failure.location, failure.fatal) == ("2", "pipeline.py:6", False)
    assert failure.error.startswith(want)
    assert len(failure.error) < 600


@pytest.mark.parametrize(
    ("body", "want"),
    [
        pytest.param("return (row for row in batch)", "generator, not a DataFrame", id="a generator"),
        pytest.param("return batch.to_dict('records')", "list, not a DataFrame", id="a list"),
        pytest.param("return None", "NoneType, not a DataFrame", id="nothing"),
        pytest.param(
            "import pandas as pd\nreturn pd.concat([batch, batch], axis=1)",
            "two columns named 'data'",
            id="columns twice",
        ),
        pytest.param(
            "batch['object_id'] = range(len(batch))",
            "the object_id 0, which it was not given",
            id="other ids",
        ),
    ],
)
def test_what_is_no_batch_ends_the_run_with_the_step_that_returned_it(
    tmp_path: Path, body: str, want: str
) -> None:
    _, failures = run(tmp_path, pipeline(body), TEXTS)

    assert failures[-1].fatal
    assert failures[-1].location == "pipeline.py:2"
    assert f"step step_0 returned {want}" in failures[-1].error


def test_rows_in_another_order_keep_their_vectors(tmp_path: Path) -> None:
    body = "batch['vector'] = [[float(i)] * 4 for i in batch['object_id']]\nbatch = batch.iloc[::-1]"

    done, failures = run(tmp_path, pipeline(body), TEXTS)

    assert failures == []
    assert {row["object_id"]: row["vector"][0] for row in done} == {str(n): n for n in range(6)}


def test_rows_of_an_earlier_batch_are_not_taken_again(tmp_path: Path) -> None:
    head = "import pandas as pd\nseen = []"
    body = f"{GOOD}\nseen.append(batch)\nbatch = pd.concat(seen)"

    _, failures = run(tmp_path, pipeline(body, head=head), TEXTS)

    assert failures[-1].fatal
    assert failures[-1].error == "step step_0 returned the object_id '0', which it was not given"


def test_a_batch_that_is_written_into_is_retried_as_it_was(tmp_path: Path) -> None:
    body = f"batch['data'] = batch['data'] + '!'\nif len(batch) > 1: raise ValueError\n{GOOD}"

    done, failures = run(tmp_path, pipeline(body), TEXTS)

    assert failures == []
    assert {orjson.loads(row["document"])["data"] for row in done} == {"fine!", "poison!"}


def test_a_forked_process_never_comes_back_as_a_second_worker(tmp_path: Path) -> None:
    body = f"import os\nbatch['child'] = os.fork()\n{GOOD}"

    done, failures = run(tmp_path, pipeline(body), {"a": "x"})

    child = orjson.loads(done[0]["document"])["child"]
    assert failures == []
    assert os.waitpid(child, 0) == (child, 0)


def test_an_import_that_ends_the_process_is_an_error_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"pipeline.py:2: pipeline.py does not import: SystemExit: 4"):
        run(tmp_path, {"pipeline.py": "import sys\nsys.exit(4)\n"}, {"a": "x"})


@pytest.mark.parametrize(
    ("head", "raised", "want"),
    [
        pytest.param(
            "from extractor_runtime.errors import SetupError",
            "raise SetupError('no such secret')",
            "no such secret",
            id="a secret",
        ),
        pytest.param(
            "from engine.models import load_namespace_model",
            "load_namespace_model('../other')",
            "model ../other cannot be found",
            id="a model",
        ),
    ],
)
def test_what_no_row_can_do_without_ends_the_run_at_once(
    tmp_path: Path, head: str, raised: str, want: str
) -> None:
    _, [failure] = run(tmp_path, pipeline(raised, head=head), TEXTS)

    assert failure.fatal
    assert failure.error.startswith(f"step step_0: {want}")
    assert failure.location == "pipeline.py:3"
