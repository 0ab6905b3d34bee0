"""`extractor test PATH`: does the extractor keep what its manifest promises?"""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from extractor_cli import (
    archive,
    dependencies,
    findings,
    options,
    progress,
    services,
    terminal,
    trial,
    trial_logs,
    trial_text,
)
from extractor_cli.terminal import ExitCode, Format

_OF_CODE = ("T01", "T02", "T05")
"""Findings of code that failed: perhaps because it asked somebody."""


@terminal.verb
def test(
    path: Annotated[str, typer.Argument(help="Folder, .zip or .tar.gz of an extractor, or an https URL.")],
    input: Annotated[
        list[Path] | None,
        typer.Option(
            "--input",
            "-i",
            help="Image, audio, video or text file, or records (.jsonl, .csv); may be repeated.",
        ),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", help="NAME=VALUE for the extractor; VALUE may be JSON."),
    ] = None,
    settings: dependencies.SettingsFile = None,
    namespace: dependencies.Namespace = None,
    secret: services.Secrets = None,
    llm: services.LLMs = None,
    min_cosine: Annotated[
        float, typer.Option(min=-1, max=1, help="Cosine from which a batch and a realtime vector agree.")
    ] = 0.999,
    batch_timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds that the extractor may take for one batch, and to start.")
    ] = 600.0,
    cpus: Annotated[int | None, typer.Option(min=1, help="Processors to use; all by default.")] = None,
    network: Annotated[
        bool,
        typer.Option("--network", help="Let the extractor's code use the network."),
    ] = False,
    logs: Annotated[
        Path | None,
        typer.Option(help="Folder for what the workers wrote, the code's prints too; made when missing."),
    ] = None,
    output: terminal.Output = Format.TEXT,
    verbose: terminal.Verbose = False,
) -> ExitCode:
    """Run both halves on the manifest's example_input and on files; compare, measure, and report."""
    parameters, allowed = options.parse_parameters(parameter or []), services.parse(secret, llm)
    known = dependencies.read(settings, namespace)
    if llm and not network:
        raise typer.BadParameter("a language model is asked over the network: add --network")
    if secret and not network:
        terminal.say("extractor: --secret without --network: the extractor can ask nobody with it")
    from extractor_runtime import session
    from extractor_runtime.trial import verdict
    from extractor_runtime.trial.config import TrialConfig

    with (
        tempfile.TemporaryDirectory(prefix="extractor-test-") as artifacts,
        session.temporary_folder(session.SHORT) as folder,
        archive.scanned(path, known.policy(namespace).scan) as scanned,
    ):
        scan = scanned.report
        if scan.accepted:
            artifact = archive.keep(scanned, Path(artifacts))
            config = TrialConfig(
                tree=artifact.tree.resolve(),
                artifact_digest=artifact.digest,
                top_folder=artifact.top_folder,
                environment=dependencies.prepare(artifact.manifest, known, namespace),
                manifest=artifact.manifest,
                scan=scan.findings,
                files=tuple(input or ()),
                folder=folder,
                parameters=parameters,
                services=allowed,
                seconds=batch_timeout,
                cpus=cpus,
                min_cosine=min_cosine,
            )
            with progress.shown(str(artifact.manifest.uri)) as on_state:
                try:
                    report = trial.hold(config, network=network, on_state=on_state)
                finally:
                    if logs:
                        trial_logs.keep(folder, logs)
        else:
            name = str(scan.manifest.uri) if scan.manifest else path
            report = verdict.TrialReport.refused(name, findings.ordered(scan.findings))
    if output is Format.JSON:
        print(report.model_dump_json(indent=2))
    else:
        for line in trial_text.lines(report):
            print(line)
    if any(finding.rule in _OF_CODE for finding in report.findings):
        if not network:
            terminal.say("extractor: the extractor had no network; if it needs one, add --network")
        if not logs:
            terminal.say("extractor: to read what its workers printed, add --logs FOLDER")
    return ExitCode.FINE if report.passed else ExitCode.FINDINGS
