"""A version's source, fetched as its namespace may: with its own Secrets, from where the settings allow."""

from pathlib import Path

from extractor_apis.extractorversion import ExtractorVersion, SourceStatus
from extractor_artifacts import sources
from extractor_artifacts.patience import Patience
from extractor_operator import secrets
from extractor_operator.context import Context
from extractor_operator.errors import Retrying, Stalled

_DOCKER_CONFIG = ".dockerconfigjson"
_ATTEMPTS = 3
"""Of one fetch; the work queue tries again for as long as it takes."""


async def fetch(version: ExtractorVersion, into: Path, ctx: Context) -> SourceStatus:
    """Fetch a version's archive, and say what it is. Raises Stalled, or Retrying where time may heal it."""
    wanted, known = version.spec.source, version.status.source
    source = wanted.zip or wanted.oci
    assert source is not None, "the API server takes no version without a source"
    access = await _access(version, ctx)
    try:
        fetched = await ctx.in_thread(
            sources.fetch_source, source, into, access=access, pinned=known.resolved if known else None
        )
    except sources.SourceError as err:
        raise (Retrying if err.is_transient else Stalled)(err.reason, str(err)) from err
    return SourceStatus(
        digest=fetched.digest, size=fetched.size, resolved=fetched.resolved, moved_to=fetched.moved_to
    )


def addresses(ctx: Context) -> sources.AddressPolicy:
    """Say where tenants' URLs may lead."""
    limits = ctx.settings.sources
    return sources.AddressPolicy(limits.allowed_addresses, limits.allowed_hosts)


async def _access(version: ExtractorVersion, ctx: Context) -> sources.Access:
    limits = ctx.settings.sources
    return sources.Access(
        addresses(ctx),
        await _credentials(version, ctx),
        Patience(total=limits.seconds, attempts=_ATTEMPTS),
        limits.max_bytes,
    )


async def _credentials(version: ExtractorVersion, ctx: Context) -> sources.Credentials:
    source, namespace = version.spec.source, version.metadata.namespace
    if source.zip and source.zip.secret_ref:
        return sources.Credentials(await secrets.read(ctx.client, namespace, source.zip.secret_ref.name))
    named = source.oci.pull_secrets if source.oci else ()
    found = [await secrets.read(ctx.client, namespace, each.name) for each in named]
    return sources.Credentials(pull_secrets=tuple(each.get(_DOCKER_CONFIG, b"") for each in found))
