"""What is known of files changes no verdict, whatever is edited between two scans."""

import contextlib
import tempfile
from typing import BinaryIO, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from extractor_sandbox.extent import Extent
from extractor_sandbox.judge import Case, Outcome, judge
from extractor_sandbox.memory import Memory
from support.archives import extractor
from support.snippets import REFUSED

CODE = (
    *(code for snippets in REFUSED.values() for code in snippets),
    *(
        "import torch as lib\n",
        "from package.a import lib\n",
        "from package.b import lib\nlib.hub.load('x')\n",
    ),
    *("x = 1\n", "def (:\n", "\x00", "class A:\n    backend = None\n", "import package.c\n"),
)
PATHS = ("package/a.py", "package/b.py", "package/c.py", "package/__init__.py", "lib.py", "package/a.pyi")
trees = st.dictionaries(st.sampled_from(PATHS), st.sampled_from(CODE))


@settings(max_examples=40, deadline=None)
@given(st.lists(trees, min_size=2, max_size=4))
def test_verdicts_are_the_same_with_and_without_a_memory(edits: list[dict[str, str]]) -> None:
    with contextlib.ExitStack() as stack:
        known = _open(stack)
        for files in edits:
            learned = _open(stack)

            remembering = _judge(stack, files, Memory(known.fileno(), learned))

            assert remembering == _judge(stack, files, None)
            known = learned


def _open(stack: contextlib.ExitStack) -> BinaryIO:
    return cast(BinaryIO, stack.enter_context(tempfile.TemporaryFile()))


def _judge(stack: contextlib.ExitStack, files: dict[str, str], memory: Memory | None) -> Outcome:
    source, canonical, scratch = (_open(stack) for _ in range(3))
    data = extractor(files)
    source.write(data)
    source.flush()
    extent = Extent(source.fileno(), 0, len(data))
    outcome = judge(Case(extent, canonical, scratch, frozenset(), lambda path: None, memory=memory))
    outcome.tree = None  # It names descriptors.
    return outcome
