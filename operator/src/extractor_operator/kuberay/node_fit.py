"""Whether some node could hold each pod, were it empty: a warning, never a gate.

A pod that no node is large enough for waits for its whole deadline; this says so in the first second. Where
nodes come as they are needed, those that are there now prove nothing.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import Field

from extractor_apis.conditions import ConditionType, Reason, Stage
from extractor_apis.resource import ConditionStatus
from extractor_operator.kuberay.objects import Foreign, Metadata
from extractor_operator.kuberay.resources import amount

Amounts = dict[str, Decimal]

_AUTOSCALED = ("karpenter.sh/", "cluster-autoscaler.kubernetes.io/", "cluster.x-k8s.io/")
"""What those who add nodes write on them."""
_BYTES = {"memory", "ephemeral-storage"}
_GIB = 2**30


class NodeStatus(Foreign):
    """What a node has for pods."""

    allocatable: dict[str, str] = Field(default_factory=dict)


class Node(Foreign):
    """A machine of the cluster."""

    metadata: Metadata = Metadata()
    status: NodeStatus = NodeStatus()


def observe_fit(
    nodes: Sequence[dict[str, Any]],
    requests: Mapping[str, Mapping[str, str]],
    *,
    has_autoscaler: bool | None,
) -> Stage:
    """Say whether a node is large enough for each pod of a workload.

    ``requests`` has what a pod asks for, by what it is called in a sentence: ``a worker pod``. Where
    ``has_autoscaler`` is None, the marks on the nodes decide.
    """
    known = [Node.model_validate(node) for node in nodes]
    sizes = [_amounts(node.status.allocatable) for node in known]
    short = [said for role, asked in requests.items() if (said := _shortage(role, _amounts(asked), sizes))]
    if not short:
        return _stage(ConditionStatus.TRUE, Reason.NODE_FITS, "a node is large enough for each of its pods")
    if has_autoscaler or (has_autoscaler is None and any(map(_is_autoscaled, known))):
        message = f"no node of now is large enough, and others may come: {short[0]}"
        return _stage(ConditionStatus.UNKNOWN, Reason.NODES_UNKNOWN, message)
    message = f"no node is large enough: {short[0]}; ask for less, or add a larger node"
    return _stage(ConditionStatus.FALSE, Reason.NO_NODE_FITS, message)


def _shortage(role: str, asked: Amounts, sizes: Sequence[Amounts]) -> str | None:
    if any(all(size.get(name, Decimal()) >= each for name, each in asked.items()) for size in sizes):
        return None
    if not sizes:
        return "the cluster has no nodes"
    for name, each in asked.items():
        most = max(size.get(name, Decimal()) for size in sizes)
        if most < each:
            shown = f"{_shown(name, each)} {name}, and no node has more than {_shown(name, most)}"
            return f"{role} asks for {shown}"
    together = " and ".join(f"{_shown(name, each)} {name}" for name, each in asked.items())
    return f"{role} asks for {together}, and no node has all of that"


def _amounts(quantities: Mapping[str, str]) -> Amounts:
    return {name: amount(quantity) for name, quantity in quantities.items()}


def _shown(name: str, value: Decimal) -> str:
    """Write an amount as people read it: a node's memory is not a round number."""
    return f"{float(value) / _GIB:.4g}Gi" if name in _BYTES else f"{float(value):.6g}"


def _is_autoscaled(node: Node) -> bool:
    marks = (*node.metadata.labels, *node.metadata.annotations)
    return any(mark.startswith(_AUTOSCALED) for mark in marks)


def _stage(status: ConditionStatus, reason: Reason, message: str) -> Stage:
    return Stage(ConditionType.SCHEDULABLE, status, reason, message)
