"""Lists beside the watch: one before it begins, and one now and then.

The first lets every reconcile see everything. The others find what was deleted while the watch was away,
which it never says, and whether it still lives.
"""

import asyncio
import logging
from dataclasses import dataclass

from extractor_apis.extractorversion import ExtractorVersion
from extractor_operator import kube
from extractor_operator.errors import ApiError
from extractor_operator.health import Watch
from extractor_operator.kube import Client
from extractor_operator.store import Key, Store, key_of
from extractor_operator.workqueue import WorkQueue

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Resync:
    """Compares the store with the API server."""

    client: Client
    store: Store
    queue: WorkQueue[Key]
    watch: Watch
    namespaces: tuple[str, ...]
    """Those that are served; all of them if none is named."""

    async def prime(self) -> None:
        """Fill the store, before anything is watched."""
        await self._list()

    async def run(self, every: float) -> None:
        """Compare now and then, until cancelled."""
        while True:
            await asyncio.sleep(every)
            try:
                for key in await self._list():
                    self.watch.missed(key)
            except ApiError as err:
                _logger.warning("the store was not compared with the API server: %s", err)

    async def _list(self) -> list[Key]:
        """Take over what lists show; give the keys of what the store did not know."""
        before, there, news = tuple(self.store), set(), []
        for namespace in self.namespaces or (None,):
            api = f"{ExtractorVersion.GROUP}/{ExtractorVersion.VERSION}"
            async for page in self.client.pages(kube.path(api, ExtractorVersion.PLURAL, namespace)):
                for body in page:
                    there.add(key_of(body))
                    change = self.store.put(body)
                    if change:
                        news.append(change.key)
                        self.queue.add(change.key, renewed=change.is_renewed)
        for change in self.store.drop(ExtractorVersion.__name__, there, before):
            self.queue.add(change.key, renewed=True)
        return news
