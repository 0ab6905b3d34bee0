"""The scan as a Job, in the operator's own namespace, where no tenant can say what a scan says.

What it is sent for is remembered with the source, so that nothing is fetched or verified again while it is at
work; and what it said stays for as long as the version, so that nothing is scanned again after a restart.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import pydantic

from extractor_apis import naming
from extractor_apis.conditions import Reason
from extractor_apis.extractorversion import ExtractorVersion, SourceStatus
from extractor_apis.meta import Struct
from extractor_apis.scan import ScanReport
from extractor_apis.settings import Settings
from extractor_artifacts import ArtifactStore, digest
from extractor_operator.context import Context
from extractor_operator.endpoint import exchange
from extractor_operator.endpoint.capability import Capabilities, Verb
from extractor_operator.endpoint.errands import Errand
from extractor_operator.errors import Retrying
from extractor_operator.versions import job, job_at_work, scan_in_pod
from extractor_operator.versions.job import Job

_ABOUT = "about.json"
_ABOUT_BYTES = 64 << 10
_SCAN_SECONDS = 120.0
_SECONDS = 900
"""For fetching, scanning and handing in."""
_MEMORY = "2Gi"
_MORE_DISK = 2 << 30
"""Beside the source: the canonical archive, and what is unpacked to be read."""


class About(Struct):
    """What is known of a source when it is sent to be scanned."""

    source: SourceStatus
    signer: str | None
    advisories: str | None
    """Digest of the advisories that go along."""


@dataclass(frozen=True)
class Sent:
    """A scan that somebody was sent for."""

    errand: Errand
    about: About


async def find(version: ExtractorVersion, ctx: Context) -> Sent | None:
    """Find the scan that was sent for before; None if there is none, or it is not what is wanted now."""
    errand = await ctx.in_thread(ctx.errands.find, version.metadata.uid, Verb.SCAN)
    about = errand.file(_ABOUT) if errand and errand.name == _name(version, ctx) else None
    if errand is None or about is None:
        return None
    try:
        with about.open("rb") as file:
            return Sent(errand, About.model_validate_json(file.read(_ABOUT_BYTES)))
    except pydantic.ValidationError:
        # Another version of us has written it.
        await ctx.in_thread(ctx.errands.close, version.metadata.uid, Verb.SCAN)
        return None


async def send(
    version: ExtractorVersion, archive: Path, source: SourceStatus, signer: str | None, ctx: Context
) -> Sent:
    """Remember what is to be scanned, before anybody is sent."""
    opinions = ctx.settings.policy(version.metadata.namespace).scan.opinions
    advisories = ctx.settings.advisories if opinions else None
    about = About(
        source=source,
        signer=signer,
        advisories=await ctx.in_thread(digest.of_file, advisories) if advisories else None,
    )
    files: dict[str, Path | bytes] = {_ABOUT: about.model_dump_json().encode(), exchange.SOURCE: archive}
    if advisories:
        files[exchange.ADVISORIES] = advisories
    name = _name(version, ctx)
    return Sent(await ctx.in_thread(ctx.errands.open, version.metadata.uid, Verb.SCAN, name, files), about)


async def scan(version: ExtractorVersion, sent: Sent, ctx: Context, *, into: Path) -> ScanReport:
    """Give what the scan said; what it accepted is at ``into`` then.

    Raises Waiting while it is at work, and Retrying if it comes to no verdict.
    """
    errand, wanted = sent.errand, describe(version, sent, ctx.settings, ctx.capabilities)
    if errand.file(exchange.SCAN_REPORT) is None:
        await job_at_work.ensure(wanted, Reason.SCAN_FAILED, ctx)
    try:
        return await ctx.in_thread(_read, errand, sent.about, ctx.artifacts, into)
    except (OSError, pydantic.ValidationError, ValueError) as err:
        await job_at_work.remove(wanted, ctx)
        await ctx.in_thread(ctx.errands.close, version.metadata.uid, Verb.SCAN)
        said = "the scan came to no verdict: its Job ended, and what it handed in is not complete"
        raise Retrying(Reason.SCAN_FAILED, said) from err


def unload(version: ExtractorVersion, ctx: Context) -> None:
    """Let go of the bytes, which are stored by now; what was said stays for who comes after us."""
    errand = ctx.errands.find(version.metadata.uid, Verb.SCAN)
    if errand:
        errand.drop(exchange.SOURCE, exchange.ADVISORIES, exchange.CANONICAL)


def describe(version: ExtractorVersion, sent: Sent, settings: Settings, capabilities: Capabilities) -> Job:
    """Describe the Job; the same scan always has the same one."""
    cluster, metadata, source = settings.cluster, version.metadata, sent.about.source
    assert cluster is not None and cluster.scan_image is not None, "only asked where scans are Jobs"
    order = scan_in_pod.Order(
        url=f"{cluster.endpoint.rstrip('/')}/v1/{metadata.namespace}/{metadata.uid}",
        authority=cluster.endpoint_authority,
        digest=source.digest,
        size=source.size,
        policy=settings.policy(metadata.namespace).scan,
        advisories=sent.about.advisories,
        seconds=_SCAN_SECONDS,
    )
    token = capabilities.token(metadata.namespace, metadata.uid, Verb.SCAN, sent.errand.name)
    return Job(
        kind="scan",
        name=f"scan-{naming.stable_hash(metadata.uid, sent.errand.name)[:24]}",
        namespace=cluster.namespace,
        image=cluster.scan_image,
        command=job.command("extractor_operator.versions.scan_in_pod"),
        config=order.model_dump_json(),
        secret={job.TOKEN: token},
        seconds=_SECONDS,
        memory=_MEMORY,
        disk=str(source.size + _MORE_DISK),
        version=version,
    )


def _name(version: ExtractorVersion, ctx: Context) -> str:
    """Name a scan by everything that its outcome depends on but the source, which a version never changes."""
    asked = version.metadata.annotations.get(naming.REQUESTED_AT, "")
    policy = ctx.settings.policy(version.metadata.namespace).fingerprint
    return naming.stable_hash(policy, asked, ctx.cluster.scan_image or "")[:16]


def _read(errand: Errand, about: About, artifacts: ArtifactStore, into: Path) -> ScanReport:
    with (errand.folder / exchange.SCAN_REPORT).open("rb") as file:
        report = ScanReport.model_validate_json(file.read(exchange.WANTED[exchange.SCAN_REPORT].max_bytes))
    if report.source_digest != about.source.digest:
        raise ValueError("it is of another source")
    if report.artifact_digest is not None:
        # Whoever died after storing it left it only there.
        canonical = errand.file(exchange.CANONICAL) or artifacts.archive(report.artifact_digest)
        if canonical is None:
            raise FileNotFoundError("what it accepted was not handed in")
        os.link(canonical, into)
    return report
