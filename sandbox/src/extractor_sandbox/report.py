"""Scan an archive: start a disposable worker, wait for it, and believe nothing but a complete answer.

A scan has no third outcome: a worker that crashes, is killed, takes too long or prints something else
rejects.
"""

import contextlib
import errno
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from extractor_apis.scan import ScanPolicy, ScanReport, Verdict
from extractor_sandbox import launcher, strictness
from extractor_sandbox import outcome as outcomes
from extractor_sandbox.cache import ARCHIVE_BYTES, Cache, Record
from extractor_sandbox.delivery import Delivery, reserve
from extractor_sandbox.digest import digest
from extractor_sandbox.opinions import panel
from extractor_sandbox.outcome import Outcome, ScanError
from extractor_sandbox.rules import RULESET

WORKER = (sys.executable, "-I", "-W", "ignore", "-m", "extractor_sandbox.worker")

_STRICT = ScanPolicy()
_CREW_BYTES = 64 << 10
_MOST_PROCESSES = 8
_SCARCE = {
    errno.EMFILE: "this process has too many files open; raise its limit (`ulimit -n`)",
    errno.ENFILE: "the machine has too many files open; end what holds them, or raise `fs.file-max`",
    errno.ENOSPC: "the disk of {folder} is full; make room there",
    errno.EDQUOT: "the quota of {folder} is used up; make room there",
    errno.ENOMEM: "no memory is left; free some, or scan fewer at a time",
    errno.EAGAIN: "no more processes may be started; end some, or raise their limit (`ulimit -u`)",
}


def scan(
    archive: Path,
    *,
    into: Path,
    timeout: float = 120.0,
    policy: ScanPolicy = _STRICT,
    advisories: Path | None = None,
    cache: Path | None = None,
    worker: launcher.Program = WORKER,
) -> ScanReport:
    """Judge an archive; if it is accepted, leave its canonical form at ``into``, else nothing.

    Takes ``timeout`` seconds at most. ``advisories`` is a zip of OSV records, for a policy that asks for
    that opinion. ``cache`` is a folder of the archive's owner, where verdicts are kept for the next scan.
    ``worker`` is the program of the disposable process. Raises OpinionError if an opinion cannot be asked
    for, and ScanError if the archive cannot be read, ``into`` cannot be written, or the machine has no more
    of what a scan needs.
    """
    started = time.monotonic()
    with (
        _explained(into.parent),
        panel.convene(policy.opinions, advisories) as opinions,
        _open_archive(archive) as source,
        _reserve(into) as delivery,
    ):
        remembered = _open_cache(cache)
        kept = _recall(remembered, source, policy, delivery)
        if kept:
            source_digest, outcome = kept
        else:
            source_digest, outcome = _run(worker, source, delivery, policy, remembered, into.parent, timeout)
        manifest, unfit = outcomes.make_manifest(outcome)
        findings = strictness.weigh(outcome.findings + unfit, policy)
        if manifest is not None and not outcomes.reject(findings):
            findings = opinions.ask(
                delivery.reader,
                manifest.dependencies,
                known=findings,
                folder=into.parent,
                deadline=started + timeout,
            )
        accepted = manifest is not None and not outcomes.reject(findings)
        artifact_digest = delivery.deliver(into) if accepted else None
        if remembered and artifact_digest and not kept:
            record = Record(outcome=outcome.model_dump(mode="json"), artifact_digest=artifact_digest)
            with contextlib.suppress(OSError):  # A full disk costs the next scan time, and nothing else.
                remembered.keep(source_digest, policy, record, delivery.reader)
    return ScanReport(
        verdict=Verdict.ACCEPT if accepted else Verdict.REJECT,
        findings=findings,
        source_digest=source_digest,
        artifact_digest=artifact_digest,
        top_folder=outcome.top_folder,
        manifest=manifest,
        files=outcome.files,
        size=outcome.size,
        python=outcome.python,
        ruleset=RULESET,
        strictness=policy.strictness,
        confinement=outcome.confinement,
        seconds=round(time.monotonic() - started, 3),
    )


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as err:
        what = _SCARCE.get(err.errno or 0, "{error}; check the machine, and try again")
        said = what.format(folder=folder, error=err.strerror)
        raise ScanError(f"the archive was not scanned: {said}") from err


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


def _open_cache(folder: Path | None) -> Cache | None:
    try:
        return Cache(folder) if folder else None
    except OSError as err:
        raise ScanError(f"cannot keep verdicts in {folder}: {err.strerror}") from err


def _recall(
    cache: Cache | None, source: int, policy: ScanPolicy, delivery: Delivery
) -> tuple[str, Outcome] | None:
    """Find the outcome of an archive that was accepted before, and deliver what was delivered then."""
    if cache is None or os.fstat(source).st_size > ARCHIVE_BYTES:
        return None
    source_digest = digest(source)
    found = cache.find(source_digest, policy)
    if found:
        record, canonical = found
        with contextlib.suppress(ValidationError):
            outcome = Outcome.model_validate(record.outcome)
            if delivery.fill(canonical, record.artifact_digest):
                return source_digest, outcome
    return None


def _run(
    worker: launcher.Program,
    source: int,
    delivery: Delivery,
    policy: ScanPolicy,
    cache: Cache | None,
    folder: Path,
    timeout: float,
) -> tuple[str, Outcome]:
    """Have a worker judge the archive, and hash both archives meanwhile."""
    options = {
        "allowed_dependencies": sorted(policy.allowed_dependencies),
        "require_landlock": policy.require_landlock,
        "crew": _count_crew(source),
    }
    files = {"canonical": delivery.writer, "reader": delivery.reader}
    with contextlib.ExitStack() as stack:
        files["scratch"] = stack.enter_context(tempfile.TemporaryFile(dir=folder)).fileno()
        if cache:
            files["known"] = stack.enter_context(cache.verdicts()).fileno()
            files["learned"] = stack.enter_context(tempfile.TemporaryFile(dir=folder)).fileno()
        question = stack.enter_context(
            launcher.ask(worker, options, stdin=source, files=files, folder=folder, seconds=timeout)
        )
        delivery.hand_over()
        try:
            source_digest = digest(source, question.deadline)
            delivery.hash_early(question)
        except TimeoutError as err:
            raise ScanError(
                "the archive could not be hashed in time: scan a local copy, or allow more seconds"
            ) from err
        outcome = outcomes.read(*question.answer())
        if cache and outcome.is_complete:
            with contextlib.suppress(OSError):
                cache.learn(files["learned"])
        return source_digest, outcome


@contextlib.contextmanager
def _reserve(into: Path) -> Iterator[Delivery]:
    with contextlib.ExitStack() as stack:
        try:
            reserved = stack.enter_context(reserve(into))
        except OSError as err:
            raise ScanError(f"cannot write the scanned archive to {into}: {err.strerror}") from err
        yield reserved


def _count_crew(source: int) -> int:
    """Say how many processes are worth their start beside the worker: none for a small archive."""
    if os.fstat(source).st_size < _CREW_BYTES or not hasattr(os, "sched_getaffinity"):
        return 0
    return min(len(os.sched_getaffinity(0)), _MOST_PROCESSES) - 1
