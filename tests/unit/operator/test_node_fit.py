"""Whether a node is large enough, and what is said where none is."""

from typing import Any

import pytest

from extractor_apis.conditions import ConditionType, Reason, Stage
from extractor_apis.resource import ConditionStatus
from extractor_operator.kuberay.node_fit import observe_fit

Json = dict[str, Any]


def node(*, labels: dict[str, str] | None = None, **allocatable: str) -> Json:
    amounts = {name.replace("gpu", "nvidia.com/gpu"): amount for name, amount in allocatable.items()}
    return {"metadata": {"name": "n", "labels": labels or {}}, "status": {"allocatable": amounts}}


SMALL = node(cpu="1900m", memory="7936244Ki")
LARGE = node(cpu="32", memory="128Gi")
GPU = node(cpu="8", memory="32Gi", gpu="1")


@pytest.mark.parametrize(
    ("nodes", "asked", "want"),
    [
        pytest.param([SMALL, LARGE], {"cpu": "16", "memory": "64Gi"}, None, id="the larger one"),
        pytest.param([GPU], {"nvidia.com/gpu": "1", "cpu": "8"}, None, id="all of a node"),
        pytest.param(
            [SMALL, GPU],
            {"nvidia.com/gpu": "2", "cpu": "1"},
            "a worker pod asks for 2 nvidia.com/gpu, and no node has more than 1",
            id="more GPUs than a node has",
        ),
        pytest.param(
            [SMALL],
            {"memory": "16Gi"},
            "a worker pod asks for 16Gi memory, and no node has more than 7.569Gi",
            id="more memory than a node has",
        ),
        pytest.param(
            [SMALL],
            {"cpu": "2500m"},
            "a worker pod asks for 2.5 cpu, and no node has more than 1.9",
            id="more processors than a node has",
        ),
        pytest.param(
            [SMALL],
            {"nvidia.com/mig-1g.10gb": "1"},
            "a worker pod asks for 1 nvidia.com/mig-1g.10gb, and no node has more than 0",
            id="a part of a GPU that nobody offers",
        ),
        pytest.param(
            [LARGE, GPU],
            {"cpu": "16", "nvidia.com/gpu": "1"},
            "a worker pod asks for 16 cpu and 1 nvidia.com/gpu, and no node has all of that",
            id="no node has both",
        ),
        pytest.param([], {"cpu": "1"}, "the cluster has no nodes", id="no nodes"),
    ],
)
def test_a_pod_that_no_node_could_hold_is_a_warning(
    nodes: list[Json], asked: dict[str, str], want: str | None
) -> None:
    fit = observe_fit(nodes, {"a worker pod": asked}, has_autoscaler=False)

    if want is None:
        said = "a node is large enough for each of its pods"
        assert fit == Stage(ConditionType.SCHEDULABLE, ConditionStatus.TRUE, Reason.NODE_FITS, said)
    else:
        said = f"no node is large enough: {want}; ask for less, or add a larger node"
        assert fit == Stage(ConditionType.SCHEDULABLE, ConditionStatus.FALSE, Reason.NO_NODE_FITS, said)


@pytest.mark.parametrize(
    ("nodes", "has_autoscaler", "want"),
    [
        pytest.param([SMALL], True, ConditionStatus.UNKNOWN, id="the settings say so"),
        pytest.param([SMALL], None, ConditionStatus.FALSE, id="nobody says so"),
        pytest.param(
            [node(cpu="1", labels={"karpenter.sh/nodepool": "a"})],
            None,
            ConditionStatus.UNKNOWN,
            id="a node's label",
        ),
        pytest.param(
            [node(cpu="1", labels={"karpenter.sh/nodepool": "a"})],
            False,
            ConditionStatus.FALSE,
            id="the settings deny",
        ),
        pytest.param([LARGE], True, ConditionStatus.TRUE, id="it fits what is there"),
    ],
)
def test_where_nodes_come_and_go_those_of_now_prove_nothing(
    nodes: list[Json], has_autoscaler: bool | None, want: ConditionStatus
) -> None:
    assert observe_fit(nodes, {"a worker pod": {"cpu": "16"}}, has_autoscaler=has_autoscaler).status is want


def test_each_pod_of_a_workload_is_looked_at() -> None:
    requests = {"the head pod": {"cpu": "1"}, "a worker pod": {"cpu": "64"}}

    fit = observe_fit([LARGE], requests, has_autoscaler=False)

    assert "a worker pod asks for 64 cpu" in fit.message
