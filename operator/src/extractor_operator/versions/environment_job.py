"""An environment that is made in the image that the version runs in, by a Job; once for all that ask for it.

The platform's image makes it in the operator's own namespace, for everybody. A tenant's image may do as it
likes, so it makes one in the tenant's namespace, for that tenant only, and without the index's credentials.
"""

from dataclasses import dataclass
from pathlib import Path

import pydantic

from extractor_apis import naming
from extractor_apis.conditions import Reason
from extractor_apis.extractorversion import EnvironmentStatus, ExtractorVersion
from extractor_apis.settings import Cluster, Settings
from extractor_artifacts.environments.order import Made, Order
from extractor_operator.context import Context
from extractor_operator.endpoint import exchange
from extractor_operator.endpoint.built import Built
from extractor_operator.endpoint.capability import Capabilities, Verb
from extractor_operator.endpoint.errands import Errand
from extractor_operator.errors import Retrying, Stalled
from extractor_operator.kuberay.wording import quote
from extractor_operator.versions import job, job_at_work
from extractor_operator.versions.job import Job

_SECONDS = 2700
"""Resolving and installing have 900 each, and handing it in as many."""
_MEMORY = "4Gi"
_DISK = "30Gi"
"""8 GiB installed, beside what was downloaded for it, and the archive of it."""
_INDEX_FILE = "index"
_CREDENTIALS_BYTES = 4096
_DIGITS = 32
_SENTENCE = 1000


@dataclass(frozen=True)
class Wish:
    """What a version needs, and in which image."""

    version: ExtractorVersion
    requirements: tuple[str, ...]
    own_image: str | None
    """None is the platform's."""


async def ensure(
    version: ExtractorVersion, requirements: tuple[str, ...], own_image: str | None, ctx: Context
) -> EnvironmentStatus:
    """Have an environment with what is required.

    Raises Waiting while a Job is at it, Stalled if the requirements contradict each other, and Retrying for
    what may pass.
    """
    wish = Wish(version, requirements, own_image)
    key, built = _key(wish, ctx.cluster), ctx.built(version.metadata.namespace if own_image else None)
    made = await ctx.in_thread(built.find, key)
    if made is None:
        made = await _make(wish, key, built, ctx)
    return EnvironmentStatus(
        key=key,
        packages=made.packages,
        size=made.size,
        digest=made.digest,
        archive_size=made.archive_size,
    )


async def _make(wish: Wish, key: str, built: Built, ctx: Context) -> Made:
    # Whoever asks again after a conflict gets another answer than the one that is remembered.
    asked = wish.version.metadata.annotations.get(naming.REQUESTED_AT, "")
    name, uid = naming.stable_hash(key, asked)[:16], wish.version.metadata.uid
    errand = await ctx.in_thread(ctx.errands.open, uid, Verb.ENVIRONMENT, name, {})
    wanted = await ctx.in_thread(describe, wish, errand.name, ctx.settings, ctx.capabilities)
    if errand.file(exchange.ENVIRONMENT_REPORT) is None:
        await job_at_work.ensure(wanted, Reason.ENVIRONMENT_FAILED, ctx)
    try:
        made = await ctx.in_thread(_read, errand)
        if made.conflict is None:
            await ctx.in_thread(built.keep, key, errand.folder / exchange.ENVIRONMENT, made)
            await ctx.in_thread(ctx.errands.close, uid, Verb.ENVIRONMENT)
    except (OSError, pydantic.ValidationError) as err:
        await job_at_work.remove(wanted, ctx)
        await ctx.in_thread(ctx.errands.close, uid, Verb.ENVIRONMENT)
        said = "the environment was not made: its Job ended, and what it handed in is not complete"
        raise Retrying(Reason.ENVIRONMENT_FAILED, said) from err
    if made.conflict is not None:
        raise Stalled(Reason.DEPENDENCY_CONFLICT, quote(made.conflict, _SENTENCE))
    return made


def describe(wish: Wish, errand: str, settings: Settings, capabilities: Capabilities) -> Job:
    """Describe the Job; the index's credentials are read for it, if it gets them."""
    cluster, metadata, packages = settings.cluster, wish.version.metadata, settings.packages
    assert cluster is not None, "only asked in a cluster"
    token = capabilities.token(metadata.namespace, metadata.uid, Verb.ENVIRONMENT, errand)
    secret, credentials = {job.TOKEN: token}, None
    if packages.credentials and not wish.own_image:
        secret[_INDEX_FILE] = _credentials(packages.credentials)
        credentials = Path(job.CAPABILITY_FOLDER) / _INDEX_FILE
    order = Order(
        url=f"{cluster.endpoint.rstrip('/')}/v1/{metadata.namespace}/{metadata.uid}",
        authority=cluster.endpoint_authority,
        requirements=wish.requirements,
        image=wish.own_image or cluster.runtime_image,
        packages=packages.model_copy(update={"credentials": credentials}),
    )
    pull_secrets = [each.name for each in wish.version.spec.image_pull_secrets]
    return Job(
        kind="environment",
        name=f"environment-{_key(wish, cluster)}",
        namespace=metadata.namespace if wish.own_image else cluster.namespace,
        image=order.image,
        command=job.command("extractor_artifacts.environments"),
        config=order.model_dump_json(),
        secret=secret,
        seconds=_SECONDS,
        memory=_MEMORY,
        disk=_DISK,
        version=wish.version,
        pull_secrets=tuple(pull_secrets) if wish.own_image else (),
    )


def _key(wish: Wish, cluster: Cluster) -> str:
    image = wish.own_image or cluster.runtime_image
    return naming.stable_hash(image, *wish.requirements)[:_DIGITS]


def _credentials(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_CREDENTIALS_BYTES).decode()
    except (OSError, UnicodeDecodeError) as err:
        said = f"cannot read the index's credentials in {file}: check `packages` in the operator's settings"
        raise Retrying(Reason.ENVIRONMENT_FAILED, said) from err


def _read(errand: Errand) -> Made:
    with (errand.folder / exchange.ENVIRONMENT_REPORT).open("rb") as file:
        return Made.model_validate_json(file.read(exchange.WANTED[exchange.ENVIRONMENT_REPORT].max_bytes))
