"""What it takes to make a version runnable: the steps, in order.

Each looks first whether what it is for is there already, and does nothing then; it is safe to call twice,
and to be killed in. It returns what its condition says, or None where nobody asked for it.
"""

import contextlib
import datetime
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from extractor_apis import naming
from extractor_apis.conditions import ConditionType, Outcome, Reason, Stage
from extractor_apis.errors import ExtractorError
from extractor_apis.extractorversion import (
    ArtifactStatus,
    ExtractorVersion,
    FeatureStatus,
    ScanStatus,
    SourceStatus,
)
from extractor_apis.manifest import Manifest
from extractor_apis.resource import ConditionStatus
from extractor_apis.scan import ScanReport
from extractor_artifacts import Artifact, ArtifactError
from extractor_operator.context import Context
from extractor_operator.errors import Retrying, Stalled, Waiting
from extractor_operator.versions import (
    delivery,
    environment,
    image,
    scan_job,
    scan_patience,
    signature,
    source,
    status,
)
from extractor_operator.versions.status import Draft


@dataclass
class Work:
    """One reconcile of one version."""

    version: ExtractorVersion
    draft: Draft
    folder: Path
    """Its own, and gone afterwards."""
    now: datetime.datetime
    kept: Artifact | None = None
    """What is stored of it; nothing is fetched or scanned again then."""
    sent: scan_job.Sent | None = None
    """The scan that a Job is at, or has ended; nothing is fetched or verified again then."""
    report: ScanReport | None = None

    @property
    def archive(self) -> Path:
        """Where the source's bytes are."""
        return self.folder / "source"

    @property
    def canonical(self) -> Path:
        """Where the scan puts what it accepts."""
        return self.folder / "canonical.zip"

    @property
    def fetched(self) -> SourceStatus:
        """Give what was fetched; only steps after it may ask."""
        if self.draft.source is None:
            raise RuntimeError(f"the source of {self.version.metadata.name} was not fetched")
        return self.draft.source

    @property
    def accepted(self) -> tuple[ScanReport, Manifest]:
        """Give what the scan accepted; only steps after it may ask."""
        report = self.kept.report if self.kept else self.report
        if report is None or report.manifest is None:
            raise RuntimeError(f"the accepted scan of {self.version.metadata.name} has no manifest")
        return report, report.manifest


@dataclass(frozen=True)
class Step:
    """A stage of the way to Ready."""

    condition: ConditionType
    ensure: Callable[[Work, Context], Awaitable[str | None]]
    doing: str
    """What people read while it takes long."""


async def find_kept(work: Work, ctx: Context) -> None:
    """See whether an earlier reconcile came to the end, and whether its result still counts."""
    known = work.version.status
    policy = ctx.settings.policy(work.version.metadata.namespace).fingerprint
    if known.source and known.artifact and known.scan and known.artifact.policy == policy:
        # An artifact that is not there, or damaged, is made again.
        with contextlib.suppress(ArtifactError):
            work.kept = await ctx.in_thread(ctx.artifacts.get, known.artifact.digest)
    if not work.kept and ctx.scans_in_jobs:
        work.sent = await scan_job.find(work.version, ctx)


async def ensure_fetched(work: Work, ctx: Context) -> str | None:
    """Have the source's bytes here, and pin what they are."""
    # What was pinned stays so, whatever becomes of this fetch.
    work.draft.source = work.version.status.source
    if work.sent:
        work.draft.source = work.sent.about.source
    elif not work.kept:
        started = time.monotonic()
        work.draft.source = await source.fetch(work.version, work.archive, ctx)
        ctx.metrics.fetch_seconds.observe(time.monotonic() - started)
        ctx.metrics.artifact_bytes.observe(work.fetched.size)
    return f"{work.fetched.size} bytes, {work.fetched.digest}"


async def ensure_verified(work: Work, ctx: Context) -> str | None:
    """Know that somebody signed the bytes whom the version or the operator's settings name."""
    known = work.version.status.signer if work.kept else work.sent and work.sent.about.signer
    signer = work.draft.signer = known or await signature.verify(work.version, work.fetched, ctx)
    return signer and f"signed by {signer}"


async def ensure_scanned(work: Work, ctx: Context) -> str | None:
    """Have the scan's word that the archive may run."""
    if work.kept:
        work.draft.scan = work.version.status.scan
        return "the scan accepts it"
    try:
        report = work.report = await _scan(work, ctx)
    except Retrying as err:
        raise scan_patience.judge(err, work.version.status.conditions, work.now) from err
    for finding in report.findings:
        ctx.metrics.findings.labels(finding.rule, finding.severity).inc()
    work.draft.scan = status.scan_status(report)
    if not report.accepted:
        raise Stalled(Reason.SCAN_REJECTED, _rejection(work.draft.scan))
    return "the scan accepts it"


async def _scan(work: Work, ctx: Context) -> ScanReport:
    if not ctx.scans_in_jobs:
        policy = ctx.settings.policy(work.version.metadata.namespace).scan
        return await ctx.scanner.scan(work.archive, policy, into=work.canonical)
    sent = work.sent or await scan_job.send(work.version, work.archive, work.fetched, work.draft.signer, ctx)
    return await scan_job.scan(work.version, sent, ctx, into=work.canonical)


async def ensure_stored(work: Work, ctx: Context) -> str | None:
    """Keep what the scan accepted, if it is what the object says that it is."""
    report, manifest = work.accepted
    spec = work.version.spec
    if (naming.object_name(manifest.name), manifest.version) != (spec.extractor, spec.version):
        raise Stalled(
            Reason.NAME_MISMATCH,
            f"the archive's manifest says {manifest.name} {manifest.version}, the object "
            f"{spec.extractor} {spec.version}: name the object "
            f"{naming.version_object_name(manifest.name, manifest.version)}, or change the manifest",
        )
    stored = work.version.status.artifact if work.kept else None
    if stored is None:
        size = work.canonical.stat().st_size
        kept = await ctx.in_thread(ctx.artifacts.put, work.canonical, report)
        policy = ctx.settings.policy(work.version.metadata.namespace).fingerprint
        stored = ArtifactStatus(digest=kept.digest, size=size, policy=policy)
        await ctx.in_thread(scan_job.unload, work.version, ctx)
    if ctx.settings.cluster:
        await delivery.ensure(work.version, ctx)
    work.draft.artifact = stored
    work.draft.features = tuple(
        FeatureStatus(
            uri=str(naming.FeatureURI(manifest.name, manifest.version, vector.name)),
            dimensions=vector.dimensions,
            distance=vector.distance,
        )
        for vector in manifest.vectors
    )
    return f"stored as {stored.digest}"


async def ensure_environment(work: Work, ctx: Context) -> str | None:
    """Have what the code runs in: an image that is allowed, and its dependencies installed."""
    _, manifest = work.accepted
    chosen = await image.resolve(work.version, manifest, ctx)
    made = await environment.ensure(work.version, manifest, chosen, ctx)
    work.draft.environment = made.model_copy(update={"image": chosen})
    if made.key is None:
        return "it has no dependencies of its own"
    return f"{made.packages} distributions, {made.size} bytes"


STEPS: tuple[Step, ...] = (
    Step(ConditionType.FETCHED, ensure_fetched, "fetching the source"),
    Step(ConditionType.VERIFIED, ensure_verified, "looking for a signature"),
    Step(ConditionType.SCANNED, ensure_scanned, "scanning the archive"),
    Step(ConditionType.STORED, ensure_stored, "storing the archive"),
    Step(ConditionType.ENVIRONMENT, ensure_environment, "preparing the dependencies"),
)


async def reconcile(
    version: ExtractorVersion,
    draft: Draft,
    ctx: Context,
    steps: tuple[Step, ...],
    now: datetime.datetime,
) -> Outcome:
    """Bring a version to Ready, as far as it goes now. Raises what `errors` names, and bugs."""
    with _folder(ctx.work / version.metadata.uid) as folder:
        work = Work(version, draft, folder, now)
        await find_kept(work, ctx)
        for step in steps:
            draft.doing = step.doing
            try:
                said = await step.ensure(work, ctx)
            except Exception as err:
                draft.stages.append(_failed(step, err))
                raise
            if said:
                draft.stages.append(Stage(step.condition, ConditionStatus.TRUE, Reason.SUCCEEDED, said))
    return Outcome(tuple(draft.stages))


@contextlib.contextmanager
def _folder(path: Path) -> Iterator[Path]:
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _failed(step: Step, err: Exception) -> Stage:
    match err:
        case Waiting():
            return Stage(step.condition, ConditionStatus.UNKNOWN, err.reason, str(err))
        case Stalled() | Retrying():
            return Stage(step.condition, ConditionStatus.FALSE, err.reason, str(err))
        case ExtractorError():
            return Stage(step.condition, ConditionStatus.UNKNOWN, Reason.RETRYING, str(err))
        case _:
            # Nobody has made sure that it shows no secret.
            said = f"{step.doing} failed; trying again"
            return Stage(step.condition, ConditionStatus.UNKNOWN, Reason.RETRYING, said)


def _rejection(scan: ScanStatus) -> str:
    first, *others = [
        f"{finding.rule} {finding.path or ''}{f':{finding.line}' if finding.line else ''}: {finding.message}"
        for finding in scan.findings[: min(3, scan.rejected)]
    ] or ["no finding says why"]
    more = f" (and {scan.rejected - 1 - len(others)} more)" if scan.rejected > 1 + len(others) else ""
    said = "; ".join([first, *others])
    return f"the scan rejects the archive: {said}{more}. Mend it, run `extractor lint`, push another"
