"""The RayJob of one attempt at a run, made once and never edited: another attempt has another name. Pure.

A head that is lost ends the attempt, so that no run ever runs twice without our knowing: KubeRay would submit
it again by itself unless the submitter is told not to be made again. The submitter is a pod of its own: as a
container beside the head it has no security context, and Pod Security's `restricted` refuses the head.
"""

from extractor_apis import naming
from extractor_apis.collection import Collection
from extractor_apis.extractor import Extractor
from extractor_apis.extractorrun import ExtractorRun
from extractor_apis.run import ErrorBudget, RunConfig
from extractor_apis.settings import Cluster
from extractor_operator.kube import Json
from extractor_operator.kuberay import pod, ray_cluster, resources, workload
from extractor_operator.kuberay.workload import Code, Workload

ENTRYPOINT = f"python -m extractor_runtime.batch --config {workload.CONFIG_FILE}"

_KEPT_SECONDS = 60
"""Pods of a run that has ended; its logs are in the store by then."""


def render_rayjob(
    run: ExtractorRun,
    extractor: Extractor,
    collection: Collection,
    code: Code,
    cluster: Cluster,
    *,
    python: str,
    attempt: int,
) -> Json:
    """Render the RayJob of an attempt, the first of which is 1; ``python`` is the platform's."""
    spec, name = extractor.spec, job_name(run, attempt)
    labels = workload.labels(extractor, code, **{naming.RUN_LABEL: name})
    source = collection.spec.source
    it = Workload(
        extractor,
        code,
        cluster,
        labels,
        config(run, extractor, collection, code, cluster, python),
        source.secret_ref.name if source.secret_ref else None,
    )
    size = resources.worker(spec.batch, code.manifest)
    queue = {naming.QUEUE_LABEL: spec.queue_name} if spec.queue_name else {}
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "metadata": workload.metadata(run, name, labels | queue),
        "spec": {
            "entrypoint": ENTRYPOINT,
            "submissionMode": "K8sJobMode",
            "submitterPodTemplate": pod.render_submitter(it),
            "submitterConfig": {"backoffLimit": 0},
            "backoffLimit": 0,
            "shutdownAfterJobFinishes": True,
            "ttlSecondsAfterFinished": _KEPT_SECONDS,
            "preRunningDeadlineSeconds": spec.deadlines.start_seconds,
            "activeDeadlineSeconds": spec.deadlines.start_seconds + spec.deadlines.run_seconds,
            # Kueue lifts it when there is room; after this it is never ours to write.
            **({"suspend": True} if queue else {}),
            "rayClusterSpec": ray_cluster.render_cluster(it, size, spec.batch.workers or 1),
        },
    }


def job_name(run: ExtractorRun, attempt: int) -> str:
    """Name the RayJob of an attempt; the uid tells a run from an earlier one of the same name."""
    return naming.workload_name(run.metadata.name, run.metadata.uid, str(attempt))


def config(
    run: ExtractorRun,
    extractor: Extractor,
    collection: Collection,
    code: Code,
    cluster: Cluster,
    python: str,
) -> RunConfig:
    """Say what a run is to do; all its attempts are told the same, and share one folder."""
    asked = collection.spec
    mappings = {**code.manifest.input_mappings, **asked.input_mappings}
    common = workload.told(code, extractor, cluster, python, asked.parameters)
    return RunConfig(
        **common | {"manifest": code.manifest.model_copy(update={"input_mappings": mappings})},
        run_id=run.metadata.name,
        collection=collection.metadata.name,
        source=asked.source.url,
        source_credentials=workload.SOURCE_FOLDER if asked.source.secret_ref else None,
        store=workload.results_folder(cluster, run.metadata.namespace),
        error_budget=ErrorBudget(count=asked.error_budget.count, share=asked.error_budget.percent / 100),
        retry_failed_of=run.spec.retry_failed,
    )
