"""What no version refers to any more is removed after a grace time: the store is this operator's alone.

There is no finalizer: a version is gone at once, whether anybody is there to clean up or not.
"""

import asyncio
import collections
import json
import logging

from extractor_apis.extractorversion import ExtractorVersion
from extractor_artifacts import ArtifactError, digest
from extractor_operator.context import Context
from extractor_operator.store import Store

GRACE_SECONDS = 86_400.0
"""Longer than anything that is being fetched, scanned or started needs."""

_logger = logging.getLogger(__name__)


async def run(store: Store, ctx: Context, *, every: float) -> None:
    """Sweep now and then, until cancelled."""
    while True:
        await asyncio.sleep(every)
        try:
            removed = await ctx.in_thread(sweep, references(store), ctx)
        except (ArtifactError, OSError) as err:
            _logger.warning("the store was not swept: %s", err)
        else:
            _logger.info("removed %d blobs that no version refers to", removed)


def references(store: Store) -> dict[str, set[str]]:
    """Collect the digests that versions refer to, by namespace."""
    found: dict[str, set[str]] = collections.defaultdict(set)
    for key in store:
        if key.kind != ExtractorVersion.__name__:
            continue
        seen = store.get(key)
        status = json.loads(seen.content)["status"] if seen else {}
        source, artifact = status.get("source", {}), status.get("artifact", {})
        # What was resolved may end in the digest of an OCI manifest, which is kept as well.
        resolved = source.get("resolved", "").rpartition("@")[2]
        digests = (source.get("digest", ""), artifact.get("digest", ""), resolved)
        found[key.namespace].update(filter(digest.is_digest, digests))
    return found


def sweep(referenced: dict[str, set[str]], ctx: Context, *, grace: float = GRACE_SECONDS) -> int:
    """Remove what nothing refers to, and count it. Blocks."""
    everywhere = set().union(*referenced.values())
    removed = len(ctx.artifacts.sweep(everywhere, older_than=grace))
    for namespace in ctx.tenants():
        removed += len(ctx.blobs(namespace).sweep(referenced.get(namespace, set()), older_than=grace))
    return removed
