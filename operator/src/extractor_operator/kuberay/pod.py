"""The pods of a workload: what Pod Security's `restricted` asks for, and everything that a tenant may choose.

An init container fetches the code by a capability that no other container sees. The config is an annotation
of the pod, mounted as a file: there is no object beside the pod that could be another one by then. Pure.
"""

from typing import Any

from extractor_apis import naming
from extractor_apis.extractor import EnvVar, Extractor, Toleration
from extractor_operator.kube import Json
from extractor_operator.kuberay import workload as paths
from extractor_operator.kuberay.workload import Workload

_SUBMITTER = "ray-job-submitter"
_ENVIRONMENT = {
    # Whatever user an image has been made for.
    "HOME": "/tmp",
    "PYTHONUNBUFFERED": "1",
    "RAY_ROTATION_MAX_BYTES": "8388608",
    "RAY_ROTATION_BACKUP_COUNT": "1",
    # For a checkpoint, and for the logs to be kept, before a run that is stopped is killed.
    "RAY_JOB_STOP_WAIT_TIME_S": "20",
}
_CONFINED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
_SMALL = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}}
"""For a process that only fetches or submits."""


def render_ray_pod(it: Workload, name: str, resources: Json, **more: Any) -> Json:
    """Render the template of a pod of the Ray cluster, whose container has ``more`` fields."""
    container = {
        "name": name,
        "image": it.image,
        "imagePullPolicy": "IfNotPresent",
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "env": _environment(it.extractor.spec.env),
        "resources": resources,
        "securityContext": _CONFINED,
        "volumeMounts": [
            {"name": "config", "mountPath": _folder(paths.CONFIG_FILE), "readOnly": True},
            {"name": "artifact", "mountPath": paths.ARTIFACT_FOLDER, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},
            *(
                [{"name": "source", "mountPath": paths.SOURCE_FOLDER, "readOnly": True}]
                if it.source_secret
                else []
            ),
            *_results_mounts(it),
        ],
        **more,
    }
    return {
        "metadata": {"labels": it.labels, "annotations": {naming.CONFIG_ANNOTATION: it.config_text}},
        "spec": {
            **_pod(it),
            "initContainers": [_install(it)],
            "containers": [container],
            "volumes": _volumes(it),
        },
    }


def render_submitter(it: Workload) -> Json:
    """Render the template of the pod that hands a run's entry point to Ray: no code, no secret, no volume."""
    container = {
        "name": _SUBMITTER,
        "image": it.image,
        "imagePullPolicy": "IfNotPresent",
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "env": [{"name": "HOME", "value": "/tmp"}],
        "resources": _SMALL,
        "securityContext": _CONFINED,
    }
    return {
        "metadata": {"labels": it.labels},
        "spec": {**_pod(it), "restartPolicy": "Never", "containers": [container]},
    }


def _pod(it: Workload) -> Json:
    """Render what is the same for every pod, whoever makes it."""
    spec = it.extractor.spec
    chosen: Json = {
        "serviceAccountName": spec.service_account_name,
        "imagePullSecrets": _pull_secrets(it),
        "runtimeClassName": spec.runtime_class_name,
        "nodeSelector": dict(spec.node_selector),
        "tolerations": [_toleration(each) for each in spec.tolerations],
    }
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": _security(it.extractor),
        **{name: value for name, value in chosen.items() if value},
    }


def _security(extractor: Extractor) -> Json:
    user = extractor.spec.run_as_user
    return {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": user,
        # Volumes belong to it; those of an emptyDir would be root's.
        "fsGroup": user,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _pull_secrets(it: Workload) -> list[Json]:
    named = (*it.extractor.spec.image_pull_secrets, *it.code.version.spec.image_pull_secrets)
    return [{"name": name} for name in dict.fromkeys(each.name for each in named)]


def _toleration(toleration: Toleration) -> Json:
    return toleration.model_dump(mode="json", exclude_none=True)


def _install(it: Workload) -> Json:
    return {
        "name": "install",
        "image": it.image,
        "imagePullPolicy": "IfNotPresent",
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "command": ["python", "-m", "extractor_runtime.install"],
        "args": [
            *("--config", paths.CONFIG_FILE, "--into", paths.ARTIFACT_FOLDER),
            *("--capability", paths.CAPABILITY_FILE),
        ],
        "env": [{"name": "HOME", "value": "/tmp"}],
        "resources": _SMALL,
        "securityContext": {**_CONFINED, "readOnlyRootFilesystem": True},
        "volumeMounts": [
            {"name": "config", "mountPath": _folder(paths.CONFIG_FILE), "readOnly": True},
            {"name": "capability", "mountPath": _folder(paths.CAPABILITY_FILE), "readOnly": True},
            {"name": "artifact", "mountPath": paths.ARTIFACT_FOLDER},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }


def _environment(chosen: tuple[EnvVar, ...]) -> list[Json]:
    """Give the platform's variables and the tenant's, whose word counts where both have one."""
    named: dict[str, Json] = {name: {"name": name, "value": value} for name, value in _ENVIRONMENT.items()}
    for each in chosen:
        source, kind = (each.secret, "secretKeyRef") if each.secret else (each.config_map, "configMapKeyRef")
        assert source is not None, "the API server takes no variable without a source"
        named[each.name] = {"name": each.name, "valueFrom": {kind: {"name": source.name, "key": source.key}}}
    return list(named.values())


def _volumes(it: Workload) -> list[Json]:
    field = {"fieldPath": f"metadata.annotations['{naming.CONFIG_ANNOTATION}']"}
    name = _file(paths.CONFIG_FILE)
    return [
        {"name": "config", "downwardAPI": {"items": [{"path": name, "fieldRef": field}]}},
        {"name": "capability", "secret": {"secretName": paths.capability_secret(it.code.version)}},
        {"name": "artifact", "emptyDir": {}},
        {"name": "tmp", "emptyDir": {}},
        *([{"name": "source", "secret": {"secretName": it.source_secret}}] if it.source_secret else []),
        *([{"name": "results", **it.cluster.results_volume}] if it.cluster.results_volume else []),
    ]


def _results_mounts(it: Workload) -> list[Json]:
    """Mount of the results the namespace's own, and nobody else's."""
    if not it.cluster.results_volume:
        return []
    namespace = it.extractor.metadata.namespace
    folder = paths.results_folder(it.cluster, namespace)
    return [{"name": "results", "mountPath": folder, "subPath": namespace}]


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _file(path: str) -> str:
    return path.rpartition("/")[2]
