"""A program: all Ray of one RayCluster, in one process tree, which has the place of its pods.

Its first line of output is Ray's address. Each line of its input is a Serve config as KubeRay would send it;
each further line of output says how the applications fare, or that a config was refused. With its input it
ends.
"""

import json
import os
import sys
import threading
from typing import Any

_LOOK_SECONDS = 0.2
_OBJECT_STORE_BYTES = 100 << 20


def main(cpus: int, port: int) -> None:
    """Have Ray, and Serve on a port of this machine once it is asked for, until the input ends."""
    # Whatever else prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    import ray
    from ray import serve

    found = ray.init(
        num_cpus=cpus, include_dashboard=False, object_store_memory=_OBJECT_STORE_BYTES, log_to_driver=False
    )
    print(json.dumps({"address": found.address_info["address"]}), file=answers)
    asked, ended = threading.Event(), threading.Event()
    threading.Thread(target=_obey, args=(port, answers, asked, ended)).start()
    last = None
    while not ended.wait(_LOOK_SECONDS):
        applications = _applications(serve.status()) if asked.is_set() else None
        if applications != last:
            last = applications
            print(json.dumps({"applications": applications}), file=answers)
    ray.shutdown()


def _obey(port: int, answers: Any, asked: threading.Event, ended: threading.Event) -> None:
    from ray import serve
    from ray.serve.context import _get_global_client
    from ray.serve.schema import ServeDeploySchema

    for line in sys.stdin:
        # With the options of the first call, whatever it is called with later.
        serve.start(proxy_location="HeadOnly", http_options={"host": "127.0.0.1", "port": port})
        try:
            _get_global_client().deploy_apps(ServeDeploySchema.model_validate(json.loads(line)))
        except Exception as err:
            print(json.dumps({"refused": str(err)}), file=answers)
        else:
            print(json.dumps({"accepted": True}), file=answers)
        asked.set()
    ended.set()


def _applications(status: Any) -> dict[str, Any]:
    """Say how applications fare, as KubeRay's status has it."""
    return {
        name: {
            **_said(each),
            "serveDeploymentStatuses": {
                deployment: _said(found) for deployment, found in each.deployments.items()
            },
        }
        for name, each in status.applications.items()
    }


def _said(overview: Any) -> dict[str, str]:
    message = {"message": overview.message} if overview.message else {}
    return {"status": str(overview.status.value), **message}


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
