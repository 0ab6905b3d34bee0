"""Who signed a version's source: as its namespace's policy demands, or else as the version itself does."""

from extractor_apis.conditions import Reason
from extractor_apis.extractorversion import ExtractorVersion, SourceStatus
from extractor_apis.verify import Signer, Verify
from extractor_artifacts import ArtifactError, signatures, sources
from extractor_operator import secrets
from extractor_operator.context import Context
from extractor_operator.errors import Stalled, Waiting
from extractor_operator.versions import source

_TEXT = 1024


async def verify(version: ExtractorVersion, fetched: SourceStatus, ctx: Context) -> str | None:
    """Name the signer; None where nobody has to sign. Raises Stalled if nobody who may has signed."""
    policy = ctx.settings.policy(version.metadata.namespace)
    wanted = policy.verify or version.spec.verify
    if wanted is None:
        if policy.require_signature:
            raise Stalled(
                Reason.SIGNATURE_REFUSED,
                "archives of this namespace must be signed: say by whom in spec.verify, in another version",
            )
        return None
    if policy.verify and policy.verify.secret_ref:
        # It would be a Secret of the namespace, in which the tenant puts whatever key is its own.
        raise Stalled(
            Reason.SIGNATURE_REFUSED,
            "the operator's settings say `verify.secretRef`, which a tenant could write: they must name "
            "identities; tell the platform's engineers",
        )
    trust = await _trust(wanted, version, ctx)
    access = await source.access(version, ctx)
    try:
        return _shown(await ctx.in_thread(_check, version, fetched, trust, access))
    except signatures.SignatureError as err:
        raise Stalled(Reason.SIGNATURE_REFUSED, str(err)) from err
    except sources.SourceError as err:
        raise source.judge(err) from err


async def _trust(
    wanted: Verify, version: ExtractorVersion, ctx: Context
) -> signatures.Keyed | signatures.Keyless:
    secret = {}
    if wanted.secret_ref:
        secret = await secrets.read(ctx.client, version.metadata.namespace, wanted.secret_ref.name)
    root = ctx.settings.trusted_root
    content = await ctx.in_thread(root.read_bytes if root else signatures.public_instance)
    try:
        return signatures.trust(wanted, trusted_root=content, secret=secret)
    except ArtifactError as err:
        raise Waiting(Reason.SECRET_MISSING, str(err), after=secrets.AGAIN_SECONDS) from err


def _check(
    version: ExtractorVersion,
    fetched: SourceStatus,
    trust: signatures.Keyed | signatures.Keyless,
    access: sources.Access,
) -> Signer:
    archive = version.spec.source.zip
    if archive:
        found = signatures.beside(archive.url, access=access)
        return signatures.verify(fetched.digest, () if found is None else (found,), trust)
    attached = signatures.attached(f"oci://{fetched.resolved.removeprefix('oci://')}", access=access)
    return signatures.verify(attached.digest, attached.signatures, trust)


def _shown(signer: Signer) -> str:
    who = f"{signer.subject} of {signer.issuer}" if signer.subject else f"the key {signer.key}"
    return who[:_TEXT]
