"""Lists beside the watch: one before it begins, and one now and then.

The first lets every reconcile see everything. The others find what was deleted while the watch was away,
which it never says, and whether it still lives.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

from extractor_operator import kube
from extractor_operator.errors import ApiError, Gone
from extractor_operator.health import Watch
from extractor_operator.inbox import Inbox
from extractor_operator.kube import Client, Json
from extractor_operator.relations import Key, concerns_us, key_of
from extractor_operator.watched import Watched

_OURS = "apply the folder crds/"
_INSTALL = {"ray.io": "install KubeRay, or take `cluster` out of the settings"}

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Resync:
    """Compares the store with the API server."""

    client: Client
    inbox: Inbox
    watch: Watch
    kinds: tuple[Watched, ...]
    namespaces: tuple[str, ...]
    """Those that are served; all of them if none is named."""

    async def prime(self) -> None:
        """Fill the store, before anything is watched. Raises ApiError if a kind is not installed."""
        await self._list_all()

    async def run(self, every: float) -> None:
        """Compare now and then, until cancelled."""
        while True:
            await asyncio.sleep(every)
            try:
                for key in await self._list_all():
                    self.watch.missed(key)
            except ApiError as err:
                _logger.warning("the store was not compared with the API server: %s", err)

    async def _list_all(self) -> list[Key]:
        """Take over what lists show; give the keys of what the store did not know."""
        return [key for kind in self.kinds for key in await self._list(kind)]

    async def _pages(self, kind: Watched) -> AsyncIterator[list[Json]]:
        for namespace in self.namespaces or (None,):
            try:
                async for page in self.client.pages(kube.path(kind.api, kind.plural, namespace)):
                    yield page
            except Gone as err:
                raise ApiError(
                    f"the API server knows no {kind.plural}.{kind.group}: {_INSTALL.get(kind.group, _OURS)}"
                ) from err

    async def _list(self, kind: Watched) -> list[Key]:
        before, there, news = tuple(self.inbox.store), set(), []
        async for page in self._pages(kind):
            for body in page:
                if not concerns_us(body):
                    continue
                there.add(key_of(body))
                if self.inbox.seen(body):
                    news.append(key_of(body))
        for change in self.inbox.store.drop(kind.kind, there, before):
            self.inbox.enqueue(change)
        return news
