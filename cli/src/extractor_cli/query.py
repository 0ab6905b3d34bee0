"""`extractor query URI [TEXT] --store DIR`: the nearest documents of a store."""

import contextlib
import dataclasses
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from extractor_apis.naming import FeatureURI
from extractor_cli import archive, dependencies, hit_text, options, services, terminal
from extractor_cli.terminal import Format


@terminal.verb
def query(
    uri: Annotated[
        str, typer.Argument(help="mixpeek://extractor@version/feature; without a version, the published one.")
    ],
    store: Annotated[Path, typer.Option(help="Folder that `extractor run` wrote.")],
    text: Annotated[str | None, typer.Argument(help="What to look for.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="Image, audio, video or text file to look for.")
    ] = None,
    input: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", help="NAME=VALUE for the realtime class; VALUE may be JSON."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-k", min=1, max=1000, help="Answers to print.")] = 3,
    collection: Annotated[str | None, typer.Option(help="Search this collection only.")] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(help="URL that `extractor serve` printed; without, the model is loaded here."),
    ] = None,
    settings: dependencies.SettingsFile = None,
    namespace: dependencies.Namespace = None,
    secret: services.Secrets = None,
    llm: services.LLMs = None,
    output: terminal.Output = Format.TEXT,
    verbose: terminal.Verbose = False,
) -> None:
    """Embed a text or a file with the version that embedded the documents, and print the nearest ones."""
    feature_uri = parse_uri(uri)
    known = dependencies.read(settings, namespace)
    named, allowed = options.parse_parameters(input or [], "--input"), services.parse(secret, llm)
    if text is None and file is None and not named:
        raise typer.BadParameter("say what to look for: TEXT, --file FILE, or --input NAME=VALUE")
    from extractor_runtime.loader import Tree
    from extractor_runtime.realtime import query_inputs, query_vector
    from extractor_stores import Store, resolve, search

    with Store.open(store, create=False, mongodb_uri=os.environ.get("MONGODB_URI")) as opened:
        resolved = resolve(opened, feature_uri, collection)
        artifact = archive.stored(resolved.records[0].artifact_digest, opened.layout.artifacts)
        manifest, feature = artifact.manifest, resolved.feature
        inputs = query_inputs.of_file(file, manifest.input_names) if file else {}
        inputs |= ({"text": text} if text is not None else {}) | named
        if endpoint:
            vector = query_vector.ask(endpoint, manifest, feature, inputs)
        else:
            environment = dependencies.prepare(manifest, known, namespace)
            tree = Tree(artifact.tree, artifact.digest, artifact.top_folder, environment)
            # What the author's code prints is no part of the answer.
            with contextlib.redirect_stdout(sys.stderr):
                vector = query_vector.compute(tree, manifest, feature, inputs, allowed)
        hits = search(opened, resolved.uri, vector, limit=limit, collection=collection)
    if output is Format.JSON:
        terminal.print_json([dataclasses.asdict(hit) for hit in hits])
    else:
        for rank, hit in enumerate(hits, 1):
            print(hit_text.describe(rank, hit.score, hit.document))


def parse_uri(text: str) -> FeatureURI:
    """Read a feature URI from the command line."""
    try:
        return FeatureURI.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
