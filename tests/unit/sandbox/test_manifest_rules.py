"""A manifest is read without running it, in every dialect, and what does not fit is told with its line."""

import pytest

from extractor_apis.manifest import Manifest, VectorFeature
from extractor_sandbox import manifest
from support.archives import MANIFEST, extractor, judge_bytes, rejections, warnings

DIALECT_B = """
from pydantic import BaseModel, Field

class Input(BaseModel):
    text: str = Field(..., description="Input text")

class Output(BaseModel):
    embedding: list[float]

metadata = {"feature_extractor_name": "text_embed", "version": "v2.1", "description": "B", "category": "text"}
input_schema = Input
output_schema = Output
supported_input_types = ["text"]
features = [{"feature_type": "embedding", "feature_name": "e", "embedding_dim": 8, "distance_metric": "dot"}]
"""
DIALECT_C = """
from pydantic import BaseModel

class Input(BaseModel):
    text: str

metadata = {"name": "text_embed", "version": "v1", "description": "C", "icon": "type", "author": "me"}
input_schema = Input
output_schema = Input
"""
SECOND_FEATURES = """
feature_extractor_name = "text_embed"
version = "v1"
features = [{"name": "e", "type": "vector", "dimensions": 8, "distance": "euclidean"},
            {"name": "t", "type": "text"}]
"""


def judged(text: str) -> set[str]:
    return rejections(judge_bytes(extractor({"manifest.py": text})))


def with_value(name: str, value: str) -> str:
    """Give the plain manifest another value for one name."""
    kept = [line for line in MANIFEST.replace(",\n", ", ").splitlines() if not line.startswith(f"{name} =")]
    return "\n".join([*kept, f"{name} = {value}", ""])


@pytest.mark.parametrize(
    ("text", "want", "want_warnings"),
    [
        pytest.param(MANIFEST, ("text_embed", "1.0.0", ["text_embed_v1_embedding"]), set(), id="A"),
        pytest.param(DIALECT_B, ("text_embed", "2.1.0", ["e"]), set(), id="B"),
        pytest.param(DIALECT_C, ("text_embed", "1.0.0", []), {"M02"}, id="C"),
        pytest.param(SECOND_FEATURES, ("text_embed", "1.0.0", ["e"]), {"M04"}, id="the other features"),
    ],
)
def test_every_dialect_is_read(text: str, want: tuple[str, str, list[str]], want_warnings: set[str]) -> None:
    outcome = judge_bytes(extractor({"manifest.py": text}))

    assert (rejections(outcome), warnings(outcome)) == (set(), want_warnings)
    read = Manifest.from_names(outcome.names or {})
    assert (read.name, read.version, [vector.name for vector in read.vectors]) == want


def test_fields_are_those_of_the_model() -> None:
    renamed = {"vectors", "attributes"}
    more = {"feature_extractor_name", "features"}

    assert (set(Manifest.model_fields) - renamed) | more == manifest.FIELDS


def test_a_manifest_is_read_whole() -> None:
    text = (
        MANIFEST
        + 'SIZES = [1, 2]\nexample_input = {"sizes": SIZES + [-3], "of": f"{version}!"}\ntier: int = 2\n'
    )

    outcome = judge_bytes(extractor({"manifest.py": text}))

    assert Manifest.from_names(outcome.names or {}) == Manifest(
        name="text_embed",
        version="1.0.0",
        description="Hash text embedding",
        vectors=(VectorFeature(name="text_embed_v1_embedding", dimensions=128),),
        output_schema={"text_embed_v1_embedding": {"type": "array", "items": {"type": "number"}}},
        input_mappings={"text": "text"},
        example_input={"sizes": [1, 2, -3], "of": "1.0.0!"},
        tier=2,
    )
    assert (outcome.lines["version"], outcome.lines["tier"]) == (2, 12)


@pytest.mark.parametrize(
    "line",
    [
        *(
            "X = 1",
            "X = -1.5",
            "X = b'x'",
            "X = (1, 'a' 'b', None, True, ...)",
            "X = {1, 2}",
            "X = {1: {'a': []}}",
        ),
        *(
            "X: 'int' = 1",
            "X = version",
            "X = 'a' + version + 'b'",
            "X = [1] + [2]",
            "X = f'{version}-{tier}'",
        ),
        *("import typing", "from typing import List as L", "import pydantic.fields as f", "'just text'"),
        *(
            "class A: pass",
            "class A: ...",
            "class A:\n    '''doc'''\n    x: int = 1",
            "from enum import Enum\nclass A(Enum):\n    X = 1",
            "from enum import Enum\nclass A(Enum):\n    X = 1\nY = [A.X, A.X.value]",
        ),
        "from pydantic import ConfigDict\nclass A:\n    model_config = ConfigDict(extra='forbid')",
        "import pydantic as p\nclass A:\n    x: list = p.Field(default_factory=list, title='x' + version)",
        "import typing as t\nfrom pydantic import Field\nclass A:\n    x: t.Annotated[int, Field(ge=0)] = 1",
    ],
)
def test_plain_values_are_read(line: str) -> None:
    assert judged(f"{MANIFEST}tier = 1\n{line}\n") == set()


@pytest.mark.parametrize(
    "line",
    [
        *(
            "X = str(1)",
            "X = [i for i in 'ab']",
            "X = 1 if True else 2",
            "X = lambda: 1",
            "X = 2 * 3",
            "X = not True",
            "X = version.value",
            "from enum import Enum\nclass A(Enum):\n    X = 1\nY = A.Z",
            "from enum import Enum\nclass A(Enum):\n    X = 1\nY = A.X.name",
            "from enum import Enum\nclass A(Enum):\n    X = [1]\nY = A.X",
            "from pydantic import BaseModel\nclass A(BaseModel):\n    x: int = 1\nY = A.x",
        ),
        *(
            "X = version.upper()",
            "X = version[0]",
            "X = missing",
            "X = {**metadata}",
            "X = [*features]",
            "X = -version",
        ),
        *(
            "X = f'{version!r}'",
            "X = f'{version:>9}'",
            "X = f'{version.upper()}'",
            "X = 'a' + 1",
            "X = {[]: 1}",
        ),
        *(
            "X = Y = 1",
            "X, Y = 1, 2",
            "X.y = 1",
            "X: int",
            "X += 1",
            "del version",
            "if True:\n    X = 1",
            "pass",
        ),
        *(
            "for X in []:\n    pass",
            "def f(): pass",
            "import os",
            "from os import path",
            "from typing import *",
        ),
        *(
            "from . import x",
            "print(1)",
            "@final\nclass A: pass",
            "class A(metaclass=M): pass",
            "class A(f()): pass",
        ),
        *(
            "class A:\n    def f(self): pass",
            "class A:\n    x: int = f()",
            "class A:\n    x = 1",
            "class A:\n    x: f() = 1",
        ),
        *(
            "class A:\n    x: int = Field(1)",
            "import pydantic\nclass A:\n    x: int = pydantic.Field(default=dict())",
        ),
        *(
            "import pydantic\nX = pydantic.Field(1)",
            "import pydantic\nclass A:\n    x: int = pydantic.Field(**version)",
        ),
    ],
)
def test_whatever_computes_is_rejected(line: str) -> None:
    outcome = judge_bytes(extractor({"manifest.py": f"{MANIFEST}{line}\n"}))

    [finding] = [finding for finding in outcome.findings if finding.rule == "M01"]
    assert finding.problem.line is not None and finding.problem.line > 9


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param(MANIFEST + "version = '2.0.0'\n", {"M02"}, id="a name twice"),
        pytest.param(MANIFEST + "class description: pass\n", {"M02"}, id="a class of the same name"),
        pytest.param("", {"M02"}, id="nothing"),
        pytest.param(MANIFEST.replace("features =", "feature ="), {"M02"}, id="no features"),
        pytest.param(MANIFEST.replace("version =", "versions ="), {"M02"}, id="no version"),
        pytest.param(MANIFEST.replace("feature_extractor_name", "extractor_name"), {"M02"}, id="no name"),
        pytest.param("metadata = {'name': 'ab', 'version': 'v1'}\n", {"M02"}, id="metadata without schemas"),
        pytest.param(
            MANIFEST.replace("features =", "X =") + "metadata = {'features': X}\n",
            {"M02"},
            id="features in metadata",
        ),
        pytest.param(with_value("version", '"v1"'), set(), id="a short version"),
        pytest.param(with_value("version", "1.0"), {"M03"}, id="a version that is a number"),
        pytest.param(with_value("version", '"1.0.0-rc1"'), {"M03"}, id="a pre-release"),
        pytest.param(with_value("version", '"latest"'), {"M03"}, id="a word"),
        pytest.param(with_value("feature_extractor_name", '"../text"'), {"M03"}, id="a path as name"),
        pytest.param(with_value("feature_extractor_name", '"Text"'), {"M03"}, id="upper case"),
        pytest.param(with_value("feature_extractor_name", '"a"'), {"M03"}, id="one letter"),
        pytest.param(with_value("feature_extractor_name", f'"{"a" * 64}"'), {"M03"}, id="64 letters"),
        pytest.param(with_value("feature_extractor_name", "None"), {"M03"}, id="no text as name"),
        pytest.param(with_value("compute_profile", '{"batch_size": 8}'), set(), id="a batch size"),
        pytest.param("X = " + "[" * 32 + "]" * 32 + "\n" + MANIFEST, set(), id="32 levels"),
        pytest.param("X = " + "[" * 34 + "]" * 34 + "\n" + MANIFEST, {"M06"}, id="34 levels"),
        pytest.param(
            "X = []\n" + "".join(f"X{n} = [X{n - 1 or ''}]\n" for n in range(1, 34)) + MANIFEST,
            {"M06"},
            id="34",
        ),
        pytest.param(
            "X0 = 'x'\n" + "".join(f"X{n} = [X{n - 1}, X{n - 1}]\n" for n in range(1, 31)) + MANIFEST,
            {"M06"},
            id="laughs",
        ),
        pytest.param(
            "X0 = 'x'\n" + "".join(f"X{n} = X{n - 1} + X{n - 1}\n" for n in range(1, 31)) + MANIFEST,
            {"M06"},
            id="doubling",
        ),
        pytest.param(
            f"X = '{'x' * (200 << 10)}'\n" + "".join(f"X{n} = X + ''\n" for n in range(20)) + MANIFEST,
            {"M06"},
            id="many large values",
        ),
        pytest.param(with_value("version", f"0x{'f' * 4_000}"), {"M06"}, id="a number of 16,000 bits"),
        pytest.param(with_value("tier", f"-0x{'f' * 4_000}"), {"M06"}, id="a negative one"),
        pytest.param(f"{MANIFEST}X = '{'x' * (256 << 10)}'\n", {"M06"}, id="256 KiB"),
        pytest.param(with_value("example_input", "b'x'"), {"M07"}, id="bytes in a field"),
        pytest.param(with_value("example_input", "{1: 2}"), {"M07"}, id="a number as key in a field"),
        pytest.param(with_value("example_input", "1e999"), {"M07"}, id="infinity in a field"),
        pytest.param(with_value("example_input", r"'\ud800'"), {"M07"}, id="half a character in a field"),
        pytest.param("def f(:\n", {"C02"}, id="no Python"),
    ],
)
def test_a_manifest_is_complete_and_small(text: str, want: set[str]) -> None:
    if want == {"M06"}:
        want = want | (judged(text) & {"M01"})  # Names that depend on what grew too much are not bound.

    assert judged(text) == want


EMBEDDING = {
    "feature_type": "embedding",
    "feature_name": "e",
    "embedding_dim": 8,
    "distance_metric": "cosine",
}
VECTOR = {"name": "e", "type": "vector", "dimensions": 8, "distance": "cosine"}


@pytest.mark.parametrize(
    ("features", "want"),
    [
        pytest.param([EMBEDDING, {**EMBEDDING, "feature_name": "f"}], set(), id="two"),
        pytest.param(
            [EMBEDDING, {"feature_type": "text", "feature_name": "t"}], set(), id="one that is no vector"
        ),
        pytest.param([{**EMBEDDING, "description": "x"}], set(), id="more keys"),
        pytest.param([VECTOR], set(), id="the other dialect"),
        pytest.param([{**EMBEDDING, "embedding_dim": 65536}], set(), id="65,536 dimensions"),
        pytest.param([], {"M04"}, id="none"),
        pytest.param([EMBEDDING] * 65, {"M04"}, id="65"),
        pytest.param(EMBEDDING, {"M04"}, id="no list"),
        pytest.param(["e"], {"M04"}, id="a name"),
        pytest.param([EMBEDDING, EMBEDDING], {"M04"}, id="one name twice"),
        pytest.param([{**EMBEDDING, "embedding_dim": 0}], {"M04"}, id="no dimensions"),
        pytest.param([{**EMBEDDING, "embedding_dim": 65537}], {"M04"}, id="65,537 dimensions"),
        pytest.param([{**EMBEDDING, "embedding_dim": True}], {"M04"}, id="true dimensions"),
        pytest.param([{**EMBEDDING, "embedding_dim": "8"}], {"M04"}, id="dimensions as text"),
        pytest.param(
            [{**EMBEDDING, "distance_metric": "euclidean"}], {"M04"}, id="the other dialect's distance"
        ),
        pytest.param([{**EMBEDDING, "feature_name": "E-1"}], {"M04"}, id="a bad name"),
        pytest.param([{**EMBEDDING, "feature_type": "embeding"}], {"M04"}, id="a misspelt type"),
        pytest.param([{**EMBEDDING, "name": "e"}], {"M04"}, id="both dialects"),
        pytest.param([{"feature_type": "embedding", "name": "e", "dimensions": 8}], {"M04"}, id="a mixture"),
        pytest.param([EMBEDDING, {**VECTOR, "name": "f"}], {"M04"}, id="a vector in each dialect"),
        pytest.param([EMBEDDING, {"name": "t", "type": "text"}], set(), id="text in the other dialect"),
        pytest.param([{"feature_type": "vector", "dims": 8}], {"M04"}, id="a vector in no dialect"),
        pytest.param([{"name": "e", "type": "Embedding"}], {"M04"}, id="a vector in half of a dialect"),
        pytest.param([{"feature_type": "embedding", "feature_name": "e"}], {"M04"}, id="half"),
        pytest.param([{"name": "e", "type": "vector", "dimensions": 8}], {"M04"}, id="half of the other"),
    ],
)
def test_features_are_whole(features: object, want: set[str]) -> None:
    assert judged(with_value("features", repr(features)).replace('"embedding_dim": 128', "")) == want


@pytest.mark.parametrize(
    ("value", "want"),
    [
        pytest.param("['numpy', 'x[a,b]>=1,<2; python_version > \"3.10\"']", set(), id="names with ranges"),
        pytest.param("['x @ https://example.invalid/x.whl']", {"M05"}, id="a URL"),
        pytest.param("['git+https://example.invalid/x']", {"M05"}, id="a repository"),
        pytest.param("['./x']", {"M05"}, id="a path"),
        pytest.param("['--index-url https://example.invalid']", {"M05"}, id="an option"),
        pytest.param("['-r more.txt']", {"M05"}, id="another file"),
        pytest.param("[1]", {"M05"}, id="a number"),
        pytest.param("['numpy\\n--pre']", {"M05"}, id="a second line"),
        pytest.param("None", set(), id="none"),
        pytest.param("'numpy'", {"M05"}, id="no list"),
        pytest.param("''", {"M05"}, id="no list, and nothing in it"),
    ],
)
def test_dependencies_are_names_with_ranges(value: str, want: set[str]) -> None:
    assert judged(with_value("dependencies", value)) == want


@pytest.mark.parametrize(
    ("image", "want", "want_warnings"),
    [
        pytest.param(f"'registry.example/team/image@sha256:{'0' * 64}'", set(), set(), id="a digest"),
        pytest.param("'registry.example/team/image:1.0'", set(), {"M05"}, id="a tag"),
        pytest.param("'Registry.example:5000/a__b/c-d.e:V1'", set(), {"M05"}, id="a port"),
        pytest.param(f"'image:1@sha256:{'0' * 64}'", set(), set(), id="both"),
        pytest.param(f"'image@md5:{'0' * 32}'", {"M05"}, set(), id="another digest"),
        pytest.param("'https://registry.example/image'", {"M05"}, set(), id="a URL"),
        pytest.param("'team/../image'", {"M05"}, set(), id="a path that climbs"),
        pytest.param("'team/image:'", {"M05"}, set(), id="half a tag"),
        pytest.param("'no image'", {"M05"}, set(), id="two words"),
        pytest.param("1", {"M05"}, set(), id="a number"),
    ],
)
def test_images_have_a_tag_or_a_digest(image: str, want: set[str], want_warnings: set[str]) -> None:
    outcome = judge_bytes(extractor({"manifest.py": with_value("container_image", image)}))

    assert (rejections(outcome), warnings(outcome)) == (want, want_warnings)


def test_a_set_is_read_in_one_order() -> None:
    text = MANIFEST + 'supported_input_types = {"video", "text", "image", "audio"}\n'

    names = judge_bytes(extractor({"manifest.py": text})).names

    assert names is not None
    assert names["supported_input_types"] == ["audio", "image", "text", "video"]


def test_a_flat_name_wins_over_metadata() -> None:
    outcome = judge_bytes(
        extractor({"manifest.py": MANIFEST + "metadata = {'version': '9.9.9', 'icon': 'text'}\n"})
    )

    assert outcome.names is not None
    assert (outcome.names["version"], outcome.names["icon"]) == ("1.0.0", "text")
