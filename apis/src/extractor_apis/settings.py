"""The operator's settings, a YAML file: what holds in every namespace, and what holds in some.

They lie where no tenant can write. The operator, the server and `extractor lint --settings` read the same
file, so that a laptop gives the cluster's verdict.
"""

import fnmatch
import ssl
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import yaml
from pydantic import Field, IPvAnyNetwork, JsonValue, ValidationError, field_validator, model_validator

from extractor_apis import naming
from extractor_apis.errors import ExtractorError
from extractor_apis.meta import CamelStruct
from extractor_apis.packages import PackageIndex
from extractor_apis.scan import ScanPolicy
from extractor_apis.verify import Verify

RUNTIME_PYTHON = "3.11"
"""Python of the platform's images."""
RUNTIME_RAY = "2.60.0"
"""Ray of the platform's images."""

Model = TypeVar("Model", bound=CamelStruct)

_MAX_BYTES = 1 << 20
_LIST = "this is a list; each entry starts with `- `, or write [one, two]"
_MISTAKES = {
    "extra_forbidden": "there is no such field here: check its name and its place",
    "missing": "this field is missing",
    "model_type": "here are fields, `name: value`",
    "tuple_type": _LIST,
    "frozen_set_type": _LIST,
    "bool_parsing": "this is true or false",
}
"""What pydantic says in terms of Python."""


class SettingsError(ExtractorError):
    """Settings that cannot be read, or that say what they cannot mean."""


class Policy(CamelStruct):
    """What holds for the archives of a namespace."""

    scan: ScanPolicy = ScanPolicy()
    """How they are scanned."""
    image_prefixes: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=512)], ...], Field(max_length=100)
    ] = ()
    """Where images of one's own may come from: ``registry.example.com/plugins-{namespace}/``; nowhere, if no
    place is named."""
    egress: Annotated[tuple[IPvAnyNetwork, ...], Field(max_length=100)] = ()
    """Networks that extractors may name in their ``egress``; none of theirs is opened, if none is named."""
    require_signature: bool = False
    """Whether they must be signed."""
    verify: Verify | None = None
    """Whose signature counts; None leaves it to the ``verify`` of each version."""

    @property
    def fingerprint(self) -> str:
        """Name all that archives are judged by: what one has accepted, another may refuse."""
        judging = self.model_dump_json(include={"scan", "require_signature", "verify"})
        return naming.stable_hash(judging)[:16]


class NamespacePolicy(Policy):
    """What differs from the defaults in one namespace, or in those whose names fit a pattern."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
    """A namespace, or a pattern: ``team-*``."""


class Sources(CamelStruct):
    """What archives may come from, and how large and slow they may be: tenants choose the URLs."""

    allowed_addresses: Annotated[tuple[IPvAnyNetwork, ...], Field(max_length=100)] = ()
    """Networks that are reached although they are not public: ``10.1.0.0/16``. Link-local and metadata
    addresses belong to no list that is not asking for trouble."""
    allowed_hosts: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=253)], ...], Field(max_length=1_000)
    ] = ()
    """Hosts that archives may come from, or patterns: ``*.example.com``; all public ones if none is named."""
    max_bytes: Annotated[int, Field(ge=1)] = 500 * 1024 * 1024
    """What an archive may weigh."""
    seconds: Annotated[float, Field(gt=0, le=3600)] = 600.0
    """How long one fetch may take."""


class Cluster(CamelStruct):
    """Where workloads run: what their pods are made of, and where their results go."""

    runtime_image: Annotated[str, Field(min_length=1, max_length=512)]
    """The platform's runtime image; extractors that bring none of their own run in it."""
    scan_image: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    """The image that archives are scanned in, a Job for each; None scans beside the operator."""
    namespace: Annotated[str, Field(min_length=1, max_length=63)] = "extractor-system"
    """The operator's own namespace, where archives are scanned. No tenant may read its Secrets or make pods
    in it: who can do that can say what a scan says."""
    endpoint: Annotated[str, Field(pattern=r"^https?://[^\s]+$", max_length=2048)]
    """Where pods reach the operator's artifact endpoint."""
    endpoint_authority: Annotated[str, Field(max_length=16_384)] | None = None
    """Certificate in PEM of who vouches for that endpoint, and nobody else does then; None is whom the images
    trust. It is public: every pod is told it."""
    results: Annotated[str, Field(pattern=r"^file:///[^\s]+$", max_length=2048)]
    """Where results go, a folder for each namespace: ``file:///results``, where the operator has mounted the
    volume that is named next."""
    results_volume: dict[str, JsonValue] = Field(default_factory=dict)
    """That volume, as pods write it: ``{persistentVolumeClaim: {claimName: results}}``. Many nodes write to
    it, and its locks have to hold between them."""
    kuberay_namespace: Annotated[str, Field(min_length=1, max_length=63)] = "kuberay-system"
    """Where KubeRay's operator runs: nobody else from outside reaches the port that gives Ray orders."""
    node_autoscaler: bool | None = None
    """Whether nodes come and go as they are needed; None asks the cluster."""

    @field_validator("endpoint_authority")
    @classmethod
    def _it_is_public_and_a_certificate(cls, pem: str | None) -> str | None:
        if pem is None:
            return None
        if "PRIVATE KEY" in pem:
            raise ValueError("it has a private key, which every pod would be told: leave that out")
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
        except (ssl.SSLError, ValueError):
            raise ValueError(
                "it is no certificate in PEM: give the text of its file, with -----BEGIN CERTIFICATE-----"
            ) from None
        return pem


class Settings(CamelStruct):
    """What an operator decides; everything has a default, and the defaults are the strictest."""

    runtime_python: Annotated[str, Field(pattern=r"^3\.\d{1,2}$")] = RUNTIME_PYTHON
    """Python that the extractors run with; `lint` warns if it scanned with another one."""
    advisories: Path | None = None
    """Zip of OSV records that the opinion ``advisories`` looks into."""
    store: Path = Path("/var/lib/extractors")
    """Folder where an operator keeps archives and environments; no two of them share one."""
    sources: Sources = Sources()
    """What archives may come from."""
    trusted_root: Path | None = None
    """Sigstore trusted root that signatures are held against; None takes the public one."""
    packages: PackageIndex = PackageIndex()
    """Where dependencies come from."""
    cluster: Cluster | None = None
    """Where collections run and extractors serve; None reconciles versions only, on this machine."""
    defaults: Policy = Policy()
    """What holds where no namespace says otherwise."""
    namespaces: Annotated[tuple[NamespacePolicy, ...], Field(max_length=1_000)] = ()
    """The first entry whose name fits counts; the fields that it leaves out are those of the defaults."""

    @model_validator(mode="after")
    def _every_entry_can_be_reached(self) -> Self:
        for position, entry in enumerate(self.namespaces):
            for earlier in self.namespaces[:position]:
                if fnmatch.fnmatchcase(entry.name, earlier.name):
                    raise ValueError(
                        f"the entry `{entry.name}` is never used: `{earlier.name}` above it fits first; "
                        "put the narrower name first"
                    )
        return self

    def beside(self, folder: Path) -> Self:
        """Give the same with every path taken from a folder, and not from where a process happens to be."""
        packages = _placed(self.packages, folder, "credentials", "wheels")
        placed = _placed(self, folder, "advisories", "store", "trusted_root")
        return placed.model_copy(update={"packages": packages})

    def entry(self, namespace: str) -> NamespacePolicy | None:
        """Find the first entry whose name fits a namespace."""
        return next((each for each in self.namespaces if fnmatch.fnmatchcase(namespace, each.name)), None)

    def policy(self, namespace: str | None) -> Policy:
        """Say what holds in a namespace; None asks for the defaults."""
        entry = self.entry(namespace) if namespace else None
        if entry is None:
            return self.defaults
        said = _said(entry)
        if "scan" in said:
            # Field by field, or allowing a distribution would turn off what the defaults require.
            said["scan"] = self.defaults.scan.model_copy(update=_said(entry.scan))
        return self.defaults.model_copy(update=said)


def _placed(model: Model, folder: Path, *names: str) -> Model:
    paths = {name: getattr(model, name) for name in names}
    return model.model_copy(update={name: folder / path for name, path in paths.items() if path is not None})


def _said(model: CamelStruct) -> dict[str, Any]:
    return {name: getattr(model, name) for name in model.model_fields_set if name != "name"}


def read(path: Path) -> Settings:
    """Read settings, whose paths are relative to the file. Raises SettingsError, which names the line."""
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES + 1)
    except OSError as err:
        raise SettingsError(f"cannot read the settings {path}: {err.strerror}") from err
    if len(text) > _MAX_BYTES:
        raise SettingsError(f"the settings {path} have more than {_MAX_BYTES} bytes: name the settings file")
    return parse(text, str(path)).beside(path.absolute().parent)


def parse(text: bytes, name: str) -> Settings:
    """Read settings out of YAML; errors call it by ``name``."""
    try:
        # Of this loader every scalar is a string, and the fields make of it what they are: a Python named
        # 3.10 without quotes is not 3.1.
        root = yaml.compose(text, Loader=yaml.BaseLoader)
        value = yaml.load(text, Loader=yaml.BaseLoader) if root else {}
    except yaml.MarkedYAMLError as err:
        raise SettingsError(f"{name}{_colon_line(err.problem_mark)}: {err.problem or err.context}") from err
    except (yaml.YAMLError, ValueError, RecursionError) as err:
        raise SettingsError(f"{name}: it is no YAML: {' '.join(str(err).split())}") from err
    if root and (twice := _find_twice(root, set())):
        raise SettingsError(f"{name}{_colon_line(twice.start_mark)}: `{twice.value}` is there twice")
    try:
        return Settings.model_validate(value, by_name=False, by_alias=True)
    except ValidationError as err:
        first, *others = err.errors(include_url=False, include_context=False)
        more = f" (and {len(others)} more)" if others else ""
        place = ".".join(map(str, first["loc"]))
        says = _MISTAKES.get(first["type"]) or first["msg"].removeprefix("Value error, ")
        line = _colon_line(_find_mark(root, first["loc"]))
        raise SettingsError(f"{name}{line}: {place + ': ' if place else ''}{says}{more}") from err


def _colon_line(mark: yaml.Mark | None) -> str:
    return f":{mark.line + 1}" if mark else ""


def _find_twice(node: yaml.Node, seen: set[int]) -> yaml.ScalarNode | None:
    """Find a key that a mapping has twice: YAML would take the last one, and nobody would notice."""
    if id(node) in seen:
        return None
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in keys:
                    return key
                keys.add(key.value)
        children = [value for _, value in node.value]
    else:
        children = node.value if isinstance(node, yaml.SequenceNode) else []
    return next(filter(None, (_find_twice(child, seen) for child in children)), None)


def _find_mark(node: yaml.Node | None, location: tuple[int | str, ...]) -> yaml.Mark | None:
    """Find where in the file a value is, or the innermost thing around it that is there."""
    mark = node.start_mark if node else None
    for part in location:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            mark = node.start_mark
        elif isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == part]
            if not found:
                break
            mark, node = found[0][0].start_mark, found[0][1]
    return mark
