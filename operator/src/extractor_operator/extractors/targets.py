"""The RayServices that an extractor's spec asks for, rendered of what is stored of their versions."""

from dataclasses import dataclass

from extractor_apis.conditions import Reason
from extractor_apis.extractor import Extractor, Realtime
from extractor_apis.scan import ScanReport
from extractor_artifacts import ArtifactError
from extractor_operator.context import Context
from extractor_operator.errors import Retrying
from extractor_operator.extractors.scene import Wanted
from extractor_operator.kube import Json
from extractor_operator.kuberay import rayservice, resources
from extractor_operator.kuberay.workload import Code
from extractor_operator.runs import inputs


@dataclass(frozen=True)
class Target:
    """A RayService, and what is decided by."""

    rendered: Json
    wanted: Wanted


async def find(extractor: Extractor, realtime: Realtime, version: str, ctx: Context) -> Target:
    """Render the RayService of a version. Raises Waiting while the version cannot be run."""
    namespace = extractor.metadata.namespace
    found = inputs.require_version(namespace, extractor.metadata.name, version, ctx.store)
    assert found.status.artifact is not None, "only a version that is Ready is served"
    code = Code.of(found, await _report(found.status.artifact.digest, ctx))
    rendered = rayservice.render_rayservice(
        extractor, realtime, code, ctx.cluster, python=ctx.settings.runtime_python
    )
    size = resources.replica(realtime, code.manifest)
    pods = resources.replicas(realtime, code.manifest).most
    wanted = Wanted(
        version=version,
        name=rendered["metadata"]["name"],
        config=rendered["spec"]["serveConfigV2"],
        pods=pods,
        gpus=pods * size.gpus,
        gpu_resource=size.gpu_resource,
    )
    return Target(rendered, wanted)


async def _report(digest: str, ctx: Context) -> ScanReport:
    try:
        return (await ctx.in_thread(ctx.artifacts.get, digest)).report
    except ArtifactError as err:
        raise Retrying(Reason.VERSION_NOT_READY, str(err)) from err
