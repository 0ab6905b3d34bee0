"""ONNX models are complete, and read no files but those beside them."""

import pytest

from support.archives import extractor, judge_bytes, rejections
from support.model_files import external, field, onnx


def judged(content: bytes) -> set[str]:
    return rejections(judge_bytes(extractor({"weights/model.onnx": content})))


def graphs_in_graphs(depth: int) -> bytes:
    graph = b""
    for _ in range(depth):
        graph = field(1, field(5, field(6, graph)))
    return onnx(graph)


# Where a tensor may be in a model: from the graph down, in what belongs to a function or to training.
PLACES = {
    "an initializer": lambda tensor: onnx(field(5, tensor)),
    "the values of a sparse initializer": lambda tensor: onnx(field(15, field(1, tensor))),
    "the indices of a sparse initializer": lambda tensor: onnx(field(15, field(2, tensor))),
    "an attribute": lambda tensor: onnx(field(1, field(5, field(5, tensor)))),
    "one of an attribute's tensors": lambda tensor: onnx(field(1, field(5, field(10, tensor)))),
    "an attribute's sparse tensor": lambda tensor: onnx(field(1, field(5, field(22, field(1, tensor))))),
    "one of an attribute's sparse tensors": lambda tensor: onnx(
        field(1, field(5, field(23, field(2, tensor))))
    ),
    "a graph within": lambda tensor: onnx(field(1, field(5, field(6, field(5, tensor))))),
    "one of the graphs within": lambda tensor: onnx(field(1, field(5, field(11, field(5, tensor))))),
    "a function": lambda tensor: onnx(more=field(25, field(7, field(5, field(5, tensor))))),
    "a function's default": lambda tensor: onnx(more=field(25, field(11, field(5, tensor)))),
    "the start of a training": lambda tensor: onnx(more=field(20, field(1, field(5, tensor)))),
    "the steps of a training": lambda tensor: onnx(more=field(20, field(2, field(5, tensor)))),
    "a second graph, which is merged": lambda tensor: onnx(more=field(7, field(5, tensor))),
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_external_data_is_found_wherever_a_tensor_may_be(place: object) -> None:
    assert callable(place)

    assert judged(place(external("weights.bin"))) == set()
    assert judged(place(external("../weights.bin"))) == {"W05"}


@pytest.mark.parametrize(
    ("location", "want"),
    [
        pytest.param("model.onnx.data", set(), id="beside"),
        pytest.param("data/größe 1.bin", set(), id="below"),
        pytest.param("./data.bin", set(), id="beside, with a dot"),
        pytest.param("a..b/..c", set(), id="dots in names"),
        pytest.param("/etc/passwd", {"W05"}, id="absolute"),
        pytest.param("..", {"W05"}, id="above"),
        pytest.param("a/../../b", {"W05"}, id="above, after a detour"),
        pytest.param("..\\b", {"W05"}, id="above, as Windows writes it"),
        pytest.param("C:b", {"W05"}, id="another drive"),
        pytest.param("file:///etc/passwd", {"W05"}, id="an address"),
        pytest.param("a\0/../../b", {"W05"}, id="a NUL byte"),
        pytest.param(b"a\xff", {"W05"}, id="no text"),
        pytest.param("", {"W05"}, id="nothing"),
    ],
)
def test_external_data_lies_beside_the_model(location: str | bytes, want: set[str]) -> None:
    assert judged(onnx(field(5, external(location)))) == want


@pytest.mark.parametrize(
    ("content", "want"),
    [
        pytest.param(onnx(), set(), id="an empty graph"),
        pytest.param(onnx(field(5, field(9, bytes(1 << 20)))), set(), id="numbers inside"),
        pytest.param(
            onnx(more=field(99, b"x") + field(98, 1) + b"\x99\6" + bytes(8)), set(), id="newer fields"
        ),
        pytest.param(graphs_in_graphs(20), set(), id="graphs in graphs"),
        pytest.param(graphs_in_graphs(1000), {"W05"}, id="graphs without end"),
        pytest.param(b"", {"W05"}, id="nothing"),
        pytest.param(field(1, 8), {"W05"}, id="no graph"),
        pytest.param(field(7, b""), {"W05"}, id="no version"),
        pytest.param(onnx()[:-1], {"W05"}, id="a cut"),
        pytest.param(onnx() + b"\0", {"W05"}, id="a field without a number"),
        pytest.param(onnx() + b"\x0b", {"W05"}, id="a group"),
        pytest.param(onnx() + b"\x80" * 12, {"W05"}, id="a number without end"),
        pytest.param(onnx() + field(2**30, 1), {"W05"}, id="a number of a field that is too large"),
        pytest.param(
            onnx() + b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", {"W05"}, id="a length that overflows"
        ),
        pytest.param(onnx(b"\x2a\x05"), {"W05"}, id="a field that leaves its message"),
        pytest.param(onnx(b"\x2d" + bytes(4)), {"W05"}, id="a tensor that is a number"),
        pytest.param(onnx(field(5, field(13, field(1, 1)))), {"W05"}, id="a name that is a number"),
        pytest.param(onnx(field(5, field(13, field(3, b"")))), {"W05"}, id="neither name nor value"),
        pytest.param(
            onnx(field(5, field(13, field(2, b"/a") + field(1, b"offset") + field(1, b"location")))),
            {"W05"},
            id="a name that is replaced",
        ),
        pytest.param(onnx(field(5, field(13, field(2, b"a" * 5000)))), {"W05"}, id="a value without end"),
        pytest.param(b"<html>", {"W05"}, id="another file"),
    ],
)
def test_models_can_be_read_to_the_end(content: bytes, want: set[str]) -> None:
    assert judged(content) == want
