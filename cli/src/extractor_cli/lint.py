"""`extractor lint PATH`: would the platform accept this archive?"""

from typing import Annotated

import typer

from extractor_cli import archive, findings, terminal
from extractor_cli.terminal import ExitCode, Format


@terminal.verb
def lint(
    path: Annotated[str, typer.Argument(help="Folder, .zip or .tar.gz of an extractor, or an https URL.")],
    output: terminal.Output = Format.TEXT,
    verbose: terminal.Verbose = False,
) -> ExitCode:
    """Scan an extractor as the platform would; nothing of it is run."""
    with archive.scanned(path) as result:
        report = result.report
    if output is Format.JSON:
        print(report.model_dump_json(indent=2))
    else:
        for line in findings.lines(report):
            print(line)
        print(findings.summary(report))
    return ExitCode.FINE if report.accepted else ExitCode.FINDINGS
