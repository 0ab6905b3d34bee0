"""Whatever is read ends in a verdict: no input makes a rule or a reader raise."""

import os
import random
from collections import Counter
from collections.abc import Callable

import pytest

from extractor_sandbox import limits
from support import mutations, seeds
from support.archives import extractor, judge_bytes, make_tar, rejections

# The whole budget is spent in CI.
SHARE = 1 if os.environ.get("CI") else 10
SOURCES = 10_000 // SHARE
BATCH = 250
OTHERS = 2_000 // SHARE

pytestmark = pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")


@pytest.mark.parametrize("first", range(0, SOURCES, BATCH))
def test_every_mutated_source_ends_in_a_verdict(first: int) -> None:
    corpus = seeds.sources()
    rules = Counter(
        rule
        for seed in range(first, first + BATCH)
        for rule in verdict(lambda chance: extractor({"core.py": mutated_source(corpus, chance)}), seed)
    )

    # Enough of them get past the parser, and try the rules behind it.
    assert rules["C02"] < BATCH * 0.8 and "accepted" in rules and len(rules) > 3


def test_every_mutated_manifest_ends_in_a_verdict() -> None:
    corpus = seeds.manifests()
    rules = Counter(
        rule
        for seed in range(OTHERS)
        for rule in verdict(lambda chance: extractor({"manifest.py": mutated_source(corpus, chance)}), seed)
    )

    assert {"M01", "M02"} <= set(rules)


@pytest.mark.parametrize(("extension", "seed_file"), seeds.WEIGHTS.items(), ids=seeds.WEIGHTS)
def test_every_mutated_model_file_ends_in_a_verdict(extension: str, seed_file: bytes) -> None:
    path = f"weights/model.{extension}"
    rules = Counter(
        rule
        for seed in range(OTHERS // 4)
        for rule in verdict(lambda chance: extractor({path: mutations.mutate_bytes(seed_file, chance)}), seed)
    )

    assert set(rules) - {"F02", "Z11", "accepted"} == {seeds.RULES[extension]}


def test_every_mutated_archive_ends_in_a_verdict() -> None:
    corpus = seeds.archives()
    rules = Counter(
        rule
        for seed in range(OTHERS)
        for rule in verdict(lambda chance: mutations.mutate_bytes(chance.choice(corpus), chance), seed)
    )

    assert {"Z01", "Z02", "Z08"} <= set(rules)


def test_every_mutated_tar_ends_in_a_verdict() -> None:
    # Behind the checksum of gzip, which no change of the file itself gets past.
    corpus = seeds.tars()
    rules = Counter(
        rule
        for seed in range(OTHERS)
        for rule in verdict(
            lambda chance: compress(mutations.mutate_bytes(chance.choice(corpus), chance)), seed
        )
    )

    assert {"Z01", "Z02"} <= set(rules)


def mutated_source(corpus: list[bytes], chance: random.Random) -> bytes:
    return mutations.mutate_source(chance.choice(corpus), corpus, chance)


def compress(tar: bytes) -> bytes:
    return make_tar({}, end=tar)


def verdict(make: Callable[[random.Random], bytes], seed: int) -> set[str]:
    """Name the rules that reject what comes of a seed, or say that it is accepted."""
    archive = make(random.Random(seed))
    try:
        outcome = judge_bytes(archive)
    except Exception as err:
        raise AssertionError(f"no verdict on seed {seed}: {archive!r}") from err
    assert len(outcome.findings) <= limits.FINDINGS + 1
    assert rejections(outcome) or outcome.names is not None, f"neither accepted nor rejected: seed {seed}"
    return rejections(outcome) or {"accepted"}
