"""`python -m benchmarks.workloads.tutorial FILE NAMESPACE`: an operator as kopf's tutorial has it.

A handler for the creation of each kind makes the same children as ours, with the official client, and leaves
a status; one for its deletion, as most have, brings the finalizer. The children are not rendered: they are
filled into the recorded ones, which is less work.
"""

import logging
import sys
from pathlib import Path
from typing import Any

import kopf
from kubernetes import client, config

from benchmarks.workloads import template
from benchmarks.workloads.template import Copy, Write

GROUP, VERSION = "extractors.mixpeek.com", "v1alpha1"
KINDS = ("extractors", "collections", "extractorruns")

_logger = logging.getLogger(__name__)


def register(writes: list[Write]) -> None:
    """Have kopf call a handler for each kind."""
    for plural in KINDS:
        own = [each for each in writes if each.path.endswith("/status") and f"/{plural}/" in each.path]
        uid = own[-1].body["metadata"]["uid"]
        children = [each for each in writes if each.is_child and _owner(each) == uid]
        kopf.on.create(GROUP, VERSION, plural)(_create(uid, children, own[-1]))
        kopf.on.delete(GROUP, VERSION, plural)(_delete)


def _create(uid: str, children: list[Write], said: Write) -> Any:
    was = said.body["metadata"]

    def create(name: str, namespace: str, body: kopf.Body, patch: kopf.Patch, **options: Any) -> None:
        stem = was["name"].partition(template.NAME)[2]
        copy = Copy(name.removesuffix(stem), was["namespace"], namespace, {uid: body.metadata["uid"]})
        for child in map(copy.of, children):
            _, _, group, version, _, _, plural, *_rest = child.path.split("/")
            client.CustomObjectsApi().create_namespaced_custom_object(
                group, version, namespace, plural, child.body
            )
        patch.status.update(copy.of(said).body["status"])

    return create


def _delete(name: str, **_: Any) -> None:
    _logger.info("%s goes", name)


def _owner(write: Write) -> str:
    return str(write.body["metadata"]["ownerReferences"][0]["uid"])


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    config.load_kube_config()
    register(template.read(Path(sys.argv[1])))
    kopf.run(standalone=True, namespaces=[sys.argv[2]])
