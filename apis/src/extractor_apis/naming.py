"""Names: versions, feature URIs, tables, document ids, packages.

Every name of the system is a function of what it names, and that function is here. Nothing else may
compose a table or an id, so that a reader always finds what a writer wrote.
"""

import hashlib
import re
from dataclasses import dataclass

VERSION_PATTERN = r"^\d+\.\d+\.\d+$"
EXTRACTOR_PATTERN = r"^[a-z][a-z0-9_]{1,62}$"
FEATURE_PATTERN = r"^[a-z][a-z0-9_]*$"
COLLECTION_PATTERN = r"^[a-z][a-z0-9_-]{0,62}$"

FIELD_MANAGER = "extractor-operator"
"""Who has written what the operator applies, also the name that its events report."""
REQUESTED_AT = "extractors.mixpeek.com/requested-at"
"""Annotation that has the operator look at a stalled object again, whenever its value changes."""
MANAGED_BY = "app.kubernetes.io/managed-by"
"""Label of everything that the operator makes; its value is the field manager."""
EXTRACTOR_LABEL = "extractors.mixpeek.com/extractor"
"""Label of a workload and all its pods: the Extractor that they belong to."""
VERSION_LABEL = "extractors.mixpeek.com/version"
"""Label of the same: the version that they run."""
RUN_LABEL = "extractors.mixpeek.com/run"
"""Label of a run's RayJob and all its pods: the RayJob."""
JOB_LABEL = "extractors.mixpeek.com/job"
"""Label of the operator's own Jobs and their pods: `scan` or `environment`."""
MADE_FOR_ANNOTATION = "extractors.mixpeek.com/made-for"
"""Annotation of those Jobs: namespace and uid of the version that had it made, of those that wait for it."""
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
"""Label by which Kueue knows what waits in which queue."""
CONFIG_ANNOTATION = "extractors.mixpeek.com/config"
"""Annotation of pods that is mounted as their config file."""
SERVE_CONFIG_ANNOTATION = "extractors.mixpeek.com/serve-config"
"""Annotation of a RayService: Serve's config, as it was last applied."""
EDITED_AT_ANNOTATION = "extractors.mixpeek.com/edited-at"
"""Annotation of a RayService: when its replicas were last changed in place."""
GOOD_CONFIG_ANNOTATION = "extractors.mixpeek.com/good-config"
"""Annotation of a RayService: Serve's config before the last change in place, to be put back if it fails."""
REFUSED_CONFIG_ANNOTATION = "extractors.mixpeek.com/refused-config"
"""Annotation of a RayService: hash of the config that failed and was put back: it is not tried again."""

_WORKLOAD_CHARACTERS = 47
"""KubeRay refuses longer names: it appends to them."""
_LABEL_CHARACTERS = 63
_HASH_DIGITS = 10

_LOOSE_VERSION = re.compile(r"v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?", re.ASCII)
_URI = re.compile(
    r"mixpeek://(?P<extractor>[A-Za-z0-9_]+)(?:@(?P<version>[A-Za-z0-9.]+))?(?:/(?P<feature>[A-Za-z0-9_]+))?",
    re.ASCII,
)
_ID_DIGITS = 24


def normalize_version(text: str) -> str:
    """Spell a version as MAJOR.MINOR.PATCH: ``v1`` and ``1.0`` are ``1.0.0``.

    Raises ValueError for what is no version.
    """
    match = _LOOSE_VERSION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no version: write MAJOR.MINOR.PATCH, for example 1.0.0")
    return ".".join(str(int(part or 0)) for part in match.groups())


@dataclass(frozen=True)
class FeatureURI:
    """``mixpeek://extractor@version/feature``, the name under which retrievers find a feature.

    Without a version it means the one that the collection's pointer names; without a feature, the only one.
    """

    extractor: str
    version: str | None = None
    feature: str | None = None

    @classmethod
    def parse(cls, text: str) -> "FeatureURI":
        """Read a feature URI. Raises ValueError, which says how one is written."""
        match = _URI.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no feature URI: write mixpeek://extractor@1.0.0/feature")
        version = match["version"]
        return cls(match["extractor"], version and normalize_version(version), match["feature"])

    def __str__(self) -> str:
        version = f"@{self.version}" if self.version else ""
        feature = f"/{self.feature}" if self.feature else ""
        return f"mixpeek://{self.extractor}{version}{feature}"


def table_name(collection: str, extractor: str, version: str) -> str:
    """Name the table that holds every feature of one extractor version over one collection.

    A LanceDB name holds no dot, slash or colon, so a version is written with underscores. Every collection
    has a database of its own: no two collections can mean the same table, however they are named.
    """
    return f"{collection}__{extractor}__{version.replace('.', '_')}"


def document_id(collection: str, object_id: str, extractor: str, version: str, ordinal: int) -> str:
    """Name the document that is the ``ordinal``-th result of an object.

    The same object through the same version has the same documents, however often and in whatever order it
    runs: a retry overwrites instead of adding.
    """
    return "doc_" + stable_hash(collection, object_id, extractor, version, str(ordinal))[:_ID_DIGITS]


def stable_hash(*parts: str | bytes) -> str:
    """Hash a sequence of strings so that no two different sequences run together; lower-case hex SHA-256."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.hexdigest()


def object_name(extractor: str) -> str:
    """Name an Extractor object after its manifest's name: ``text_embedder`` is ``text-embedder``.

    A Kubernetes name holds no underscore, and a manifest's name no dash, so no two extractors share one.
    """
    return extractor.replace("_", "-")


def version_object_name(extractor: str, version: str) -> str:
    """Name an ExtractorVersion object: ``text-embedder-1.0.0``; the API server holds objects to it."""
    return f"{object_name(extractor)}-{version}"


def extractor_id(extractor: str, version: str) -> str:
    """Name a version as the HTTP API does: ``my_extractor_1_0_0``."""
    return f"{extractor}_{version.replace('.', '_')}"


def route_prefix(extractor: str, version: str) -> str:
    """Say under which path Ray Serve answers for a version."""
    return f"/inference/custom_plugin_{extractor_id(extractor, version)}"


def workload_name(readable: str, *parts: str) -> str:
    """Name a RayJob or a RayService: begins as ``readable`` does, and is no other workload's.

    ``parts`` say which workload it is. The result is a DNS-1035 label of at most 47 characters.
    """
    start = readable.replace(".", "-")
    start = start if start[:1].isalpha() else f"x-{start}"
    start = start[: _WORKLOAD_CHARACTERS - _HASH_DIGITS - 1].rstrip("-")
    return f"{start}-{stable_hash(*parts)[:_HASH_DIGITS]}"


def service_name(extractor: str, version: str | None = None) -> str:
    """Name the stable Service of an Extractor object, or of one of its other versions that answer."""
    name = f"{extractor}-{version.replace('.', '-')}-serve" if version else f"{extractor}-serve"
    if len(name) <= _LABEL_CHARACTERS:
        return name
    digits = stable_hash(extractor, version or "")[:_HASH_DIGITS]
    return f"{name[: _LABEL_CHARACTERS - _HASH_DIGITS - 7].rstrip('-')}-{digits}-serve"


def package_name(artifact_digest: str) -> str:
    """Name the package under which an artifact's tree is imported: its own, so that versions never mix."""
    return f"extractor_artifact_{artifact_digest.removeprefix('sha256:')[:16]}"
