from pathlib import Path

import pytest

from extractor_artifacts.environments import DependencyConflict, EnvironmentFailed, complaint

# What uv 0.13.9 wrote, in a file each.
RECORDED = Path(__file__).parents[2] / "fixtures" / "uv"


def recorded(name: str) -> str:
    return (RECORDED / f"{name}.txt").read_text()


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param(
            recorded("conflict"),
            "Because all versions of needs-old depend on beta<2 and all versions of gamma depend on "
            "beta>=2, all versions of gamma and all versions of needs-old are incompatible. And "
            "because manifest.py requires gamma and needs-old, nothing fits: change the dependencies "
            "in manifest.py",
            id="two dependencies",
        ),
        pytest.param(
            recorded("runtime"),
            "Because manifest.py requires torch>=3 and torch==2.9.0+cpu (the runtime's), nothing "
            "fits: change the dependencies in manifest.py",
            id="the runtime",
        ),
        pytest.param(
            recorded("source-only"),
            "`onlysd` has no wheel that fits, only its source, and to build that would run its code: "
            "depend on a version with a wheel, or have one built (Because onlysd==1.0 has no usable "
            "wheels and only onlysd==1.0 is available, all versions of onlysd cannot be used. And "
            "because manifest.py requires onlysd, nothing fits)",
            id="only a source",
        ),
        pytest.param(
            recorded("foreign"),
            "Because plat==1.0 has no wheels with a matching Python ABI tag (e.g., `cp311`) and "
            "manifest.py requires plat, nothing fits (You require CPython 3.11 (`cp311`), but we only"
            " found wheels for `plat` (v1.0) with the following Python ABI tag: `cp39`): change the "
            "dependencies in manifest.py",
            id="wheels of another Python",
        ),
        pytest.param(
            recorded("by-url"),
            "a dependency asks for `beta` by URL, and packages come from the index only: depend on a "
            "version that does not",
            id="a URL",
        ),
        pytest.param(
            recorded("mismatch"),
            "the index has another file for beta==2.0 than when it was locked: somebody replaced it; "
            "depend on another version, and tell who runs the index",
            id="a replaced file",
        ),
    ],
)
def test_what_the_author_must_change_is_a_conflict(text: str, want: str) -> None:
    error = complaint.read(text)

    assert (type(error), str(error)) == (DependencyConflict, want)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param(recorded("unauthorized"), "check `packages` in the operator", id="credentials wanted"),
        pytest.param(recorded("forbidden"), "check `packages` in the operator", id="credentials refused"),
        pytest.param(
            recorded("unreachable"),
            "Failed to fetch: https://host/simple/alpha/: Connection refused (os error 111): check",
            id="nobody there",
        ),
        pytest.param(recorded("busy"), "(429 Too Many Requests)", id="busy"),
        pytest.param(recorded("cut"), "end of file before message length reached", id="cut off"),
        pytest.param("", "uv failed and said nothing", id="silence"),
    ],
)
def test_what_time_or_the_operator_heals_is_no_conflict(text: str, want: str) -> None:
    error = complaint.read(text)

    assert type(error) is EnvironmentFailed
    assert want in str(error)


@pytest.mark.parametrize("text", [recorded("unreachable"), recorded("by-url")], ids=["index", "dependency"])
def test_secrets_of_urls_are_not_told(text: str) -> None:
    assert "s3cret" not in str(complaint.read(text))


def test_sentence_without_end_is_cut() -> None:
    told = str(complaint.read(recorded("conflict").replace("needs-old", "needs-old-" * 200)))

    assert len(told) < 700


def test_terminal_is_sent_nothing_that_it_obeys() -> None:
    assert "\x1b" not in str(complaint.read(recorded("conflict").replace("gamma", "gam\x1b[31mma")))
