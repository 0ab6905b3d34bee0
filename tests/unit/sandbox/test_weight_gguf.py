"""Headers of GGUF files can be read to the end, and their templates only format text."""

import struct

import pytest

from support.archives import extractor, judge_bytes, rejections
from support.model_files import gguf, gguf_field, gguf_template, gguf_tensor, gguf_text

NAME = gguf_field("general.name", 8, gguf_text("größe"))
SIZES = (1, 1, 2, 2, 4, 4, 4, 1)
ALL = [gguf_field(f"k{kind}", kind, bytes(size)) for kind, size in enumerate(SIZES)]
WORDS = struct.pack("<LQ", 8, 3) + b"".join(map(gguf_text, ["a", "__b__", ""]))
CHAT = """{% for message in messages %}{% if message['role'] != 'system' %}{{ '<|im_start|>system
It is important to be helpful.<|im_end|>\\n' }}{% endif %}{{ message['content'] | trim }}{% endfor %}"""


def judged(content: bytes) -> set[str]:
    return rejections(judge_bytes(extractor({"weights/model.gguf": content})))


def aligned(to: int) -> bytes:
    return gguf_field("general.alignment", 4, struct.pack("<L", to))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(gguf(), id="nothing in it"),
        pytest.param(gguf(version=2), id="version 2"),
        pytest.param(
            gguf([NAME, *ALL, *(gguf_field(f"l{kind}", kind, bytes(8)) for kind in (10, 11, 12))]), id="all"
        ),
        pytest.param(gguf([gguf_field("tokens", 9, WORDS)]), id="a list of words"),
        pytest.param(
            gguf([gguf_field("scores", 9, struct.pack("<LQ", 6, 2) + bytes(8))]), id="a list of numbers"
        ),
        pytest.param(gguf([], [gguf_tensor("w", (4, 2), 0)], bytes(32)), id="a tensor"),
        pytest.param(gguf([aligned(8)], [gguf_tensor("w", (1,), 0)], bytes(4)), id="another alignment"),
        pytest.param(gguf_template(CHAT), id="a chat template"),
        pytest.param(gguf_template("__init__", "general.description"), id="a word elsewhere"),
    ],
)
def test_plain_headers_are_accepted(content: bytes) -> None:
    assert judged(content) == set()


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("{{ ''.__class__ }}", id="an attribute"),
        pytest.param("{% import 'x' as y %}", id="an import"),
        pytest.param("{{ cycler|attr('x') }}", id="the filter"),
        pytest.param("{{ cycler |\n attr ('x') }}", id="the filter, spread out"),
        pytest.param("{{ messages|map('attr', 'x') }}", id="the filter by its name"),
        pytest.param(r"{{ ''['\x5f\x5fclass\x5f\x5f'] }}", id="an escape of two digits"),
        pytest.param(r"{{ ''['\u005f\u005fclass'] }}", id="an escape of four"),
        pytest.param(r"{{ ''['\U0000005f_class'] }}", id="an escape of eight"),
        pytest.param(r"{{ ''['\137_class'] }}", id="an octal escape"),
        pytest.param(r"{{ ''['\N{LOW LINE}_class'] }}", id="an escape by name"),
        pytest.param("a" * (1 << 20) + "b", id="too long to read"),
    ],
)
@pytest.mark.parametrize("key", ["tokenizer.chat_template", "tokenizer.chat_template.tool_use"])
def test_templates_that_reach_out_are_rejected(template: str, key: str) -> None:
    assert judged(gguf_template(template, key)) == {"W06"}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GGUF", id="a magic"),
        pytest.param(b"GGML" + gguf()[4:], id="another magic"),
        pytest.param(gguf(version=1), id="version 1"),
        pytest.param(gguf(version=3 << 24), id="the other byte order"),
        pytest.param(gguf([NAME])[:-1], id="a cut"),
        pytest.param(struct.pack("<4sL2Q", b"GGUF", 3, 2**63, 0), id="tensors without end"),
        pytest.param(struct.pack("<4sL2Q", b"GGUF", 3, 0, 2**63), id="fields without end"),
        pytest.param(struct.pack("<4sL2Q", b"GGUF", 3, 0, 1) + b"\xff" * 8, id="a name without end"),
        pytest.param(gguf([NAME, NAME]), id="a field twice"),
        pytest.param(gguf([gguf_field("k", 13, b"")]), id="an unknown type"),
        pytest.param(gguf([gguf_field("k", 8, b"\xff" * 8)]), id="a string without end"),
        pytest.param(gguf([gguf_field("k", 9, struct.pack("<LQ", 0, 2**63))]), id="a list without end"),
        pytest.param(gguf([gguf_field("k", 9, struct.pack("<LQ", 8, 2**63))]), id="words without end"),
        pytest.param(gguf([gguf_field("k", 9, struct.pack("<LQ", 9, 1) + bytes(12))]), id="lists in lists"),
        pytest.param(gguf([gguf_text(b"\xff") + struct.pack("<LB", 0, 0)]), id="a name that is no text"),
        pytest.param(gguf([aligned(0)]), id="an alignment of nothing"),
        pytest.param(gguf([aligned(24)]), id="an odd alignment"),
        pytest.param(gguf([], [gguf_tensor("w", (1,) * 9, 0)], bytes(32)), id="nine dimensions"),
        pytest.param(gguf([], [gguf_tensor("w", (4,), 64)], bytes(32)), id="a tensor behind the end"),
        pytest.param(
            gguf([gguf_field("tokenizer.chat_template", 8, gguf_text(b"\xff"))]),
            id="a template that is no text",
        ),
        pytest.param(
            gguf([gguf_field("chat_templates", 9, struct.pack("<LQ", 8, 1) + gguf_text("__"))]),
            id="in a list",
        ),
    ],
)
def test_other_headers_are_rejected(content: bytes) -> None:
    assert judged(content) == {"W06"}
