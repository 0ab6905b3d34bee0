"""A Job of the operator's own: one pod, once, that is sent for something with a capability of its own. Pure.

It passes Pod Security's `restricted`, has no identity in the cluster, and writes to one folder that goes with
it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from extractor_apis import naming
from extractor_apis.extractorversion import ExtractorVersion
from extractor_operator.kube import Json

CONFIG_FILE = "/extractor/config/config.json"
CAPABILITY_FOLDER = "/extractor/capability"
TOKEN = "token"
CAPABILITY_FILE = f"{CAPABILITY_FOLDER}/{TOKEN}"
WORK_FOLDER = "/tmp"

_USER = 65532
_PENDING_SECONDS = 3600
"""How long it may wait for a node."""
_DIGITS = 8
_KEPT_SECONDS = 300
"""How long it may be looked at when it has ended."""


@dataclass(frozen=True)
class Job:
    """What is run, where, and with what."""

    kind: str
    """`scan` or `environment`."""
    name: str
    namespace: str
    image: str
    command: tuple[str, ...]
    config: str
    """What it is to do, as JSON; mounted as a file."""
    secret: Mapping[str, str] = field(repr=False)
    """Its capability, and whatever else only it may see; mounted as files."""
    seconds: int
    """How long it may run."""
    memory: str
    disk: str
    version: ExtractorVersion
    """For which it runs."""
    pull_secrets: tuple[str, ...] = ()

    @property
    def labels(self) -> dict[str, str]:
        """By which it is found, and told from what others run."""
        return {
            naming.MANAGED_BY: naming.FIELD_MANAGER,
            naming.JOB_LABEL: self.kind,
            naming.EXTRACTOR_LABEL: self.version.spec.extractor,
            naming.VERSION_LABEL: self.version.spec.version,
        }

    @property
    def secret_name(self) -> str:
        """Name its Secret: versions that ask for the same share a Job's name, and no capability."""
        return f"{self.name}-{naming.stable_hash(self.config)[:_DIGITS]}"


def command(module: str) -> tuple[str, ...]:
    """Say how a module is started in the pod of a Job."""
    options = {"--config": CONFIG_FILE, "--capability": CAPABILITY_FILE, "--work": WORK_FOLDER}
    return ("python", "-m", module, *(word for option in options.items() for word in option))


def render_job(job: Job) -> Json:
    """Render the Job; in the version's namespace it goes with the version."""
    metadata = job.version.metadata
    owner = {
        "apiVersion": f"{job.version.GROUP}/{job.version.VERSION}",
        "kind": type(job.version).__name__,
        "name": metadata.name,
        "uid": metadata.uid,
        "controller": True,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job.name,
            "namespace": job.namespace,
            "labels": job.labels,
            "annotations": {naming.MADE_FOR_ANNOTATION: f"{metadata.namespace}/{metadata.uid}"},
            **({"ownerReferences": [owner]} if job.namespace == metadata.namespace else {}),
        },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": _PENDING_SECONDS + job.seconds,
            "ttlSecondsAfterFinished": _KEPT_SECONDS,
            "template": {
                "metadata": {"labels": job.labels, "annotations": {naming.CONFIG_ANNOTATION: job.config}},
                "spec": _pod(job),
            },
        },
    }


def render_secret(job: Job, made: Json) -> Json:
    """Render the Secret of a Job that has been made; it goes with it."""
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": job.name, "uid": made["metadata"]["uid"]}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": job.secret_name,
            "namespace": job.namespace,
            "labels": job.labels,
            "ownerReferences": [{**owner, "controller": True}],
        },
        "stringData": dict(job.secret),
    }


def is_same(job: Job, made: Json) -> bool:
    """Tell whether a Job of that name does what this one would."""
    annotations = made["spec"]["template"]["metadata"].get("annotations", {})
    return bool(annotations.get(naming.CONFIG_ANNOTATION) == job.config)


def made_for(made: Json) -> tuple[str, str]:
    """Give namespace and uid of the version that had a Job made."""
    said: str = made["metadata"].get("annotations", {}).get(naming.MADE_FOR_ANNOTATION, "")
    namespace, _, uid = said.partition("/")
    return namespace, uid


def ended(made: Json) -> tuple[str, str] | None:
    """Give the type and message of the condition that a Job has ended with; None while it has not."""
    for condition in made.get("status", {}).get("conditions", ()):
        if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
            return condition["type"], condition.get("message", "")
    return None


def _pod(job: Job) -> Json:
    return {
        "restartPolicy": "Never",
        # Unlike the Job's deadline this one does not run while the pod waits for a node.
        "activeDeadlineSeconds": job.seconds,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "imagePullSecrets": [{"name": name} for name in job.pull_secrets],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(job)],
        "volumes": [
            {"name": "config", "downwardAPI": {"items": [_config_item()]}},
            {"name": "capability", "secret": {"secretName": job.secret_name, "defaultMode": 0o440}},
            {"name": "work", "emptyDir": {"sizeLimit": job.disk}},
        ],
    }


def _container(job: Job) -> Json:
    return {
        "name": job.kind,
        "image": job.image,
        "imagePullPolicy": "IfNotPresent",
        "command": list(job.command),
        "env": [{"name": "HOME", "value": WORK_FOLDER}],
        "resources": {
            "requests": {"cpu": "500m", "memory": job.memory, "ephemeral-storage": "1Gi"},
            "limits": {"cpu": "2", "memory": job.memory, "ephemeral-storage": job.disk},
        },
        # Its last words are its sentence.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "config", "mountPath": CONFIG_FILE.rpartition("/")[0], "readOnly": True},
            {"name": "capability", "mountPath": CAPABILITY_FOLDER, "readOnly": True},
            {"name": "work", "mountPath": WORK_FOLDER},
        ],
    }


def _config_item() -> Json:
    field = {"fieldPath": f"metadata.annotations['{naming.CONFIG_ANNOTATION}']"}
    return {"path": CONFIG_FILE.rpartition("/")[2], "fieldRef": field}
