"""Every handler that kopf calls. They only remember and enqueue, which cannot fail: kopf drops errors."""

import time
from typing import Any

import kopf

from extractor_apis.extractorversion import ExtractorVersion
from extractor_operator.health import Watch
from extractor_operator.metrics import Metrics
from extractor_operator.permissions import permission
from extractor_operator.store import Key, Store, key_of
from extractor_operator.workqueue import WorkQueue

PERMISSIONS = (permission(ExtractorVersion.GROUP, ExtractorVersion.PLURAL, "list", "watch"),)


def register(
    registry: kopf.OperatorRegistry, store: Store, queue: WorkQueue[Key], watch: Watch, metrics: Metrics
) -> None:
    """Have what the watch of each kind brings put into the store, and its key into the queue."""

    kind = (ExtractorVersion.GROUP, ExtractorVersion.VERSION, ExtractorVersion.PLURAL)

    @kopf.on.event(*kind, registry=registry)
    async def seen(type: str | None, body: kopf.Body, **_: Any) -> None:
        raw = dict(body)
        key = key_of(raw)
        watch.heard(key)
        metrics.last_event.labels(key.kind).set(time.time())
        change = store.remove(raw) if type == "DELETED" else store.put(raw)
        if change:
            queue.add(key, renewed=change.is_renewed)

    @kopf.on.login(registry=registry)
    async def login(**options: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_service_account(**options) or kopf.login_with_kubeconfig(**options)
