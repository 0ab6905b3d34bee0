"""Objects of the four kinds as the API server gives them, and versions that may run, for tests."""

from typing import Any

from extractor_apis.collection import Collection
from extractor_apis.extractor import Extractor
from extractor_apis.extractorrun import ExtractorRun
from extractor_apis.extractorversion import ExtractorVersion
from extractor_apis.manifest import Manifest
from extractor_apis.settings import Cluster
from extractor_operator.kuberay.workload import Code

NAMESPACE = "team-a"
DIGEST = f"sha256:{'a' * 64}"
ENVIRONMENT = f"sha256:{'e' * 64}"
CLUSTER = Cluster(
    runtime_image="registry.example.com/extractor-runtime:1",
    endpoint="http://extractor-operator.extractor-system.svc:8443",
    results="file:///results",
    results_volume={"persistentVolumeClaim": {"claimName": "results"}},
)


def make_extractor(**spec: Any) -> Extractor:
    """Make an Extractor that serves."""
    known = {"version": "1.0.0", "realtime": {}}
    return Extractor.model_validate({"metadata": _metadata("text-embed", "extractor"), "spec": known | spec})


def make_collection(**spec: Any) -> Collection:
    """Make a Collection of files on a shared volume."""
    known = {"extractor": "text-embed", "source": {"url": "file:///results/team-a/articles"}}
    return Collection.model_validate({"metadata": _metadata("articles", "collection"), "spec": known | spec})


def make_run(name: str = "articles-1", **spec: Any) -> ExtractorRun:
    """Make a run of that collection."""
    known = {"collection": "articles", "extractor": "text-embed", "version": "1.0.0"}
    return ExtractorRun.model_validate({"metadata": _metadata(name, f"run-{name}"), "spec": known | spec})


def make_code(version: str = "1.0.0", *, environment: dict[str, Any] | None = None, **manifest: Any) -> Code:
    """Make a version that is Ready; ``manifest`` has what differs in the archive's."""
    accepted = Manifest.model_validate({"name": "text_embed", "version": version} | manifest)
    found = ExtractorVersion.model_validate(
        {
            "metadata": _metadata(f"text-embed-{version}", f"version-{version}"),
            "spec": {
                "extractor": "text-embed",
                "version": version,
                "source": {"oci": {"reference": "registry.example.com/text-embed:1"}},
            },
            "status": {"artifact": {"digest": DIGEST, "size": 1234}, "environment": environment or {}},
        }
    )
    return Code(found, accepted, None)


def _metadata(name: str, uid: str) -> dict[str, Any]:
    return {"name": name, "namespace": NAMESPACE, "uid": uid, "generation": 1}
