"""Scan an archive: start a disposable worker, wait for it, and believe nothing but a complete answer.

A scan has no third outcome: a worker that crashes, is killed, takes too long or prints something else
rejects.
"""

import contextlib
import hashlib
import json
import math
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from extractor_apis.errors import ExtractorError
from extractor_apis.manifest import JsonObject, Manifest
from extractor_apis.meta import Struct
from extractor_apis.scan import Finding, ScanPolicy, ScanReport, Severity, Verdict
from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import shown
from extractor_sandbox.rules import RULES, RULESET

WORKER = (sys.executable, "-I", "-W", "ignore", "-m", "extractor_sandbox.worker")

_STRICT = ScanPolicy()
_ANSWER_BYTES = 8 << 20
_ERROR_BYTES = 4 << 10
_FIELD_NAMES = {"name": "feature_extractor_name", "vectors": "features", "attributes": "features"}


class ScanError(ExtractorError):
    """A scan that could not be started or finished, for a reason that is not in the archive."""


class _Outcome(Struct):
    """The worker's last line; it is there whole, or not at all."""

    findings: tuple[Finding, ...]
    names: JsonObject | None
    lines: dict[str, int]
    top_folder: str | None
    files: int
    size: int
    python: str

    @property
    def rejects(self) -> bool:
        """Tell whether a finding rejects the archive."""
        return any(finding.severity is Severity.REJECT for finding in self.findings)


def scan(
    archive: Path,
    *,
    into: Path,
    timeout: float = 120.0,
    policy: ScanPolicy = _STRICT,
    worker: Sequence[str] = WORKER,
) -> ScanReport:
    """Judge an archive; if it is accepted, leave its canonical form at ``into``, else nothing.

    Takes ``timeout`` seconds at most. ``worker`` is the command of the disposable
    process. Raises ScanError if the archive cannot be read or ``into`` cannot be written.
    """
    started = time.monotonic()
    with _open_archive(archive) as source, _reserve(into) as (canonical, written):
        options: dict[str, object] = {
            "seconds": timeout,
            "allowed_dependencies": sorted(policy.allowed_dependencies),
        }
        source_digest, outcome = _run(worker, options, source, canonical, into.parent, started + timeout)
        manifest, unfit = _make_manifest(outcome)
        accepted = manifest is not None and not outcome.rejects
        artifact_digest = _digest(canonical, math.inf) if accepted else None
        if accepted:
            os.replace(written, into)
    return ScanReport(
        verdict=Verdict.ACCEPT if accepted else Verdict.REJECT,
        findings=outcome.findings + unfit,
        source_digest=source_digest,
        artifact_digest=artifact_digest,
        top_folder=outcome.top_folder,
        manifest=manifest,
        files=outcome.files,
        size=outcome.size,
        python=outcome.python,
        ruleset=RULESET,
        seconds=round(time.monotonic() - started, 3),
    )


@contextlib.contextmanager
def _open_archive(path: Path) -> Iterator[int]:
    try:
        # Not blocking, or a named pipe would hold the scan up before it can be told that it is none.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as err:
        raise ScanError(f"cannot read the archive {path}: {err.strerror}") from err
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ScanError(f"{path} is no file: name an archive, zip or tar.gz")
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _reserve(into: Path) -> Iterator[tuple[int, str]]:
    """Open a file beside ``into``, to be renamed to it; whatever else happens, neither is left."""
    try:
        into.unlink(missing_ok=True)
        descriptor, written = tempfile.mkstemp(dir=into.parent, prefix=f".{into.name}.")
    except OSError as err:
        raise ScanError(f"cannot write the scanned archive to {into}: {err.strerror}") from err
    try:
        yield descriptor, written
    finally:
        os.close(descriptor)
        Path(written).unlink(missing_ok=True)


def _run(
    worker: Sequence[str],
    options: dict[str, object],
    source: int,
    canonical: int,
    folder: Path,
    deadline: float,
) -> tuple[str, _Outcome]:
    """Start the worker, and hash the archive while it works."""
    with contextlib.ExitStack() as stack:
        temporary = (stack.enter_context(tempfile.TemporaryFile(dir=folder)) for _ in range(3))
        scratch, answer, errors = (file.fileno() for file in temporary)
        files = {"canonical": canonical, "scratch": scratch}
        with subprocess.Popen(
            [*worker, json.dumps(options | files)],
            stdin=source,
            stdout=answer,
            stderr=errors,
            env={},
            cwd="/",
            pass_fds=tuple(files.values()),
        ) as process:
            try:
                source_digest = _digest(source, deadline)
                process.wait(deadline - time.monotonic())
                end = None
            except subprocess.TimeoutExpired:
                end = "it took too long"
            finally:
                process.kill()
        return source_digest, _read_answer(end or _describe_end(process.returncode, errors), answer)


def _describe_end(status: int, errors: int) -> str | None:
    """Say how the worker ended if it did not end well."""
    if status == 0:
        return None
    if status < 0:
        return f"it was killed by signal {-status} ({signal.strsignal(-status)})"
    start = max(0, os.fstat(errors).st_size - _ERROR_BYTES)
    tail = os.pread(errors, _ERROR_BYTES, start).decode(errors="replace")
    last = (tail.strip().splitlines() or ["it said nothing"])[-1]
    return f"it failed with status {status}: {ascii(last)[1:-1][:200]}"


def _read_answer(end: str | None, answer: int) -> _Outcome:
    """Read the worker's lines; what is no outcome becomes a finding."""
    lines = os.pread(answer, _ANSWER_BYTES, 0).splitlines()
    path = None
    try:
        for line in lines:
            said = json.loads(line)
            path = said.get("reading", path)
            if end is None and "outcome" in said:
                outcome = _Outcome.model_validate(said["outcome"])
                if outcome.rejects or outcome.names is not None:
                    return outcome
    except (ValueError, AttributeError, RecursionError):
        end = end or "it said what cannot be understood"
    finding = Finding(
        rule="X01",
        severity=Severity.REJECT,
        message=f"the scan came to no verdict: {end or 'it ended without an outcome'}",
        path=path if isinstance(path, str) else None,
        advice=RULES["X01"].advice,
    )
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return _Outcome(
        findings=(finding,), names=None, lines={}, top_folder=None, files=0, size=0, python=python
    )


def _make_manifest(outcome: _Outcome) -> tuple[Manifest | None, tuple[Finding, ...]]:
    """Make one model of the manifest's fields; those that do not fit become findings with their lines."""
    if outcome.names is None:
        return None, ()
    try:
        return Manifest.from_names(outcome.names), ()
    except ValidationError as err:
        return None, tuple(_describe_unfit(error, outcome.lines) for error in err.errors(include_url=False))


def _describe_unfit(error: ErrorDetails, lines: dict[str, int]) -> Finding:
    field, *rest = (shown(str(part)) for part in error["loc"])
    name = _FIELD_NAMES.get(field, field)
    return Finding(
        rule="M07",
        severity=Severity.REJECT,
        message=f"`{'.'.join([name, *rest])}`: {error['msg']}",
        path="manifest.py",
        line=lines.get(name),
        advice=RULES["M07"].advice,
    )


def _digest(descriptor: int, deadline: float) -> str:
    digest = hashlib.sha256()
    for piece in Extent(descriptor, 0, os.fstat(descriptor).st_size).pieces():
        if time.monotonic() > deadline:
            raise ScanError(
                "the archive could not be hashed in time: scan a local copy, or allow more seconds"
            )
        digest.update(piece)
    return f"sha256:{digest.hexdigest()}"
