"""An attempt that was begun and not told: the operator ended between its RayJob and the status. Pure."""

from collections.abc import Mapping

from extractor_apis.extractorrun import ExtractorRun
from extractor_operator.kube import Json
from extractor_operator.kuberay.rayjob import job_name


def adopt(run: ExtractorRun, jobs: Mapping[str, Json]) -> ExtractorRun:
    """Count the attempt whose RayJob is there already: nobody would follow it, or cancel it."""
    attempt = (run.status.attempts or 0) + 1
    name = job_name(run, attempt)
    if name not in jobs or run.status.finished:
        return run
    begun = jobs[name]["metadata"]["creationTimestamp"]
    told = {"attempts": attempt, "job": name, "submitted": begun, "retry_after": None, "eta": None}
    return run.model_copy(update={"status": run.status.model_copy(update=told)})
