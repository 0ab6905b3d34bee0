"""`extractor init NAME`: a new extractor that works, to be changed."""

import importlib.resources
import re
from pathlib import Path
from typing import Annotated

import typer

from extractor_apis import naming
from extractor_apis.errors import ExtractorError
from extractor_cli import terminal
from extractor_cli.terminal import Format

_FILES = ("manifest.py", "pipeline.py", "realtime.py", "processors/embed.py", "sample.jsonl")


@terminal.verb
def init(
    name: Annotated[str, typer.Argument(help="Name of the extractor: lower case, digits, underscores.")],
    into: Annotated[Path, typer.Option(help="Folder to make the extractor's folder in.")] = Path("."),
    output: terminal.Output = Format.TEXT,
    verbose: terminal.Verbose = False,
) -> None:
    """Write a small extractor that lints, runs and serves as it is."""
    if not re.fullmatch(naming.EXTRACTOR_PATTERN, name):
        raise typer.BadParameter(
            f"{name!r}: use 2 to 63 lower-case letters, digits and underscores, a letter first"
        )
    folder = into / name
    if folder.exists():
        raise ExtractorError(f"{folder} exists already: choose another name, or remove it")
    template = importlib.resources.files("extractor_cli") / "template"
    for file in _FILES:
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(template.joinpath(file).read_text("utf-8").replace("my_extractor", name), "utf-8")
    if output is Format.JSON:
        terminal.print_json({"path": str(folder), "files": list(_FILES)})
        return
    print(f"{folder} is ready. Try:")
    print(f"  extractor lint {folder}")
    print(f"  extractor test {folder}")
    print(f"  extractor run {folder} --source {folder}/sample.jsonl --store {name}-store")
    print(f"  extractor query mixpeek://{name}@1.0.0/{name}_embedding 'a hot drink' --store {name}-store")
    print(f"  extractor serve {folder}")
