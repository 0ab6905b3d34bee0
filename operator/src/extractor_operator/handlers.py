"""Every handler that kopf calls. They only remember and enqueue, which cannot fail: kopf drops errors."""

import time
from collections.abc import Sequence
from typing import Any

import kopf

from extractor_operator import watched
from extractor_operator.health import Watch
from extractor_operator.inbox import Inbox
from extractor_operator.metrics import Metrics
from extractor_operator.permissions import permission
from extractor_operator.relations import concerns_us, key_of
from extractor_operator.watched import Watched

PERMISSIONS = tuple(
    permission(kind.group, kind.plural, "list", "watch") for kind in (*watched.OURS, *watched.WORKLOADS)
)


def register(
    registry: kopf.OperatorRegistry, kinds: Sequence[Watched], inbox: Inbox, watch: Watch, metrics: Metrics
) -> None:
    """Have what the watch of each kind brings put into the store, and whom it concerns into the queue."""

    async def seen(type: str | None, body: kopf.Body, **_: Any) -> None:
        raw = dict(body)
        key = key_of(raw)
        watch.heard(key)
        metrics.last_event.labels(key.kind).set(time.time())
        if not concerns_us(raw):
            return
        if type == "DELETED":
            inbox.gone(raw)
        else:
            inbox.seen(raw)

    for kind in kinds:
        kopf.on.event(kind.group, kind.version, kind.plural, registry=registry)(seen)

    @kopf.on.login(registry=registry)
    async def login(**options: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_service_account(**options) or kopf.login_with_kubeconfig(**options)


class NoDiff(kopf.DiffBaseStorage):
    """Keep no last state, and make none: kopf would copy every object for a diff that nobody asks for."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        """Give an object's essence: nothing."""
        return kopf.BodyEssence()

    def fetch(self, **_: Any) -> None:
        """Remember nothing."""

    def store(self, **_: Any) -> None:
        """Write nothing."""


class NoProgress(kopf.ProgressStorage):
    """Keep no progress of handlers: ours end at once."""

    def fetch(self, **_: Any) -> None:
        """Remember nothing."""

    def store(self, **_: Any) -> None:
        """Write nothing."""

    def purge(self, **_: Any) -> None:
        """Remove nothing."""

    def touch(self, **_: Any) -> None:
        """Write nothing."""

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        """Have nothing of it in an object."""
        return essence
