"""Many small programs, hostile and honest, keep the verdict that the policy gives them."""

import pytest

from support.archives import extractor, judge_bytes, rejections
from support.code_cases import CodeCase, read_cases

HOSTILE = list(read_cases("hostile.txt"))
HONEST = list(read_cases("honest.txt"))


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.id)
def test_hostile_code_is_refused(case: CodeCase) -> None:
    outcome = judge_bytes(extractor(case.files))

    assert case.rule in rejections(outcome)


@pytest.mark.parametrize("case", HONEST, ids=lambda case: case.id)
def test_honest_code_passes(case: CodeCase) -> None:
    assert rejections(judge_bytes(extractor(case.files))) == set()


@pytest.mark.parametrize(
    "code",
    [
        "x = {}",
        "def f(x: {}): pass",
        "frame.query({})",
        "from transformers import AutoModel\nAutoModel.from_pretrained(**{})",
    ],
)
@pytest.mark.parametrize("nested", [" + ".join(["'a'"] * 380), " | ".join(["x"] * 380), "x" + ".a(1)" * 190])
def test_code_as_deep_as_it_may_be_is_judged(nested: str, code: str) -> None:
    assert rejections(judge_bytes(extractor({"core.py": code.format(nested) + "\n"}))) <= {"C08", "C09"}
