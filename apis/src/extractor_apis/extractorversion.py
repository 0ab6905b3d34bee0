"""ExtractorVersion: one immutable, digest-pinned version of an extractor."""

from typing import ClassVar

from pydantic import ConfigDict, Field

from extractor_apis.manifest import Distance
from extractor_apis.meta import CamelStruct
from extractor_apis.resource import (
    AGE,
    DNS_LABEL,
    URL,
    Column,
    Digest,
    LocalReference,
    Resource,
    Sentence,
    Status,
    Version,
    condition_column,
    validated,
)
from extractor_apis.scan import Strictness, Verdict
from extractor_apis.verify import Verify

_REFERENCE = (
    r"^[a-z0-9.-]+(:[0-9]{1,5})?/[a-z0-9._/-]+"
    r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$"
)
_IMAGE = r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$"


class ZipSource(CamelStruct):
    """An archive (zip or tar.gz) at a URL."""

    model_config = ConfigDict(
        json_schema_extra=validated(
            (
                "!self.url.startsWith('http://') || has(self.digest)",
                "an http:// URL needs a digest: anyone on the way could change the archive",
            )
        )
    )

    url: URL = Field(pattern=r"^(https?|s3|gs|az|store)://[^\s]+$")
    """Where the archive is: `https://`, `s3://bucket/key`, `gs://bucket/key`, `az://container/key`, `store://`
    for one that was uploaded to this platform, or `http://` with a digest."""
    digest: Digest | None = None
    """SHA-256 of the archive's bytes; without it, what is there at the first fetch is pinned."""
    secret_ref: LocalReference | None = None
    """Secret with what the URL asks for: `username` and `password` or `token` for https; the object store's
    own names (`aws_access_key_id`, ...) for s3, gs and az."""


class OCISource(CamelStruct):
    """An archive that is an artifact in an OCI registry."""

    reference: str = Field(
        max_length=1024,
        pattern=_REFERENCE,
    )
    """`registry/repository:tag`, `registry/repository@sha256:...`, or both; a tag is resolved once and
    pinned."""
    pull_secrets: tuple[LocalReference, ...] = Field(default=(), max_length=8)
    """Secrets of type `kubernetes.io/dockerconfigjson` that log in to the registry."""


class Source(CamelStruct):
    """Where the archive comes from: exactly one of the fields."""

    model_config = ConfigDict(
        json_schema_extra=validated(
            ("has(self.zip) != has(self.oci)", "name exactly one source: zip, or oci")
        )
    )

    zip: ZipSource | None = None
    """An archive at a URL."""
    oci: OCISource | None = None
    """An archive in an OCI registry."""


class ExtractorVersionSpec(CamelStruct):
    """What a version is; it never changes."""

    model_config = ConfigDict(
        json_schema_extra=validated(
            ("self == oldSelf", "a version never changes: push another one, with a version of its own")
        )
    )

    extractor: str = Field(max_length=63, pattern=DNS_LABEL)
    """The extractor that it is a version of: the manifest's name, with `-` for `_`."""
    version: Version
    """`MAJOR.MINOR.PATCH`, as the manifest says."""
    source: Source
    """Where the archive comes from."""
    image: str | None = Field(default=None, max_length=1024, pattern=_IMAGE)
    """Container image to run in, instead of the platform's or the manifest's `container_image`; from prefixes
    that the operator allows. Code always comes from the archive."""
    image_pull_secrets: tuple[LocalReference, ...] = Field(default=(), max_length=8)
    """Secrets of type `kubernetes.io/dockerconfigjson` that log in to the image's registry."""
    verify: Verify | None = None
    """Who must have signed the archive."""
    message: Sentence | None = None
    """What is new, for `extractor log`."""


class ArtifactStatus(CamelStruct):
    """The accepted archive, as it is stored and will run."""

    model_config = ConfigDict(extra="ignore")

    digest: Digest
    """SHA-256 of the canonical archive that was made of the accepted files."""
    size: int = Field(ge=0)
    """Bytes."""
    policy: str | None = Field(default=None, max_length=64)
    """Fingerprint of the operator's settings that accepted it; under others it is judged again."""


class SourceStatus(CamelStruct):
    """What was fetched."""

    model_config = ConfigDict(extra="ignore")

    digest: Digest
    """SHA-256 of the archive's bytes as they came."""
    size: int = Field(ge=0)
    """Bytes."""
    resolved: URL
    """The source with its digest: what a tag pointed to when it was resolved."""
    moved_to: Digest | None = None
    """What the tag points to by now; it is shown, and not followed."""


class FindingStatus(CamelStruct):
    """One finding of the scan."""

    model_config = ConfigDict(extra="ignore")

    rule: str = Field(max_length=16)
    """Rule, as `extractor rules` and docs/rules.md explain it."""
    message: Sentence
    """What is wrong."""
    path: str | None = Field(default=None, max_length=1024)
    """File of the archive."""
    line: int | None = Field(default=None, ge=0)
    """Line in that file."""
    advice: Sentence | None = None
    """What to do instead."""


class ScanStatus(CamelStruct):
    """What the scan decided; the whole report is in the store."""

    model_config = ConfigDict(extra="ignore")

    verdict: Verdict
    """`accept` or `reject`."""
    rejected: int = Field(default=0, ge=0)
    """Findings that reject."""
    warnings: int = Field(default=0, ge=0)
    """Findings that warn."""
    findings: tuple[FindingStatus, ...] = Field(default=(), max_length=10)
    """The first ten, those that reject before those that warn."""
    ruleset: str = Field(max_length=32)
    """Version of the rules that judged."""
    strictness: Strictness
    """How the operator's settings weigh findings about code in this namespace."""
    python: str = Field(max_length=16)
    """Python that parsed the code."""


class EnvironmentStatus(CamelStruct):
    """What the version runs in."""

    model_config = ConfigDict(extra="ignore")

    image: str | None = Field(default=None, max_length=1024)
    """Container image by digest."""
    key: str | None = Field(default=None, max_length=64)
    """Name of the dependency environment: a hash of image, Python and locked requirements; none without
    dependencies."""
    packages: int = Field(default=0, ge=0)
    """Distributions in it."""
    size: int = Field(default=0, ge=0)
    """Bytes, installed."""
    digest: Digest | None = None
    """SHA-256 of the archive by which it reaches pods; none on one machine, where nothing is sent."""
    archive_size: int = Field(default=0, ge=0)
    """Bytes of that archive."""


class FeatureStatus(CamelStruct):
    """A vector that this version writes."""

    model_config = ConfigDict(extra="ignore")

    uri: URL
    """`mixpeek://extractor@version/feature`."""
    dimensions: int = Field(ge=1, le=65536)
    """Length of the vector."""
    distance: Distance
    """How two of them compare."""


class ExtractorVersionStatus(Status):
    """What became of a version."""

    source: SourceStatus | None = None
    """What was fetched."""
    signer: Sentence | None = None
    """Who signed it."""
    scan: ScanStatus | None = None
    """What the scan decided."""
    artifact: ArtifactStatus | None = None
    """The accepted archive."""
    environment: EnvironmentStatus | None = None
    """What it runs in."""
    features: tuple[FeatureStatus, ...] = Field(default=(), max_length=64)
    """The vectors that it writes."""


class ExtractorVersion(Resource):
    """One immutable version of an extractor: an archive of Python, pinned by digest, scanned, and made
    runnable."""

    PLURAL: ClassVar[str] = "extractorversions"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("exv",)
    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("Extractor", ".spec.extractor"),
        Column("Version", ".spec.version"),
        condition_column("Ready"),
        Column("Scan", ".status.scan.verdict"),
        Column("Size", ".status.artifact.size", "integer", "Bytes of the accepted archive."),
        AGE,
        condition_column("Ready", field="reason", name="Reason"),
        Column("Digest", ".status.artifact.digest", wide=True),
        condition_column("Ready", field="message", name="Message", wide=True),
    )
    VALIDATIONS: ClassVar[tuple[tuple[str, str], ...]] = (
        (
            "self.metadata.name == self.spec.extractor + '-' + self.spec.version",
            "metadata.name must be spec.extractor, a dash, and spec.version, for example text-embedder-1.0.0:"
            " so no two objects are the same version",
        ),
    )

    spec: ExtractorVersionSpec
    """What the version is; it never changes."""
    status: ExtractorVersionStatus = ExtractorVersionStatus()
    """What became of it; the operator writes this."""
