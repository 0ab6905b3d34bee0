"""One operator at a time: a Lease, as Kubernetes' own controllers hold one.

Whoever cannot renew it in time stops, well before another may take it. Clocks need not agree: a Lease is
free when nobody has changed it for its whole duration, as seen from here.
"""

import asyncio
import contextlib
import datetime
import logging
from dataclasses import dataclass
from typing import Any

from extractor_apis.errors import ExtractorError
from extractor_operator import kube
from extractor_operator.errors import ApiError, Exists, Gone
from extractor_operator.kube import Client
from extractor_operator.permissions import permission

PERMISSIONS = (
    permission("coordination.k8s.io", "leases", "get", "create", "update", own_namespace_only=True),
)

_API = "coordination.k8s.io/v1"
_logger = logging.getLogger(__name__)


class LeaseLost(ExtractorError):
    """Another operator may be at work by now: this one must not be."""


@dataclass(frozen=True)
class Lease:
    """A Lease, and who wants it; times are in seconds."""

    client: Client
    namespace: str
    name: str
    identity: str
    duration: int = 15
    """How long it is whose it was after the last renewal."""
    patience: float = 10.0
    """How long the holder tries to renew it before it gives up."""
    pause: float = 2.0

    async def acquire(self) -> None:
        """Wait until it is ours."""
        seen, since = None, 0.0
        while True:
            try:
                held = await self._read()
                now = asyncio.get_running_loop().time()
                if held is None:
                    await self.client.create(self._path(), self._render(None, transitions=0))
                    return
                if held["metadata"]["resourceVersion"] != seen:
                    seen, since = held["metadata"]["resourceVersion"], now
                spec = held.get("spec", {})
                holder = spec.get("holderIdentity") or ""
                if holder in ("", self.identity) or now - since > spec.get("leaseDurationSeconds", 0):
                    transitions = spec.get("leaseTransitions", 0) + (holder != self.identity)
                    await self.client.replace(
                        self._path(self.name), self._render(held, transitions=transitions)
                    )
                    return
            except (ApiError, Exists, Gone) as err:
                _logger.info("the lease %s is not ours yet: %s", self.name, err)
            await asyncio.sleep(self.pause)

    async def keep(self) -> None:
        """Renew it until cancelled. Raises LeaseLost when it is another's, or could not be renewed."""
        renewed = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(self.pause)
            try:
                async with asyncio.timeout(self.patience / 2):
                    await self._renew()
                renewed = asyncio.get_running_loop().time()
            except (ApiError, Gone, TimeoutError) as err:
                if asyncio.get_running_loop().time() - renewed > self.patience:
                    raise LeaseLost(f"the lease {self.name} could not be renewed: {err}") from err

    async def release(self) -> None:
        """Give it up, so that the next operator need not wait; without an API server that has to."""
        with contextlib.suppress(ApiError, Gone):
            held = await self._read()
            if held and held.get("spec", {}).get("holderIdentity") == self.identity:
                free = self._render(held, transitions=held["spec"].get("leaseTransitions", 0))
                free["spec"]["holderIdentity"] = ""
                await self.client.replace(self._path(self.name), free)

    async def _renew(self) -> None:
        held = await self._read()
        holder = (held or {}).get("spec", {}).get("holderIdentity")
        if held is None or holder != self.identity:
            raise LeaseLost(f"the lease {self.name} is {holder or 'nobody'}'s now")
        transitions = held["spec"].get("leaseTransitions", 0)
        await self.client.replace(self._path(self.name), self._render(held, transitions=transitions))

    async def _read(self) -> kube.Json | None:
        try:
            return await self.client.get(self._path(self.name))
        except Gone:
            return None

    def _path(self, *more: str) -> str:
        return kube.path(_API, "leases", self.namespace, *more)

    def _render(self, held: kube.Json | None, *, transitions: int) -> dict[str, Any]:
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = dict((held or {}).get("spec", {}))
        if spec.get("holderIdentity") != self.identity:
            spec["acquireTime"] = now
        return {
            "apiVersion": _API,
            "kind": "Lease",
            # With the version that was read: whoever comes second is refused.
            "metadata": (held or {}).get("metadata", {"name": self.name, "namespace": self.namespace}),
            "spec": {
                **spec,
                "holderIdentity": self.identity,
                "leaseDurationSeconds": self.duration,
                "renewTime": now,
                "leaseTransitions": transitions,
            },
        }
