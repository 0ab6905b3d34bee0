"""`extractor test PATH`: does the extractor keep what its manifest promises?"""

import contextlib
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from extractor_cli import archive, findings, options, progress, services, terminal, trial_text
from extractor_cli.terminal import ExitCode, Format


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
    secret: services.Secrets = None,
    llm: services.LLMs = None,
    min_cosine: Annotated[
        float, typer.Option(min=-1, max=1, help="Cosine from which a batch and a realtime vector agree.")
    ] = 0.999,
    batch_timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds that the extractor may take for one batch, and to start.")
    ] = 600.0,
    cpus: Annotated[int | None, typer.Option(min=1, help="Processors to use; all by default.")] = None,
    output: terminal.Output = Format.TEXT,
    verbose: terminal.Verbose = False,
) -> ExitCode:
    """Run both halves on the manifest's example_input and on files; compare, measure, and report."""
    parameters, allowed = options.parse_parameters(parameter or []), services.parse(secret, llm)
    from extractor_runtime.loader import Tree
    from extractor_runtime.trial import rehearsal, verdict

    with tempfile.TemporaryDirectory(prefix="extractor-test-") as folder, archive.scanned(path) as scanned:
        scan = scanned.report
        if scan.accepted:
            artifact = archive.keep(scanned, Path(folder, "artifacts"))
            setting = rehearsal.Setting(
                tree=Tree(artifact.tree, artifact.digest, artifact.top_folder),
                manifest=artifact.manifest,
                files=tuple(input or ()),
                folder=Path(folder),
                parameters=parameters,
                services=allowed,
                seconds=batch_timeout,
                cpus=cpus,
            )
            # What the author's code prints is no part of the report.
            with (
                progress.shown(str(artifact.manifest.uri)) as on_state,
                contextlib.redirect_stdout(sys.stderr),
            ):
                seen = rehearsal.rehearse(setting, scan.findings, on_state=on_state)
            report = verdict.judge(artifact.manifest, seen, min_cosine=min_cosine)
        else:
            name = str(scan.manifest.uri) if scan.manifest else path
            report = verdict.TrialReport.refused(name, findings.ordered(scan.findings))
    if output is Format.JSON:
        print(report.model_dump_json(indent=2))
    else:
        for line in trial_text.lines(report):
            print(line)
    return ExitCode.FINE if report.passed else ExitCode.FINDINGS
