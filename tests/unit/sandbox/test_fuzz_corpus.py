"""The seeds of fuzzing, and what it once found, keep the promises that fuzzing looks for."""

from pathlib import Path

import pytest

from support.fuzz_targets import TARGETS

FOUND = Path(__file__).parents[2] / "fixtures" / "fuzz"


# What takes long is a find as well.
@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", TARGETS)
def test_what_fuzzing_starts_from_and_what_it_found_keeps_the_promises(name: str) -> None:
    target, seeds = TARGETS[name]
    found = [path.read_bytes() for path in sorted((FOUND / name).glob("*"))]

    for data in (*seeds, *(seed[: len(seed) // 2] for seed in seeds), *found):
        target(data)
