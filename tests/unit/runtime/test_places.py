"""Where in the archive something is written, however it is made."""

import functools
from pathlib import Path
from typing import Any

import pytest

from extractor_runtime import loader, places
from support import runs

MODULE = """
import functools

def step(batch):
    return batch

def logged(function):
    @functools.wraps(function)
    def call(*args):
        return function(*args)
    return call

class Step:
    def __call__(self, batch):
        return batch

    @logged
    def answer(self, inputs):
        return inputs
"""


@pytest.mark.parametrize(
    ("select", "want"),
    [
        pytest.param(lambda module: module.step, "pipeline.py:4", id="a function"),
        pytest.param(lambda module: functools.partial(module.step, 1), "pipeline.py:4", id="a partial one"),
        pytest.param(lambda module: module.Step, "pipeline.py:13", id="a class"),
        pytest.param(lambda module: module.Step(), "pipeline.py:14", id="an object that can be called"),
        pytest.param(lambda module: module.Step().answer, "pipeline.py:17", id="a decorated method"),
        pytest.param(lambda module: len, None, id="a builtin"),
        pytest.param(lambda module: runs.make_tree, None, id="a function of somebody else's"),
    ],
)
def test_a_definition_is_found(tmp_path: Path, select: Any, want: str | None) -> None:
    tree = runs.make_tree(tmp_path, {"pipeline.py": MODULE})
    module = loader.load(tree, "pipeline")

    assert places.of_definition(select(module), tree.root) == want


@pytest.mark.parametrize("innermost_first", [False, True])
def test_the_innermost_line_of_the_archive_is_found_in_a_traceback(
    tmp_path: Path, innermost_first: bool
) -> None:
    lines = [
        f'File "{tmp_path}/pipeline.py", line 3 in build',
        f'File "{tmp_path}/core.py", line 7 in call',
        'File "/usr/lib/python/json.py", line 9 in loads',
    ]
    text = "\n".join(lines[::-1] if innermost_first else lines)

    assert places.of_trace(text, tmp_path, innermost_first=innermost_first) == "core.py:7"
