"""Whether a version that is being deployed agrees with itself: batch and realtime, on the manifest's example.

The replica asks before it answers anybody. The batch half runs first, in a process of its own, so that its
memory is given back before the realtime half is loaded. What was found is kept for the replicas that follow.
"""

import asyncio
import concurrent.futures
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pydantic

from extractor_apis import naming
from extractor_apis.application import ApplicationConfig
from extractor_apis.manifest import Manifest
from extractor_apis.meta import Struct
from extractor_apis.run import DeadLetter, RunConfig, RunPhase, RunState
from extractor_apis.scan import Finding, Severity
from extractor_apis.workload import WorkloadConfig
from extractor_runtime import errors
from extractor_runtime.batch import notes
from extractor_runtime.batch.notes import NOTE, Failure
from extractor_runtime.realtime.realtime_service import RealtimeService
from extractor_runtime.trial import samples, verdict
from extractor_runtime.trial.interview import Interview
from extractor_runtime.trial.observed import Batch, Fault, Seen
from extractor_runtime.trial.parity import Document, Parity
from extractor_runtime.trial.samples import Samples
from extractor_stores import files
from extractor_stores.errors import disk_errors_reported

_PARITY_RULE = "T06"
_FAULT_RULES = ("T01", "T02", "T03", "T05")
"""Either half fails on the example: there is nothing to compare."""
_NO_EXAMPLE = "the manifest has no example_input that becomes an object"
_VERDICT_BYTES = 1024 * 1024


class ParityMismatch(errors.RunError):
    """Batch and realtime put the same input at different places: no query would find what is stored."""


class Agreement(Struct):
    """``parity.json``: how a version's halves compared on its example."""

    extractor: str
    """``mixpeek://extractor@version``"""
    verdict: Literal["agrees", "disagrees", "notChecked"]
    message: str = ""
    """Why they disagree, or were not compared."""
    compared: tuple[Parity, ...] = ()
    checked: datetime


def load_agreeing(config: ApplicationConfig, load: Callable[[], RealtimeService]) -> RealtimeService:
    """Load the realtime half, and return it unless it disagrees with the batch half.

    Raises ParityMismatch if it does, now or when another replica looked; AuthorError when one of them fails
    on the example, which is asked again the next time.
    """
    path = _path(config)
    known = _read(path)
    if known is not None:
        _require(known)
        return load()
    with tempfile.TemporaryDirectory(prefix="extractor-example-") as folder:
        tree = Path(config.tree)
        tried = samples.collect(config.manifest, tree, (), Path(folder) / "source")
        ran = _run_batch(config, Path(folder)) if tried.in_batch else None
    service = load()
    try:
        if ran is None:
            found = _agreement(config.manifest, "notChecked", "; ".join(tried.skipped) or _NO_EXAMPLE)
        else:
            found = _compare(config, service, tried, ran)
        if path is not None:
            with disk_errors_reported(path):
                files.write(path, found.model_dump_json(indent=1).encode())
        _require(found)
    except BaseException:
        service.close()
        raise
    return service


def _path(config: ApplicationConfig) -> Path | None:
    """Say where the verdict is kept: for the same code, dependencies and parameters it is the same."""
    if config.verdicts is None:
        return None
    environment = config.delivery.environment if config.delivery else None
    parameters = json.dumps(config.parameters, sort_keys=True)
    key = naming.stable_hash(config.artifact_digest, environment.digest if environment else "", parameters)
    return Path(config.verdicts) / key[:32] / "parity.json"


def _read(path: Path | None) -> Agreement | None:
    content = files.read(path, _VERDICT_BYTES) if path else None
    try:
        return Agreement.model_validate_json(content) if content else None
    except pydantic.ValidationError:
        # Another version of this program wrote it: it is found out again.
        return None


def _require(agreement: Agreement) -> None:
    if agreement.verdict == "disagrees":
        raise ParityMismatch(agreement.message)


def _compare(config: ApplicationConfig, service: RealtimeService, tried: Samples, ran: Batch) -> Agreement:
    """Ask the realtime half, and hold its answers against what the batch half wrote."""
    interview = Interview(
        service,
        config.manifest,
        config.parameters,
        load_seconds=0.0,
        answer_seconds=config.request_seconds,
    )
    # Serve constructs a replica on its event loop.
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answered = pool.submit(asyncio.run, interview.hold(tried, ran)).result()
    report = verdict.judge(config.manifest, Seen(batch=ran, realtime=answered))
    refusals = [finding for finding in report.findings if finding.severity is Severity.REJECT]
    if faults := [finding for finding in refusals if finding.rule in _FAULT_RULES]:
        raise errors.AuthorError(f"the manifest's example fails: {faults[0].message}", _place(faults[0]))
    if apart := [finding for finding in refusals if finding.rule == _PARITY_RULE]:
        return _agreement(config.manifest, "disagrees", _sentence(apart[0]), report.parity)
    if report.parity:
        return _agreement(config.manifest, "agrees", "", report.parity)
    reasons = [finding.message for finding in report.findings if finding.rule == _PARITY_RULE]
    return _agreement(config.manifest, "notChecked", "; ".join(reasons) or "no vector could be compared")


def _agreement(
    manifest: Manifest,
    found: Literal["agrees", "disagrees", "notChecked"],
    message: str,
    compared: tuple[Parity, ...] = (),
) -> Agreement:
    return Agreement(
        extractor=str(manifest.uri),
        verdict=found,
        message=message,
        compared=compared,
        checked=datetime.now(UTC),
    )


def _sentence(finding: Finding) -> str:
    advice = (finding.advice or "").removesuffix(".")
    return f"{finding.message}; {advice[:1].lower()}{advice[1:]}" if advice else finding.message


def _place(finding: Finding) -> str | None:
    return f"{finding.path}:{finding.line}" if finding.path and finding.line else finding.path


def _run_batch(config: ApplicationConfig, folder: Path) -> Batch:
    """Let the batch half do the samples in ``folder/source``."""
    run = RunConfig(
        # What both are told, under the names that both have.
        **{name: getattr(config, name) for name in WorkloadConfig.model_fields},
        run_id="example",
        collection="example",
        source=str(folder / "source"),
        store=str(folder / "store"),
        batch_timeout=config.start_seconds,
    )
    (folder / "config.json").write_text(run.model_dump_json())
    out = folder / "out.arrow"
    with _process(folder / "config.json", out) as process:
        try:
            # It has deadlines of its own, for each thing that it does.
            process.wait(4 * config.start_seconds)
        except subprocess.TimeoutExpired:
            fault = Fault(f"it did not end within {4 * config.start_seconds:g} s")
            return _ended(run, fault)
    if not out.exists():
        return _ended(run, Fault(f"its process died: exit code {process.returncode}"))
    with pa.OSFile(str(out)) as file:
        table = pa.ipc.open_stream(file).read_all()
    told = table.filter(pc.is_valid(table.column(NOTE))).column(NOTE).to_pylist()
    failures = [note for note in map(notes.load, told) if isinstance(note, Failure)]
    fatal = next((failure for failure in failures if failure.fatal), None)
    if fatal is not None:
        return _ended(run, Fault(fatal.error, fatal.location))
    letters = tuple(failure.dead_letter() for failure in failures)
    rows = table.filter(pc.is_null(table.column(NOTE)))
    return _ended(run, None, tuple(_documents(rows, run.manifest)), letters)


@contextmanager
def _process(config: Path, out: Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-u", "-P", "-m", "extractor_runtime.batch.example"]
    arguments = ["--config", str(config), "--out", str(out), "--parent", str(os.getpid())]
    # Of the cluster that this process belongs to, it is to know nothing. Should it start a Ray of its own,
    # that must not leave a token in the home folder: this pod's next Ray would take it for the cluster's.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    process = subprocess.Popen([*command, *arguments], env=environment, stdin=subprocess.DEVNULL)
    with process:
        try:
            yield process
        finally:
            process.kill()


def _ended(
    run: RunConfig,
    fault: Fault | None,
    documents: tuple[Document, ...] = (),
    letters: tuple[DeadLetter, ...] = (),
) -> Batch:
    now = datetime.now(UTC)
    phase = RunPhase.FAILED if fault else RunPhase.COMPLETED
    state = RunState(run_id=run.run_id, phase=phase, started=now, updated=now)
    return Batch(state=state, documents=documents, dead_letters=letters, fault=fault)


def _documents(rows: pa.Table, manifest: Manifest) -> Iterator[Document]:
    names = [feature.name for feature in manifest.vectors]
    for row in rows.to_pylist():
        vectors = {name: np.asarray(row[name], np.float32) for name in names if row[name] is not None}
        yield Document(row["document_id"], row["object_id"], vectors, orjson.loads(row["document"]))
