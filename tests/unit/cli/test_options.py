"""Options that are more than a string."""

import pytest
import typer

from extractor_apis.run import ErrorBudget
from extractor_cli import options


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("", ErrorBudget(count=10, share=0.1)),
        ("0", ErrorBudget(count=0, share=0)),
        ("20", ErrorBudget(count=20, share=0)),
        ("5%", ErrorBudget(count=0, share=0.05)),
    ],
)
def test_an_error_budget_is_a_count_or_a_share(text: str, want: ErrorBudget) -> None:
    assert options.parse_error_budget(text) == want


@pytest.mark.parametrize("text", ["many", "-1", "200%", "5 %x"])
def test_what_is_neither_is_a_usage_error(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write a count such as 20, or a share such as 5%"):
        options.parse_error_budget(text)


@pytest.mark.parametrize(
    ("budget", "failed", "total", "want"),
    [
        pytest.param(ErrorBudget(), 10, 20, False, id="ten always may"),
        pytest.param(ErrorBudget(), 11, 20, True, id="eleven of twenty may not"),
        pytest.param(ErrorBudget(), 100, 1000, False, id="a tenth may"),
        pytest.param(ErrorBudget(), 101, 1000, True, id="more than a tenth may not"),
        pytest.param(ErrorBudget(count=0, share=0), 1, 10**6, True, id="nothing may"),
    ],
)
def test_a_budget_is_spent_when_more_fail_than_it_allows(
    budget: ErrorBudget, failed: int, total: int, want: bool
) -> None:
    assert budget.is_spent(failed, total) is want


def test_parameters_are_json_or_text() -> None:
    assert options.parse_parameters(["words=30", "mode=fast", "tags=[1]", "note=a=b"]) == {
        "words": 30,
        "mode": "fast",
        "tags": [1],
        "note": "a=b",
    }


def test_a_parameter_without_a_value_is_a_usage_error() -> None:
    with pytest.raises(typer.BadParameter, match="write NAME=VALUE"):
        options.parse_parameters(["words"])
