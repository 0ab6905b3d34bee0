"""Have a Job at work until it has ended, without waiting for it: who asks is told so, and looks again."""

import contextlib
import datetime
import time
from collections.abc import Callable

from extractor_apis.conditions import Reason
from extractor_apis.extractorversion import ExtractorVersion
from extractor_operator import kube
from extractor_operator.context import Context
from extractor_operator.errors import Exists, Gone, Retrying, Waiting
from extractor_operator.kube import Json
from extractor_operator.kuberay import cause, objects
from extractor_operator.kuberay.wording import quote, raised
from extractor_operator.permissions import permission
from extractor_operator.relations import Mark
from extractor_operator.store import Store
from extractor_operator.versions import job as jobs
from extractor_operator.versions.job import Job

PERMISSIONS = tuple(
    permission(*each, own_namespace_only=own)
    for each in (
        ("batch", "jobs", "get", "create", "delete"),
        ("", "secrets", "get", "create"),
        ("", "pods", "list"),
    )
    for own in (False, True)
)

_LEAST_PAUSE, _MOST_PAUSE = 5.0, 60.0
"""Between looks. What a Job hands in has us look at once: these find what went wrong."""
_START_SECONDS = 20.0
"""A pod that has not started by then is asked why."""


async def ensure(job: Job, failed: Reason, ctx: Context, *, clock: Callable[[], float] = time.time) -> None:
    """Have the Job made, and return when it has ended well.

    Raises Waiting until then, and Retrying for the reason ``failed`` with the cause when it did not; it is
    gone then, and made again the next time. One that another version had made is left to that version, which
    takes what it made, or tells why it failed.
    """
    made = await _made(job, ctx)
    end = jobs.ended(made)
    if end is None:
        await _ensure_secret(job, made, ctx)
        raise await _waiting(job, made, ctx, clock())
    if _is_anothers(job, made, ctx.store):
        message = f"the Job {job.namespace}/{job.name} has ended; waiting for the version that had it made"
        raise Waiting(Reason.PROGRESSING, message, after=_LEAST_PAUSE)
    if jobs.is_same(job, made) and end[0] == "Complete":
        return
    why = await _cause(job, end[1], ctx) if jobs.is_same(job, made) else None
    await _delete(job, made, ctx)
    if why is None:
        raise Waiting(Reason.PROGRESSING, f"the {job.kind} is about to start", after=1.0)
    raise Retrying(failed, why)


async def remove(job: Job, ctx: Context) -> None:
    """Have no Job that does what this one would, nor its pod and Secret."""
    with contextlib.suppress(Gone):
        made = await ctx.client.get(_path(job))
        if jobs.is_same(job, made):
            await _delete(job, made, ctx)


def _is_anothers(job: Job, made: Json, store: Store) -> bool:
    """Tell whether another version that is there had the Job made."""
    namespace, uid = jobs.made_for(made)
    is_own = uid == job.version.metadata.uid
    return not is_own and bool(store.find(Mark(ExtractorVersion.__name__, namespace, "uid", uid)))


async def _delete(job: Job, made: Json, ctx: Context) -> None:
    await ctx.client.delete(_path(job), made["metadata"]["uid"])


async def _made(job: Job, ctx: Context) -> Json:
    with contextlib.suppress(Gone):
        return await ctx.client.get(_path(job))
    with contextlib.suppress(Exists):
        return await ctx.client.create(kube.path("batch/v1", "jobs", job.namespace), jobs.render_job(job))
    return await ctx.client.get(_path(job))


async def _ensure_secret(job: Job, made: Json, ctx: Context) -> None:
    """Have the Secret that the pod waits for: after the Job, so that it belongs to it from the start."""
    if made.get("status", {}).get("ready") or not jobs.is_same(job, made):
        return
    try:
        await ctx.client.get(kube.path("v1", "secrets", job.namespace, job.secret_name))
    except Gone:
        with contextlib.suppress(Exists):
            await ctx.client.create(kube.path("v1", "secrets", job.namespace), jobs.render_secret(job, made))


async def _waiting(job: Job, made: Json, ctx: Context, now: float) -> Waiting:
    begun = datetime.datetime.fromisoformat(made["metadata"]["creationTimestamp"]).timestamp()
    age = max(0.0, now - begun)
    after = min(_MOST_PAUSE, max(_LEAST_PAUSE, age / 2))
    found = None
    if age > _START_SECONDS and not made.get("status", {}).get("ready"):
        found = cause.find_cause(objects.Signs(), await _pods(job, ctx))
    if found:
        return Waiting(found.reason, found.message, after=after)
    return Waiting(Reason.PROGRESSING, f"the Job {job.namespace}/{job.name} is at work", after=after)


async def _cause(job: Job, said: str, ctx: Context) -> str:
    pods = await _pods(job, ctx)
    for pod in pods:
        for container in pod.status.container_statuses:
            end = container.state.terminated
            # What was killed does not know why.
            if end and end.exit_code not in (0, cause.SIGKILL) and end.message:
                return raised(end.message)
    found = cause.find_cause(objects.Signs(), pods)
    return found.message if found else f"the Job {job.namespace}/{job.name} failed: {quote(said)}"


async def _pods(job: Job, ctx: Context) -> list[objects.Pod]:
    where = kube.path("v1", "pods", job.namespace)
    found = await ctx.client.find(where, f"batch.kubernetes.io/job-name={job.name}", limit=10)
    return [objects.Pod.model_validate(each) for each in found]


def _path(job: Job) -> str:
    return kube.path("batch/v1", "jobs", job.namespace, job.name)
