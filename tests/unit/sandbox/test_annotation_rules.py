"""Annotations that are strings run nothing when a library evaluates them."""

import pytest

from support.archives import extractor, judge_bytes, rejections

CORE = "processors/core.py"


def judged(code: str) -> set[str]:
    return rejections(judge_bytes(extractor({"processors/__init__.py": "", CORE: code + "\n"})))


EVIL = "__import__('os').system('true')"


@pytest.mark.parametrize(
    "code",
    [
        f'x: "{EVIL}"',
        f'x: "{EVIL}" = 1',
        f'class A:\n    x: "{EVIL}"',
        f'def f(x: "{EVIL}"): pass',
        f'def f(x, /, *, y: "{EVIL}" = 1): pass',
        f'def f(*xs: "{EVIL}"): pass',
        f'def f(**xs: "{EVIL}"): pass',
        f'def f() -> "{EVIL}": pass',
        f'async def f() -> "{EVIL}": pass',
        f'def f(x: List["{EVIL}"]): pass',
        f'x: Dict[str, List["{EVIL}"]]',
        f'x: "List[\\"{EVIL}\\"]"',
        f'x: int | "{EVIL}"',
        f'x: Annotated["{EVIL}", 1]',
        f'from typing import List as Literal\nx: Literal["{EVIL}"]',
        f'class Literal: pass\nx: Literal["{EVIL}"]',
        f'Literal["{EVIL}"]\nfrom typing import List as Literal',
        f'from typing import Optional\nAlias = Optional["{EVIL}"]',
        f'Alias = list["{EVIL}"]',
        f'T = "{EVIL}"\nx: T',
        f'T: TypeAlias = "{EVIL}"\nx: T',
        f'from typing import TypeVar\nT = TypeVar("T", bound="{EVIL}")',
        f'from typing import NamedTuple\nP = NamedTuple("P", [("x", "{EVIL}")])',
        f'import typing as t\nP = t.TypedDict("P", {{"x": "{EVIL}"}})',
        f'from pydantic import create_model\nM = create_model("M", x=("{EVIL}", 1))',
        f'import pydantic\npydantic.TypeAdapter("{EVIL}")',
        f'import dataclasses\ndataclasses.make_dataclass("D", [("x", "{EVIL}")])',
        f'class A:\n    __annotations__ = {{"x": "{EVIL}"}}',
        f'class A:\n    __annotations__["x"] = "{EVIL}"',
        f'A.__annotations__["x"] = "{EVIL}"',
        'x: "lambda: 1"',
        'x: "[y for y in z]"',
        'x: "{y for y in z}"',
        'x: "list(y for y in z)"',
        'x: "a if b else c"',
        'x: "(a := b)"',
        "x: \"f'{a}'\"",
        'x: "a and b"',
        'x: "a < b"',
        'x: "().__class__"',
        'x: "__builtins__"',
        'x: "a.__globals__"',
        'x: "not valid"',
        'x: "import os"',
        'x: ""',
        'def f(x: "the text to embed"): pass',
    ],
)
def test_string_annotations_hold_names_only(code: str) -> None:
    assert judged(code) == {"C08"}


@pytest.mark.parametrize(
    "code",
    [
        'x: "Row"',
        'x: "pd.DataFrame"',
        'x: "Optional[List[Row]]"',
        'x: List["Row"]',
        'x: "int | None"',
        'x: " Row "',
        'x: "Callable[[int, str], bool]"',
        'x: "tuple[int, ...]"',
        'from typing import Literal\nx: Literal["not valid", "f(x)"]',
        'import typing as t\nx: t.Optional[t.Literal["a b"]]',
        "from typing_extensions import Literal\nx: \"Optional[Literal['a b', 'f()']]\"",
        'from typing import Literal\nMode = Literal["left to right", "f(x)"]',
        'from typing import Literal as L\nx: "L[-1, True, None]"',
        'from typing import Annotated\nx: Annotated[str, "the text (any)"]',
        'x: Annotated[int, Field(description="how many (at most)")]',
        "try:\n    from typing import Literal\nexcept E:\n    from typing_extensions import Literal\n"
        'x: Literal["a b"]',
        'd["f(x)"] = 1',
        'batch["a b"]',
        'from typing import TypeVar, NewType\nT = TypeVar("T", bound="Row")\nI = NewType("I", int)',
        'from typing import TypedDict\nHeaders = TypedDict("Headers", {"content-type": str})',
        'from typing import cast\ncast(str, "f(x)")',
        "f.__annotations__['x']",
        "for name, kind in A.__annotations__.items(): pass",
        'def f(x: "np.ndarray[Any, np.dtype[np.float32]]") -> "list[Row]": pass',
        'T = "f(x)"',
        'T = "hello world"\ny: str = T',
    ],
)
def test_forward_references_are_fine(code: str) -> None:
    assert judged(code) == set()
