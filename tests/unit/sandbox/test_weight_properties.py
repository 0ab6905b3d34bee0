"""Whatever bytes a model file has, a verdict comes out, and no verdict but its own rule's."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support import model_files
from support.archives import extractor, judge_bytes, rejections

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

RULES = {
    **dict.fromkeys(("pt", "bin", "ckpt"), "W02"),
    **{"safetensors": "W03", "npy": "W04", "npz": "W04", "onnx": "W05", "gguf": "W06"},
}
SEEDS = {
    **model_files.SMALL,
    "bin": model_files.STATE_DICT,
    "onnx": model_files.onnx(model_files.field(5, model_files.external("a.bin"))),
    "gguf": model_files.gguf_template("{{ messages }}"),
}
CASES = pytest.mark.parametrize("extension", SEEDS)


def judged(extension: str, content: bytes) -> set[str]:
    # What looks like another kind of file is F02's, too.
    return rejections(judge_bytes(extractor({f"weights/model.{extension}": content}))) - {"F02"}


@CASES
def test_every_cut_ends_in_a_verdict(extension: str) -> None:
    seed = SEEDS[extension]
    steps = range(0, len(seed), max(1, len(seed) // 50))

    assert {frozenset(judged(extension, seed[:size])) for size in steps} == {frozenset({RULES[extension]})}


@CASES
@quick
@given(data=st.data())
def test_every_change_ends_in_a_verdict(extension: str, data: st.DataObject) -> None:
    content = bytearray(SEEDS[extension])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

    assert judged(extension, bytes(content)) <= {RULES[extension], "Z11"}


@CASES
@quick
@given(content=st.binary(max_size=200))
def test_other_bytes_are_rejected(extension: str, content: bytes) -> None:
    assert judged(extension, SEEDS[extension][:8] + b"\xff" + content) == {RULES[extension]}
