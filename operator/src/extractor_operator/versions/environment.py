"""What a version's code runs in: its dependencies, beside what the runtime has.

One without dependencies waits for nothing. Resolved and installed is what its image needs, or on one machine
this runtime, once for all versions that ask for the same; and of it what the operator's settings allow the
namespace, no more.
"""

from extractor_apis.extractorversion import EnvironmentStatus, ExtractorVersion
from extractor_apis.manifest import Manifest
from extractor_artifacts import environments
from extractor_artifacts.environments import Cache, Environment
from extractor_operator.context import Context
from extractor_operator.errors import Retrying, Stalled
from extractor_operator.versions import environment_job


async def ensure(
    version: ExtractorVersion, manifest: Manifest, own_image: str | None, ctx: Context
) -> EnvironmentStatus:
    """Have the manifest's dependencies installed. Raises Stalled if they contradict each other.

    In a cluster the image that it runs in makes them, which may be its own; Waiting is raised meanwhile.
    """
    policy = ctx.settings.policy(version.metadata.namespace).scan
    try:
        wanted = environments.allowed(manifest.dependencies, policy.allowed_dependencies)
        if not wanted:
            return EnvironmentStatus()
        if ctx.settings.cluster:
            return await environment_job.ensure(version, wanted, own_image, ctx)
        made = await ctx.in_thread(_make, wanted, ctx.environments)
    except environments.DependencyConflict as err:
        raise Stalled(err.reason, str(err)) from err
    except environments.EnvironmentFailed as err:
        raise Retrying(err.reason, str(err)) from err
    return EnvironmentStatus(key=made.key, packages=made.packages, size=made.size)


def _make(dependencies: tuple[str, ...], cache: Cache) -> Environment:
    runtime = environments.installed()
    locked = environments.resolve(
        dependencies,
        image_digest=environments.image_digest(runtime),
        python=environments.Python.running(),
        constraints=runtime,
        cache=cache,
    )
    return environments.build(locked, cache)
