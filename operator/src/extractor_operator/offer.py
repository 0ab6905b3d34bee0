"""What the artifact endpoint has of each version, and who is woken by what is handed in."""

from collections.abc import Callable

from extractor_apis.extractorversion import ExtractorVersion
from extractor_operator.context import Context
from extractor_operator.endpoint.answer import Shelved
from extractor_operator.endpoint.exchange import ARTIFACT, Exchange
from extractor_operator.relations import Key, Mark


def exchange(ctx: Context, wake: Callable[[Key], None]) -> Exchange:
    """Offer what the stores have."""

    def find(namespace: str, uid: str) -> ExtractorVersion | None:
        found = ctx.store.find(Mark(ExtractorVersion.__name__, namespace, "uid", uid))
        return ctx.store.read(ExtractorVersion, namespace, found[0].name) if found else None

    def shelved(version: ExtractorVersion, name: str) -> Shelved | None:
        return _artifact(version, ctx) if name == ARTIFACT else _environment(version, ctx)

    def arrived(version: ExtractorVersion) -> None:
        metadata = version.metadata
        wake(Key(ExtractorVersion.__name__, metadata.namespace, metadata.name))

    return Exchange(ctx.capabilities, ctx.errands, find, shelved, arrived)


def _artifact(version: ExtractorVersion, ctx: Context) -> Shelved | None:
    artifact = version.status.artifact
    path = artifact and ctx.artifacts.archive(artifact.digest)
    return Shelved(path, artifact.digest) if artifact and path else None


def _environment(version: ExtractorVersion, ctx: Context) -> Shelved | None:
    environment = version.status.environment
    if environment is None or environment.key is None or environment.digest is None:
        return None
    path = ctx.built(version.metadata.namespace if environment.image else None).archive(environment.key)
    return Shelved(path, environment.digest) if path.is_file() else None
