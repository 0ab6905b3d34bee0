"""Classes are described exactly as pydantic describes them."""

import ast
from typing import Any

import pytest

from extractor_sandbox import manifest

PRELUDE = """
from enum import Enum
from typing import (
    Annotated, Any, ClassVar, Dict, FrozenSet, List, Literal, Mapping, Optional, Sequence, Set,
    Tuple, Union
)
from pydantic import (
    BaseModel, ConfigDict, Field, HttpUrl, NonNegativeFloat, PositiveInt, StrictStr
)

class Color(str, Enum):
    '''Colours.'''
    RED = "red"
    BLUE = "blue"

class One(Enum):
    A = 1

class Mixed(Enum):
    A = 1
    B = "x"

class Inner(BaseModel):
    '''Inside.

    And more.
    '''
    x: int
"""


def described(body: str) -> tuple[Any, Any]:
    """Describe the class ``It`` of a manifest, and have pydantic describe it, too."""
    scope: dict[str, Any] = {}
    exec(PRELUDE + body, scope)
    scope["It"].model_rebuild(_types_namespace=scope)
    reading = manifest.read(ast.parse(f"{PRELUDE}{body}input_schema = It\n"), 0)
    exported, problems = manifest.export(reading)
    assert (reading.computed, problems) == ([], [])
    return exported["input_schema"], scope["It"].model_json_schema()


@pytest.mark.parametrize(
    "annotated",
    [
        *(
            "str",
            "int",
            "float",
            "bool",
            "bytes",
            "None",
            "Any",
            "object",
            "list",
            "dict",
            "tuple",
            "set",
            "frozenset",
        ),
        *(
            "List",
            "Dict",
            "Tuple",
            "Set",
            "list[str]",
            "List[int]",
            "Sequence[str]",
            "set[int]",
            "FrozenSet[str]",
        ),
        *(
            "dict[str, int]",
            "Dict[str, Any]",
            "Mapping[str, float]",
            "dict[str, list[Inner]]",
            "dict[Color, int]",
        ),
        *("tuple[int, str]", "Tuple[float, ...]", "tuple[int]", "Optional[str]", "str | None", "None | str"),
        *(
            "Union[int, str]",
            "int | str | None",
            "Union[int, None, str]",
            "Optional[Union[int, bytes]]",
            "Union[int]",
        ),
        *("Literal['a', 'b']", "Literal['a']", "Literal[1, 2]", "Literal['a', 1, None]", "Literal[True]"),
        *(
            "Inner",
            "Color",
            "One",
            "Mixed",
            "Optional[Inner]",
            "Inner | Color",
            "list[Inner]",
            "Optional[List[Inner]]",
        ),
        *(
            "'Inner'",
            "List['Inner']",
            "Optional['It']",
            "HttpUrl",
            "PositiveInt",
            "StrictStr",
            "Annotated[int, Field(ge=0)]",
        ),
        *(
            "list[Annotated[str, Field(min_length=1)]]",
            "Optional[Literal['a', 'b']]",
            "int | Literal['auto']",
        ),
        *(
            "str = 'x'",
            "float = 0.5",
            "int = -1",
            "bool = True",
            "Optional[str] = None",
            "list[str] = []",
            "str = None",
        ),
        *(
            "dict[str, int] = {'a': 1}",
            "Tuple[int, ...] = (1, 2)",
            "Color = 'red'",
            "Color = Color.RED",
            "Optional[Mixed] = Mixed.B",
            "Literal['a', 'b'] = 'a'",
        ),
        *(
            "str = Field(...)",
            "str = Field('x', description='d', title='T', examples=['e'])",
            "int = Field(default=1)",
        ),
        *(
            "str = Field(min_length=1, max_length=9, pattern='^a')",
            "list[str] = Field(default_factory=list, max_length=3)",
        ),
        *(
            "float = Field(0.5, ge=0, le=1)",
            "int = Field(gt=0, lt=9, multiple_of=2)",
            "dict = Field({}, min_length=1)",
        ),
        *("Optional[float] = Field(None, ge=0)", "Optional[List[str]] = Field(None, min_length=2)"),
        *(
            "Color = Field('red', description='c')",
            "Inner = Field(description='i')",
            "int = Field(alias='other')",
        ),
        *(
            "int = Field(validation_alias='other')",
            "int = Field(1, deprecated=True, json_schema_extra={'x': 1})",
        ),
        *(
            "Annotated[float, Field(gt=0, description='a')] = 0.5",
            "ClassVar[int] = 1",
            "NonNegativeFloat = 1.0",
        ),
    ],
)
def test_fields_are_described_as_pydantic_does(annotated: str) -> None:
    ours, theirs = described(f"class It(BaseModel):\n    some_field_2: {annotated}\n")

    assert ours == theirs


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            "class It(BaseModel):\n    '''Doc.\n\n    More.\n    '''\n", id="a docstring and no fields"
        ),
        pytest.param(
            "class It(BaseModel):\n    model_config = ConfigDict(extra='forbid', title='Nice')\n", id="config"
        ),
        pytest.param(
            "class It(BaseModel):\n    model_config = {'extra': 'allow'}\n    x: int\n", id="a dict as config"
        ),
        pytest.param(
            "class It(BaseModel):\n    model_config = ConfigDict(json_schema_extra={'example': {'x': 1}})\n",
            id="an example",
        ),
        pytest.param("class It(BaseModel):\n    children: List['It'] = []\n", id="a tree"),
        pytest.param("class It(Inner):\n    y: str = 'y'\n", id="an heir"),
        pytest.param(
            "class It(Inner):\n    x: str = 'x'\n    y: Inner\n", id="an heir that changes its mind"
        ),
        pytest.param(
            "class A(Inner):\n    a: int\nclass B(Inner):\n    b: int\nclass It(A, B):\n    c: int\n",
            id="two",
        ),
        pytest.param(
            "class It(BaseModel):\n    _hidden: int = 1\n    shown: int = 1\n", id="a private field"
        ),
    ],
)
def test_classes_are_described_as_pydantic_does(body: str) -> None:
    ours, theirs = described(body)

    assert ours == theirs


def test_the_order_of_fields_is_kept() -> None:
    ours, theirs = described("class It(Inner):\n    b: int\n    a: int\n    x: str\n")

    assert list(ours["properties"]) == list(theirs["properties"])


@pytest.mark.parametrize(
    "annotation", ["Hashable", "Callable[..., int]", "Union[()]", "'no type'", "List[()]"]
)
def test_unknown_types_are_anything(annotation: str) -> None:
    text = f"{PRELUDE}class It(BaseModel):\n    x: {annotation}\ninput_schema = It\n"

    exported, problems = manifest.export(manifest.read(ast.parse(text), 0))

    assert (problems, exported["input_schema"]) == (
        [],
        {"title": "It", "type": "object", "properties": {"x": {"title": "X"}}, "required": ["x"]},
    )
