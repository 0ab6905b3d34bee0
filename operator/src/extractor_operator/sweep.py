"""What no version refers to any more is removed after a grace time: the store is this operator's alone.

There is no finalizer: a version is gone at once, whether anybody is there to clean up or not.
"""

import asyncio
import collections
import json
import logging
from dataclasses import dataclass, field

from extractor_apis.extractorversion import ExtractorVersion
from extractor_artifacts import ArtifactError, digest, environments
from extractor_operator.context import Context
from extractor_operator.endpoint import built
from extractor_operator.store import Store

GRACE_SECONDS = 86_400.0
"""Longer than anything that is being fetched, scanned or started needs."""

_logger = logging.getLogger(__name__)


@dataclass
class References:
    """What versions refer to."""

    blobs: dict[str, set[str]] = field(default_factory=lambda: collections.defaultdict(set))
    """Digests, by namespace."""
    environments: set[str] = field(default_factory=set)
    """Keys."""
    versions: set[str] = field(default_factory=set)
    """Their own uids."""


async def run(store: Store, ctx: Context, *, every: float) -> None:
    """Sweep now and then, until cancelled."""
    while True:
        await asyncio.sleep(every)
        try:
            removed = await ctx.in_thread(sweep, references(store), ctx)
        except (ArtifactError, OSError) as err:
            _logger.warning("the store was not swept: %s", err)
        else:
            _logger.info("removed %d things that no version refers to", removed)


def references(store: Store) -> References:
    """Collect what the versions refer to that are there."""
    found = References()
    for key in store:
        seen = store.get(key)
        if seen is None or key.kind != ExtractorVersion.__name__:
            continue
        status = json.loads(seen.content)["status"]
        source, artifact = status.get("source", {}), status.get("artifact", {})
        # What was resolved may end in the digest of an OCI manifest, which is kept as well.
        resolved = source.get("resolved", "").rpartition("@")[2]
        digests = (source.get("digest", ""), artifact.get("digest", ""), resolved)
        found.blobs[key.namespace].update(filter(digest.is_digest, digests))
        found.environments.update(filter(None, [status.get("environment", {}).get("key")]))
        found.versions.add(seen.uid)
    return found


def sweep(found: References, ctx: Context, *, grace: float = GRACE_SECONDS) -> int:
    """Remove what nothing refers to, and count it. Blocks."""
    everywhere = set().union(*found.blobs.values())
    removed = len(ctx.artifacts.sweep(everywhere, older_than=grace))
    for namespace in ctx.tenants():
        removed += len(ctx.blobs(namespace).sweep(found.blobs.get(namespace, set()), older_than=grace))
    removed += len(environments.expire(ctx.environments, found.environments, older_than=grace))
    removed += ctx.errands.sweep(found.versions, older_than=grace)
    return removed + built.sweep(ctx.built_root, found.environments, older_than=grace)
