"""Hundreds of broken files pass through the real worker, and none of them takes it down."""

import random
from pathlib import Path

import pytest

from extractor_sandbox import scan
from support import mutations, seeds
from support.archives import extractor

pytestmark = pytest.mark.integration

FILES = 60
"""So few that their findings stay below the number at which a scan stops."""
ARCHIVES = 6


@pytest.mark.parametrize("number", range(ARCHIVES))
def test_a_worker_reads_broken_files_to_the_last(tmp_path: Path, number: int) -> None:
    corpus, chance = seeds.sources(), random.Random(1_000_000 + number)
    mutants = {
        f"core_{index}.py": mutations.mutate_source(chance.choice(corpus), corpus, chance)
        for index in range(FILES)
    }
    weights = {
        f"weights/model_{index}.{kind}": mutations.mutate_bytes(seed, chance)
        for index in range(2)
        for kind, seed in seeds.WEIGHTS.items()
    }
    (tmp_path / "uploaded.zip").write_bytes(extractor({**mutants, **weights}))

    report = scan(tmp_path / "uploaded.zip", into=tmp_path / "accepted.zip")

    assert not report.accepted and not {"X01", "X02"} & {finding.rule for finding in report.findings}
    assert "core_" in {str(finding.path)[:5] for finding in report.findings}
