"""What the four kinds have in common with every Kubernetes object: metadata, conditions, references.

These models are also the source of the CRDs (`crd`), so that every string and list has a bound, every field
a sentence for ``kubectl explain``, and numbers ``ge`` and ``le`` only: the API server takes nothing else.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, WithJsonSchema

from extractor_apis.meta import CamelStruct

_NUMBER = r"(0|[1-9][0-9]{0,8})"
DNS_LABEL = r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$"

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$", max_length=71)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]
URL = Annotated[str, Field(max_length=2048)]
Sentence = Annotated[str, Field(max_length=1024)]
Version = Annotated[str, Field(pattern=rf"^{_NUMBER}\.{_NUMBER}\.{_NUMBER}$", max_length=29)]
Quantity = Annotated[
    str,
    Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,9})?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$", max_length=26),
]
"""An amount as Kubernetes writes it, always as text: ``500m``, ``4Gi``, ``"2"``."""
Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"}, max_length=32)]
OpenObject = Annotated[
    dict[str, Any], WithJsonSchema({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
]
"""An object whose fields only its reader knows, such as an extractor's parameters."""


@dataclass(frozen=True)
class Column:
    """A column of ``kubectl get``."""

    name: str
    path: str
    """JSONPath from the object's root."""
    type: str = "string"
    description: str = ""
    wide: bool = False
    """Whether only ``-o wide`` shows it."""


class OwnerReference(CamelStruct):
    """The object that another one is garbage-collected with."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool = False
    block_owner_deletion: bool = False


class ObjectMeta(CamelStruct):
    """What the API server keeps about an object; of it, what we read."""

    model_config = ConfigDict(extra="ignore")

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    owner_references: tuple[OwnerReference, ...] = ()
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(CamelStruct):
    """One aspect of an object's state."""

    type: str = Field(max_length=316, pattern=r"^([a-z0-9.-]+/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$")
    """What is said, as an adjective or past participle: `Ready`, `ArtifactStored`."""
    status: ConditionStatus
    """`True`, `False`, or `Unknown`."""
    observed_generation: int = Field(default=0, ge=0)
    """The generation of the object that this was said of."""
    last_transition_time: Timestamp
    """When the status last changed."""
    reason: str = Field(max_length=256, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")
    """Why, in one word for programs."""
    message: str = Field(max_length=1024)
    """Why, in one sentence for people, and what to do."""


class LocalReference(CamelStruct):
    """An object of the same namespace, by name."""

    name: Name
    """Its name."""


Conditions = Annotated[
    tuple[Condition, ...],
    # Without this, server-side apply replaces the whole list.
    Field(
        max_length=16,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    ),
]


class Status(CamelStruct):
    """What every kind's status begins with."""

    model_config = ConfigDict(extra="ignore")

    observed_generation: int = Field(default=-1, ge=-1)
    """The last generation that was worked to an end, good or bad; -1 while none was."""
    conditions: Conditions = ()
    """`Ready` says whether what was asked for is what is; `Reconciling` and `Stalled` are there only
    while they are True."""


class Resource(CamelStruct):
    """An object of one of our kinds, as it is read: the API server has checked it."""

    model_config = ConfigDict(extra="ignore")

    GROUP: ClassVar[str] = "extractors.mixpeek.com"
    VERSION: ClassVar[str] = "v1alpha1"
    PLURAL: ClassVar[str]
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ()
    COLUMNS: ClassVar[tuple[Column, ...]] = ()
    VALIDATIONS: ClassVar[tuple[tuple[str, str], ...]] = ()
    """CEL rules of the whole object, each with what it says to who breaks it."""

    metadata: ObjectMeta


AGE = Column("Age", ".metadata.creationTimestamp", "date")


def validated(*rules: tuple[str, str]) -> dict[str, Any]:
    """Give a model CEL rules, each with what it says to who breaks it: ``json_schema_extra=validated(…)``."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message} for rule, message in rules]}


def condition_column(type: str, *, wide: bool = False, field: str = "status", name: str = "") -> Column:
    """Show a condition's status, or another of its fields."""
    path = f'.status.conditions[?(@.type=="{type}")].{field}'
    return Column(name or type, path, wide=wide)
