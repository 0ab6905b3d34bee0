"""A version's source, fetched as its namespace may: with its own Secrets, from where the settings allow."""

from pathlib import Path

from extractor_apis import naming
from extractor_apis.conditions import Reason
from extractor_apis.extractorversion import ExtractorVersion, SourceStatus
from extractor_artifacts import sources
from extractor_artifacts.patience import Patience
from extractor_operator import secrets
from extractor_operator.context import Context
from extractor_operator.errors import Retrying, Stalled

_AGAIN = f"; when that is done, annotate the object with {naming.REQUESTED_AT}"
_MENDED_ELSEWHERE = frozenset({Reason.NOT_FOUND, Reason.AUTHENTICATION_FAILED})
"""What a person mends without touching the object, so that nobody tells us."""
_ATTEMPTS = 3
"""Of one fetch; the work queue tries again for as long as it takes."""


async def fetch(version: ExtractorVersion, into: Path, ctx: Context) -> SourceStatus:
    """Fetch a version's archive, and say what it is. Raises Stalled, or Retrying where time may heal it."""
    wanted, known = version.spec.source, version.status.source
    source = wanted.zip or wanted.oci
    assert source is not None, "the API server takes no version without a source"
    allowed = await access(version, ctx)
    try:
        fetched = await ctx.in_thread(
            sources.fetch_source, source, into, access=allowed, pinned=known.resolved if known else None
        )
    except sources.SourceError as err:
        raise judge(err) from err
    return SourceStatus(
        digest=fetched.digest, size=fetched.size, resolved=fetched.resolved, moved_to=fetched.moved_to
    )


def judge(err: sources.SourceError) -> Retrying | Stalled:
    """Say what an error of a source, or of a registry, means for the version."""
    if err.is_transient:
        return Retrying(err.reason, str(err))
    return Stalled(err.reason, f"{err}{_AGAIN if err.reason in _MENDED_ELSEWHERE else ''}")


def addresses(ctx: Context) -> sources.AddressPolicy:
    """Say where tenants' URLs may lead."""
    limits = ctx.settings.sources
    return sources.AddressPolicy(limits.allowed_addresses, limits.allowed_hosts)


async def access(version: ExtractorVersion, ctx: Context) -> sources.Access:
    """Say in whose name a version's source is read, and what lies beside it."""
    limits = ctx.settings.sources
    return sources.Access(
        addresses(ctx),
        await _credentials(version, ctx),
        Patience(total=limits.seconds, attempts=_ATTEMPTS),
        limits.max_bytes,
        ctx.blobs(version.metadata.namespace),
    )


async def _credentials(version: ExtractorVersion, ctx: Context) -> sources.Credentials:
    source, namespace = version.spec.source, version.metadata.namespace
    if source.zip and source.zip.secret_ref:
        return sources.Credentials(await secrets.read(ctx.client, namespace, source.zip.secret_ref.name))
    return await secrets.pull_secrets(ctx.client, namespace, source.oci.pull_secrets if source.oci else ())
