"""What a manifest asks for, against a database of advisories."""

from pathlib import Path

import pytest

from extractor_sandbox.finding import Problem
from extractor_sandbox.opinions import advisories
from support.evidence import make_advisory, make_evidence, write_advisories


def find(folder: Path, records: list[dict[str, object]], *dependencies: str) -> list[Problem]:
    with open(write_advisories(folder / "all.zip", records), "rb") as database:
        evidence = make_evidence(dependencies=dependencies, advisories=database.fileno())
        return list(advisories.problems(evidence))


def _ranges(*events: dict[str, str]) -> list[dict[str, object]]:
    return [{"type": "ECOSYSTEM", "events": list(events)}]


def test_a_weakness_is_told_with_its_ids_and_what_mends_it(tmp_path: Path) -> None:
    problems = find(tmp_path, [make_advisory()], "colours[fast]==1.4; python_version > '3'")

    assert problems == [
        Problem(
            message="colours 1.4 has a known weakness, GHSA-1111, CVE-2026-1: Reads the wrong file",
            path="manifest.py",
            advice="Allow colours 2.0, in which it is mended.",
            severity="warn",
        )
    ]


MENDED_IN_2 = make_advisory(versions=["1.0", "1.5"])
AGAIN_IN_3 = make_advisory(
    ranges=_ranges({"fixed": "3.1"}, {"introduced": "0"}, {"fixed": "2.0"}, {"introduced": "3.0"})
)
UP_TO_1_5 = make_advisory(ranges=_ranges({"introduced": "1.0"}, {"last_affected": "1.5"}))
NEVER_MENDED = make_advisory(ranges=_ranges({"introduced": "0"}))
LISTED = make_advisory(ranges=[], versions=["1.5", "not a version"])


@pytest.mark.parametrize(
    ("record", "requirement", "want"),
    [
        pytest.param(MENDED_IN_2, "colours==1.5", "colours 1.5", id="an affected version is named"),
        pytest.param(MENDED_IN_2, "colours==2.0", None, id="the version that mends it is fine"),
        pytest.param(MENDED_IN_2, "colours", None, id="without a bound a mended one is installed"),
        pytest.param(MENDED_IN_2, "colours>=1.0", None, id="from an affected one upwards a mended one is"),
        pytest.param(MENDED_IN_2, "colours<2", "colours 1.5", id="the newest that is allowed is affected"),
        pytest.param(MENDED_IN_2, "colours==1.*", "colours 1.5", id="so it is behind a star"),
        pytest.param(MENDED_IN_2, "colours~=1.6", "colours 1.6", id="a version that only the manifest knows"),
        pytest.param(MENDED_IN_2, "Colours==1.5", "Colours 1.5", id="names are compared as registries do"),
        pytest.param(MENDED_IN_2, "colour==1.5", None, id="part of a name is another name"),
        pytest.param(AGAIN_IN_3, "colours==2.5", None, id="between two ranges it is fine"),
        pytest.param(AGAIN_IN_3, "colours==3.0", "colours 3.0", id="a weakness that came back"),
        pytest.param(AGAIN_IN_3, "colours<4", None, id="and went again"),
        pytest.param(UP_TO_1_5, "colours==1.5", "colours 1.5", id="the last affected one is affected"),
        pytest.param(UP_TO_1_5, "colours==1.6", None, id="the one after it is not"),
        pytest.param(UP_TO_1_5, "colours==0.9", None, id="nor is one before the first"),
        pytest.param(NEVER_MENDED, "colours", "colours", id="all versions"),
        pytest.param(NEVER_MENDED, "colours>1.0", "colours", id="all versions, and a lower bound"),
        pytest.param(LISTED, "colours==1.5", "colours 1.5", id="listed without a range"),
        pytest.param(LISTED, "colours==1.4", None, id="not listed"),
        pytest.param(
            {**MENDED_IN_2, "withdrawn": "2026-01-01T00:00:00Z"}, "colours==1.5", None, id="withdrawn"
        ),
        pytest.param(make_advisory(ecosystem="npm"), "colours==1.5", None, id="of another registry"),
        pytest.param(
            make_advisory("Nice_Colours.Core"),
            "nice-colours-core==1.5",
            "nice-colours-core 1.5",
            id="dots, dashes and capitals do not matter",
        ),
        pytest.param({"id": "GHSA-2", "summary": "colours"}, "colours==1.5", None, id="about nothing"),
    ],
)
def test_the_newest_version_that_is_known_and_allowed_counts(
    record: dict[str, object], requirement: str, want: str | None, tmp_path: Path
) -> None:
    problems = find(tmp_path, [record], requirement)

    assert [each.message.split(" has ")[0] for each in problems] == ([] if want is None else [want])


def test_one_weakness_under_two_ids_is_told_once(tmp_path: Path) -> None:
    again = {**make_advisory(), "id": "PYSEC-2026-1"}
    another = {**make_advisory(), "id": "GHSA-3333", "aliases": []}

    problems = find(tmp_path, [make_advisory(), again, another], "colours==1.0")

    assert [each.message.split(",")[1].split(":")[0] for each in problems] == [" GHSA-1111", " GHSA-3333"]


def test_a_record_larger_than_any_real_one_is_not_read(tmp_path: Path) -> None:
    record = {**make_advisory(), "details": " " * (16 << 20)}

    with pytest.raises(ValueError, match=r"0\.json is larger than"):
        find(tmp_path, [record], "colours==1.0")
