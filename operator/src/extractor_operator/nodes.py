"""The cluster's nodes, looked at where pods find no place: could any of them hold such a pod?"""

import logging

from extractor_apis.conditions import Stage
from extractor_operator import kube
from extractor_operator.context import Context
from extractor_operator.errors import ApiError
from extractor_operator.kube import Json
from extractor_operator.kuberay.node_fit import observe_fit
from extractor_operator.permissions import permission

PERMISSIONS = (permission("", "nodes", "list"),)

_logger = logging.getLogger(__name__)


async def stage(ray_cluster: Json, ctx: Context) -> Stage | None:
    """Say whether some node is large enough for the pods of a Ray cluster's spec.

    None where nodes may not be read: an operator of a few namespaces has no right to, and needs none.
    """
    nodes: list[Json] = []
    try:
        async for page in ctx.client.pages(kube.path("v1", "nodes")):
            nodes += page
    except ApiError as err:
        _logger.info("the nodes were not looked at: %s", err)
        return None
    return observe_fit(nodes, _asked(ray_cluster), has_autoscaler=ctx.cluster.node_autoscaler)


def _asked(ray_cluster: Json) -> dict[str, dict[str, str]]:
    [workers] = ray_cluster["workerGroupSpecs"]
    templates = {
        "the head pod": ray_cluster["headGroupSpec"]["template"],
        "a worker pod": workers["template"],
    }
    # Of the containers that run side by side there is one; init containers ask for less.
    return {
        role: dict(template["spec"]["containers"][0]["resources"]["requests"])
        for role, template in templates.items()
    }
