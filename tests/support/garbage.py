"""Kubernetes' garbage collector: what belongs to an object that is gone, goes. A bare API server has none."""

from collections.abc import Iterator

from support.kuberay import GROUP, Api, Json, api_path

_OURS = "extractors.mixpeek.com/v1alpha1"
_KINDS = (
    ("v1", "pods"),
    ("v1", "secrets"),
    ("v1", "services"),
    ("batch/v1", "jobs"),
    ("networking.k8s.io/v1", "networkpolicies"),
    (GROUP, "rayclusters"),
    (GROUP, "rayjobs"),
    (GROUP, "rayservices"),
    (_OURS, "extractorruns"),
    (_OURS, "collections"),
    (_OURS, "extractors"),
    (_OURS, "extractorversions"),
)
"""Owners after what they own: an owner that is not in a later list was deleted."""


def collect(api: Api) -> None:
    """Delete every object all of whose owners are gone, once; what it owned itself goes the next time."""
    seen = list(_objects(api))
    known = {item["metadata"]["uid"] for _, item in seen}
    for path, item in seen:
        owners = item["metadata"].get("ownerReferences", ())
        if owners and known.isdisjoint(owner["uid"] for owner in owners):
            api.delete(path)


def _objects(api: Api) -> Iterator[tuple[str, Json]]:
    """List every object that may own another or belong to one, each with its path."""
    for group, plural in _KINDS:
        for item in api.list(api_path(group, plural)):
            metadata = item["metadata"]
            yield api_path(group, plural, metadata["namespace"], metadata["name"]), item
