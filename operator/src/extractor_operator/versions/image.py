"""The container image that a version runs in: from a place that the settings allow, and named by its digest.

Code always comes from the scanned archive; an image only says what it runs in.
"""

from extractor_apis.conditions import Reason
from extractor_apis.extractorversion import ExtractorVersion
from extractor_apis.manifest import Manifest
from extractor_artifacts import digest, registry, session, sources
from extractor_artifacts.patience import Patience
from extractor_operator import secrets
from extractor_operator.context import Context
from extractor_operator.errors import Stalled
from extractor_operator.versions import source

_PATIENCE = Patience(total=60.0, attempts=3)


async def resolve(version: ExtractorVersion, manifest: Manifest, ctx: Context) -> str | None:
    """Give the image with its digest; None where the platform's own will do. A tag is resolved once."""
    wanted = version.spec.image or manifest.container_image
    if wanted is None:
        return None
    _check(wanted, version.metadata.namespace, ctx)
    known = version.status.environment and version.status.environment.image
    if known and known.startswith(f"{wanted}@"):
        return known
    try:
        reference = registry.parse(f"oci://{wanted}")
        if reference.digest:
            return wanted
        credentials = await secrets.pull_secrets(
            ctx.client, version.metadata.namespace, version.spec.image_pull_secrets
        )
        found = await ctx.in_thread(_ask, reference, credentials, source.addresses(ctx))
    except sources.SourceRefused as err:
        raise Stalled(Reason.IMAGE_REFUSED, str(err)) from err
    except sources.SourceError as err:
        raise source.judge(err) from err
    return f"{wanted}@{found}"


def _check(image: str, namespace: str, ctx: Context) -> None:
    allowed = ctx.settings.policy(namespace).image_prefixes
    prefixes = [f"{each.replace('{namespace}', namespace).rstrip('/')}/" for each in allowed]
    if any(image.startswith(prefix) for prefix in prefixes):
        return
    named = ", ".join(prefixes) or "none: the operator's settings name no place for images"
    raise Stalled(
        Reason.IMAGE_REFUSED,
        f"the image {image} is from no place that this namespace may take images from ({named}); "
        "push it there, or leave it out",
    )


def _ask(
    reference: registry.Reference, credentials: sources.Credentials, addresses: sources.AddressPolicy
) -> digest.Digest:
    login = credentials.registry_login(reference.host, reference.repository)
    return session.run(
        lambda asking: registry.Repository(asking, reference, login).resolve(),
        origin=str(reference),
        patience=_PATIENCE,
        may_connect=addresses.may_connect,
        may_ask=addresses.may_ask,
    )
