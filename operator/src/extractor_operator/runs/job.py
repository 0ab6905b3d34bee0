"""The RayJob of an attempt, made of what is stored of the version."""

from extractor_apis.conditions import Reason
from extractor_apis.extractorrun import ExtractorRun
from extractor_artifacts import ArtifactError
from extractor_operator.context import Context
from extractor_operator.errors import Retrying
from extractor_operator.kube import Json
from extractor_operator.kuberay.rayjob import render_rayjob
from extractor_operator.kuberay.workload import Code
from extractor_operator.runs.inputs import Inputs


async def render(run: ExtractorRun, inputs: Inputs, ctx: Context, attempt: int) -> Json:
    """Render it. Raises Retrying while the artifact cannot be read: its version makes it again."""
    artifact = inputs.version.status.artifact
    assert artifact is not None, "only a version that is Ready is run"
    try:
        kept = await ctx.in_thread(ctx.artifacts.get, artifact.digest)
    except ArtifactError as err:
        raise Retrying(Reason.VERSION_NOT_READY, str(err)) from err
    code = Code.of(inputs.version, kept.report)
    return render_rayjob(
        run,
        inputs.extractor,
        inputs.collection,
        code,
        ctx.cluster,
        python=ctx.settings.runtime_python,
        attempt=attempt,
    )
