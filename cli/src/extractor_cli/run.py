"""`extractor run PATH --source SOURCE --store DIR`: the batch path on this machine."""

import os
import uuid
from pathlib import Path
from typing import Annotated

import typer

from extractor_apis.run import RunConfig
from extractor_cli import archive, dependencies, options, progress, services, terminal
from extractor_cli.terminal import ExitCode, Format


@terminal.verb
def run(
    path: Annotated[str, typer.Argument(help="Folder, .zip or .tar.gz of an extractor, or an https URL.")],
    source: Annotated[
        str,
        typer.Option(help="JSON lines, CSV or Parquet, a folder or glob of files; path or object-store URL."),
    ],
    store: Annotated[Path, typer.Option(help="Folder for vectors and documents; made when missing.")],
    collection: Annotated[str, typer.Option(help="Collection that the documents belong to.")] = "default",
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", help="NAME=VALUE for the extractor; VALUE may be JSON."),
    ] = None,
    error_budget: Annotated[
        str,
        typer.Option(help="Objects that may fail, as 20 or 5%; by default 10 or 10%, the larger."),
    ] = "",
    batch_timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds that the extractor may take for one batch, and to start.")
    ] = 600.0,
    cpus: Annotated[int | None, typer.Option(min=1, help="Processors to use; all by default.")] = None,
    settings: dependencies.SettingsFile = None,
    namespace: dependencies.Namespace = None,
    secret: services.Secrets = None,
    llm: services.LLMs = None,
    output: terminal.Output = Format.TEXT,
    verbose: terminal.Verbose = False,
) -> ExitCode:
    """Run an extractor over a source into a store; a second run takes only what is new or changed."""
    budget, parameters = options.parse_error_budget(error_budget), options.parse_parameters(parameter or [])
    given, known = services.parse(secret, llm), dependencies.read(settings, namespace)
    from extractor_runtime.batch import ingest
    from extractor_stores import Store

    with Store.open(store, create=True) as opened:
        artifact = archive.admit(path, opened.layout.artifacts, known, namespace)
    environment = dependencies.prepare(artifact.manifest, known, namespace)
    config = RunConfig(
        run_id=f"run-{uuid.uuid4().hex[:12]}",
        collection=collection,
        source=source,
        store=str(store.resolve()),
        tree=str(artifact.tree.resolve()),
        artifact_digest=artifact.digest,
        top_folder=artifact.top_folder,
        environment=str(environment) if environment else None,
        manifest=artifact.manifest,
        parameters=parameters,
        services=given,
        error_budget=budget,
        batch_timeout=batch_timeout,
        cpus=cpus,
    )
    with progress.shown(str(artifact.manifest.uri)) as on_state:
        state = ingest.run(config, mongodb_uri=os.environ.get("MONGODB_URI"), on_state=on_state)
    if output is Format.JSON:
        print(state.model_dump_json(indent=2))
    else:
        print(progress.summary(state, store))
    return ExitCode.FINE
