"""Options that are more than a string."""

import json

import typer

from extractor_apis.manifest import JsonObject
from extractor_apis.run import ErrorBudget


def parse_error_budget(text: str) -> ErrorBudget:
    """Read ``20`` (objects) or ``5%``; nothing means the default."""
    try:
        if not text:
            return ErrorBudget()
        if text.endswith("%"):
            return ErrorBudget(count=0, share=float(text[:-1]) / 100)
        return ErrorBudget(count=int(text), share=0)
    except ValueError:
        raise typer.BadParameter(
            f"--error-budget {text}: write a count such as 20, or a share such as 5%"
        ) from None


def parse_parameters(texts: list[str], option: str = "--parameter") -> JsonObject:
    """Read NAME=VALUE pairs; a value that is no JSON is text."""
    parameters: JsonObject = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise typer.BadParameter(f"{option} {text}: write NAME=VALUE")
        try:
            parameters[name] = json.loads(value)
        except json.JSONDecodeError:
            parameters[name] = value
    return parameters
