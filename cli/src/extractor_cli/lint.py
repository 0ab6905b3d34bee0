"""`extractor lint PATH`: would the platform accept this archive?"""

import io
import json
import os
import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from extractor_apis.scan import Finding, Opinion, ScanReport, Severity
from extractor_cli import archive, dependencies, terminal
from extractor_cli.terminal import ExitCode


class Form(StrEnum):
    """How a report is printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    """For code hosts: findings beside the lines of a change."""


@terminal.verb
def lint(
    path: Annotated[str, typer.Argument(help="Folder, .zip or .tar.gz of an extractor, or an https URL.")],
    settings: dependencies.SettingsFile = None,
    namespace: dependencies.Namespace = None,
    opinion: Annotated[
        list[Opinion] | None, typer.Option(help="Another tool to ask, too; it only warns. May be repeated.")
    ] = None,
    advisories: Annotated[
        Path | None, typer.Option(help="Zip of OSV records, for `--opinion advisories`.")
    ] = None,
    output: Annotated[Form, typer.Option("--output", "-o", help="How to print the report.")] = Form.TEXT,
    verbose: terminal.Verbose = False,
) -> ExitCode:
    """Scan an extractor as the platform would; nothing of it is run."""
    known = dependencies.read(settings, namespace)
    if namespace and known.entry(namespace) is None:
        terminal.say(f"extractor: no entry of {settings} fits {namespace!a}: its defaults count")
    policy = known.policy(namespace).scan
    policy = policy.model_copy(update={"opinions": policy.opinions.union(opinion or ())})
    if advisories and Opinion.ADVISORIES not in policy.opinions:
        raise typer.BadParameter("only `--opinion advisories` reads them", param_hint="--advisories")
    with archive.scanned(path, policy, advisories or known.advisories) as result:
        report = _compare_python(result.report, known.runtime_python)
    _print(report, output)
    return ExitCode.FINE if report.accepted else ExitCode.FINDINGS


def _compare_python(report: ScanReport, runtime: str) -> ScanReport:
    """Warn where another Python than the runtime's parsed the code: it may know another syntax."""
    from extractor_sandbox import RULES

    if report.python == runtime:
        return report
    finding = Finding(
        rule="X04",
        severity=Severity.WARN,
        message=f"Python {report.python} parsed the code, and the platform runs it with {runtime}",
        advice=RULES["X04"].advice,
    )
    return report.model_copy(update={"findings": (*report.findings, finding)})


def _print(report: ScanReport, output: Form) -> None:
    from extractor_cli import sarif, scan_text

    if output is Form.JSON:
        _print_ascii(report.model_dump(mode="json"))
    elif output is Form.SARIF:
        _print_ascii(sarif.render(report))
    else:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # The author's language may be none that this terminal can write.
            sys.stdout.reconfigure(errors="backslashreplace")
        coloured = None if "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb" else False
        for line in scan_text.lines(report, shutil.get_terminal_size((120, 0)).columns):
            typer.echo(line, color=coloured)


def _print_ascii(document: object) -> None:
    # What the archive's author wrote is in it: nothing that a terminal would obey leaves here unescaped.
    print(json.dumps(document, indent=2))
