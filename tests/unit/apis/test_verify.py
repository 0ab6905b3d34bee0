"""`verify` as it is written, and what its patterns match."""

import time

import pydantic
import pytest

from extractor_apis.verify import Identity, Verify, matches

IDENTITY = {"issuer": "https://issuer", "subject": "me"}


@pytest.mark.parametrize(
    "written",
    [
        pytest.param({"provider": "cosign", "identities": [IDENTITY]}, id="identities"),
        pytest.param({"provider": "cosign", "secretRef": {"name": "keys"}}, id="keys of a secret"),
    ],
)
def test_verify_is_read_and_written_as_flux_spells_it(written: dict[str, object]) -> None:
    read = Verify.model_validate(written)

    assert read.model_dump(mode="json", exclude_defaults=True) | {"provider": "cosign"} == written


@pytest.mark.parametrize(
    "written",
    [
        pytest.param({}, id="neither identities nor keys"),
        pytest.param({"identities": []}, id="no identity"),
        pytest.param({"identities": [IDENTITY], "secretRef": {"name": "keys"}}, id="both"),
        pytest.param({"provider": "notation", "identities": [IDENTITY]}, id="another provider"),
        pytest.param({"identities": [{"issuer": "https://issuer"}]}, id="an identity without a subject"),
        pytest.param({"identities": [IDENTITY | {"subject": ""}]}, id="an empty pattern"),
        pytest.param({"identities": [IDENTITY | {"subject": "(a"}]}, id="no pattern"),
        pytest.param(
            {"identities": [IDENTITY | {"subject": "a)|(?:.*"}]}, id="a pattern that leaves our brackets"
        ),
        pytest.param({"identities": [IDENTITY | {"subject": "(?=a)"}]}, id="what RE2 does not have"),
        pytest.param({"matchOIDCIdentity": [IDENTITY]}, id="a misspelt field"),
    ],
)
def test_verify_that_would_let_anybody_in_or_cannot_be_read_is_refused(written: dict[str, object]) -> None:
    with pytest.raises(pydantic.ValidationError):
        Verify.model_validate(written)


@pytest.mark.parametrize(
    ("pattern", "value", "want"),
    [
        pytest.param("a.c", "abc", True, id="the whole"),
        pytest.param("^a.c$", "abc", True, id="the whole, as Flux's examples write it"),
        pytest.param("abc", "abcd", False, id="more after it"),
        pytest.param("abc", "0abc", False, id="more before it"),
        pytest.param("a|b", "ax", False, id="an alternative and more"),
        pytest.param("abc", "abc\n", False, id="a line break after it"),
        pytest.param("(?m)^abc$", "abc\nevil", False, id="one of its lines"),
        pytest.param("abc", "ABC", False, id="another case"),
        pytest.param("(?i)abc", "ABC", True, id="another case, as asked"),
    ],
)
def test_pattern_matches_the_whole_value(pattern: str, value: str, want: bool) -> None:
    assert matches(Identity(issuer=pattern, subject="x").issuer, value) is want


def test_pattern_takes_linear_time() -> None:
    started = time.perf_counter()

    assert not matches("(a+)+b", "a" * 10_000)
    assert time.perf_counter() - started < 1
