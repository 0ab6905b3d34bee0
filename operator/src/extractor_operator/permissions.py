"""What the operator may do in a cluster.

Each module lists the verbs that it uses, and a test holds `operator/rbac.yaml` to the sum.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Permission:
    """Verbs on a resource."""

    group: str
    resource: str
    verbs: frozenset[str]
    own_namespace_only: bool = False
    """Whether it is only needed in the namespace that the operator itself runs in."""


def permission(group: str, resource: str, *verbs: str, own_namespace_only: bool = False) -> Permission:
    """List the verbs that a module uses on a resource."""
    return Permission(group, resource, frozenset(verbs), own_namespace_only)
