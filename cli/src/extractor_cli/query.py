"""`extractor query URI TEXT --store DIR`: the nearest documents of a store."""

import dataclasses
import os
import textwrap
from pathlib import Path
from typing import Annotated, Any

import typer

from extractor_apis.naming import FeatureURI
from extractor_cli import archive, terminal
from extractor_cli.terminal import Format


@terminal.verb
def query(
    uri: Annotated[
        str, typer.Argument(help="mixpeek://extractor@version/feature; without a version, the published one.")
    ],
    text: Annotated[str, typer.Argument(help="What to look for.")],
    store: Annotated[Path, typer.Option(help="Folder that `extractor run` wrote.")],
    limit: Annotated[int, typer.Option("--limit", "-k", min=1, max=1000, help="Answers to print.")] = 3,
    collection: Annotated[str | None, typer.Option(help="Search this collection only.")] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(help="URL that `extractor serve` printed; without, the model is loaded here."),
    ] = None,
    output: terminal.Output = Format.TEXT,
    verbose: terminal.Verbose = False,
) -> None:
    """Embed a text with the version that embedded the documents, and print the nearest ones."""
    feature_uri = parse_uri(uri)
    from extractor_runtime import query_vector
    from extractor_runtime.loader import Tree
    from extractor_stores import Store, resolve, search

    with Store.open(store, create=False, mongodb_uri=os.environ.get("MONGODB_URI")) as opened:
        resolved = resolve(opened, feature_uri, collection)
        artifact = archive.stored(resolved.records[0].artifact_digest, opened.layout.artifacts)
        manifest, feature, inputs = artifact.manifest, resolved.feature, {"text": text}
        if endpoint:
            vector = query_vector.ask(endpoint, manifest, feature, inputs)
        else:
            tree = Tree(artifact.tree, artifact.digest, artifact.top_folder)
            vector = query_vector.compute(tree, manifest, feature, inputs)
        hits = search(opened, resolved.uri, vector, limit=limit, collection=collection)
    if output is Format.JSON:
        terminal.print_json([dataclasses.asdict(hit) for hit in hits])
    else:
        for rank, hit in enumerate(hits, 1):
            print(describe(rank, hit.score, hit.document))


def parse_uri(text: str) -> FeatureURI:
    """Read a feature URI from the command line."""
    try:
        return FeatureURI.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def describe(rank: int, score: float, document: dict[str, Any]) -> str:
    """Write an answer: rank, score, object, and its text wrapped under it."""
    text = str(document.get("text") or document.get("data") or "")
    body = textwrap.fill(
        " ".join(text.split()),
        100,
        initial_indent="   ",
        subsequent_indent="   ",
        max_lines=4,
        placeholder=" …",
    )
    return f"{rank}. {score:.4f}  {document['object_id']}\n{body}"
