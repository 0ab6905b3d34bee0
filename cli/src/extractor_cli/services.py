"""The options that say which secrets and language models an extractor may use.

A value is never written on a command line, where every process of the machine can read it: options name the
environment variable or the file that holds it.
"""

import os
import re
import urllib.parse
from pathlib import Path
from typing import Annotated, get_args

import typer

from extractor_apis.services import SECRET_PATTERN, LLMEndpoint, SecretReference, Services

Secrets = Annotated[
    list[str] | None,
    typer.Option(
        "--secret",
        metavar="NAME",
        help="Secret that the extractor may read: NAME is the environment variable of that name; "
        "NAME=env:VARIABLE and NAME=file:PATH say where else it is.",
    ),
]
LLMs = Annotated[
    list[str] | None,
    typer.Option(
        "--llm",
        metavar="NAME",
        help="Language model that the extractor may ask: openai, anthropic or google; openai=URL for one's "
        "own server; NAME=STYLE+URL#MODEL in full. Its key is the secret NAME_API_KEY.",
    ),
]

_STYLES: tuple[str, ...] = get_args(LLMEndpoint.model_fields["style"].annotation)
_KEYS = {
    "openai": ("OPENAI_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "google": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
}
_ENDPOINT = re.compile(
    r"(?:(?P<style>[a-z]+)(?:\+(?=http)|(?=#|$)))?(?P<url>https?://[^#]+)?(?:#(?P<model>.+))?"
)
_NAME = re.compile(r"[a-z][a-z0-9_-]*")


def parse(secret: list[str] | None, llm: list[str] | None) -> Services:
    """Read the options; whatever is wrong with them is a usage error, before anything starts."""
    secrets = dict(_secret(text) for text in secret or [])
    endpoints = dict(_endpoint(text, secrets) for text in llm or [])
    return Services(secrets=secrets, llm=endpoints)


def _secret(text: str) -> tuple[str, SecretReference]:
    name, equals, where = text.partition("=")
    if re.fullmatch(SECRET_PATTERN, name) is None:
        raise typer.BadParameter("--secret: write NAME, NAME=env:VARIABLE or NAME=file:PATH")
    kind, _, place = where.partition(":") if equals else ("env", ":", name)
    if kind == "env" and place:
        if not os.environ.get(place):
            # In lower case it may be the value itself, which is not repeated.
            shown = place if place.isupper() else "of that name"
            raise typer.BadParameter(f"--secret: the environment variable {shown} is not set")
        return name, SecretReference(env=place)
    if kind == "file" and place:
        path = Path(place).expanduser()
        if not path.is_file() or not os.access(path, os.R_OK):
            raise typer.BadParameter(f"--secret {name}: there is no file {place} that can be read")
        return name, SecretReference(file=str(path.resolve()))
    # What was written may be the value itself: it is not repeated.
    raise typer.BadParameter(
        f"--secret {name}=…: a value is not written on a command line, where every process can read it; "
        f"export it and write --secret {name}, or write {name}=env:VARIABLE or {name}=file:PATH"
    )


def _endpoint(text: str, secrets: dict[str, SecretReference]) -> tuple[str, LLMEndpoint]:
    name, _, rest = text.partition("=")
    name, hash_sign, model = name.partition("#")
    match = _ENDPOINT.fullmatch(rest + hash_sign + model)
    style = (match and match["style"]) or name
    if match is None or _NAME.fullmatch(name) is None or style not in _STYLES:
        raise typer.BadParameter(
            f"--llm {_shown(text)}: write {', '.join(_STYLES)}, one of them =URL, or NAME=STYLE+URL#MODEL"
        )
    if match["url"] and urllib.parse.urlsplit(match["url"]).username:
        raise typer.BadParameter(f"--llm {name}: write the URL without credentials, and give a --secret")
    keys = (f"{name.upper().replace('-', '_')}_API_KEY", *(_KEYS[style] if name == style else ()))
    key = next((key for key in keys if key in secrets), None)
    if key is None and match["url"] is None:
        wanted = _KEYS[style][0] if name == style else keys[0]
        raise typer.BadParameter(f"--llm {name} needs a key: add --secret {wanted}")
    return name, LLMEndpoint(style=style, base_url=match["url"], api_key=key, model=match["model"])


def _shown(text: str) -> str:
    return re.sub(r"//[^/@]*@", "//…@", text)
