"""`python -m extractor_operator --settings FILE`: the operator, until it is told to stop.

kopf only watches. Everything is tried again from what is in the cluster when a process dies, so that one
which cannot go on says why, and ends.
"""

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import shutil
import socket
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import kopf
import uvloop

from extractor_apis import settings
from extractor_apis.errors import ExtractorError
from extractor_apis.settings import Settings
from extractor_artifacts import ArtifactStore
from extractor_operator import handlers, installed, kube, offer, probes, sweep, watched
from extractor_operator.collections import attempt as collections
from extractor_operator.context import Context
from extractor_operator.endpoint import server
from extractor_operator.extractors import attempt as extractors
from extractor_operator.health import Health, Watch
from extractor_operator.inbox import Inbox
from extractor_operator.kind import Kind
from extractor_operator.kube import Client
from extractor_operator.lease import Lease
from extractor_operator.metrics import Metrics
from extractor_operator.reconcile import Reconciler
from extractor_operator.relations import Key
from extractor_operator.resync import Resync
from extractor_operator.runs import attempt as runs
from extractor_operator.slots import Slots
from extractor_operator.store import Store
from extractor_operator.versions import attempt as versions
from extractor_operator.versions.scan import Scanner
from extractor_operator.versions.scan_service import ScanService
from extractor_operator.workqueue import WorkQueue

_SPARE_WORKERS = 4
"""Beyond the slots, so that short work is never behind long work."""
_WATCH_SECONDS = 300
"""Whole: the API server takes no other."""

_BETWEEN_COLLECTIONS = 10_000
"""Objects that are made between looks for garbage."""

_logger = logging.getLogger("extractor_operator")


KINDS: tuple[Kind[Any], ...] = (versions.kind(), extractors.kind(), collections.kind(), runs.kind())


def main(arguments: Sequence[str] | None = None, *, kinds: Sequence[Kind[Any]] = KINDS) -> int:
    """Run the operator; give its exit status. Tests bring kinds of their own."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    # Ours only: the HTTP client's would show signed URLs.
    logging.getLogger("extractor_operator").setLevel(logging.INFO)
    try:
        decided = settings.read(options.settings) if options.settings else Settings()
        # What the process has begun with it keeps. Looking for garbage in it was a tenth of its work.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_BETWEEN_COLLECTIONS, 20, 20)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(decided, options, kinds))
    except (ExtractorError, OSError) as err:
        _logger.error("%s", err)
    except Exception:
        _logger.exception("the operator cannot go on")
    else:
        return 0
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="extractor-operator", description="Reconcile extractors.")
    add = parser.add_argument
    add("--settings", type=Path, metavar="FILE", help="its settings; without, the strictest")
    add("--namespace", action="append", default=[], help="serve only this one; may be repeated")
    add("--port", type=int, default=8080, help="for /livez and /metrics (%(default)s)")
    add("--endpoint-port", type=int, default=8443, help="where pods fetch code, in a cluster (%(default)s)")
    add("--tls-cert", type=Path, metavar="FILE", help="certificate of that endpoint; without, plain HTTP")
    add("--tls-key", type=Path, metavar="FILE", help="its key, unless the certificate's file has it")
    add("--lease", metavar="NAMESPACE/NAME", help="wait for this Lease, and stop when it is lost")
    add("--at-once", type=int, default=16, metavar="N", help="reconciles at a time (%(default)s)")
    add("--resync", type=float, default=600.0, metavar="SECONDS", help="between comparisons (%(default)s)")
    return parser


async def _run(decided: Settings, options: argparse.Namespace, kinds: Sequence[Kind[Any]]) -> None:
    metrics, store, looked_at = Metrics(), Store(), watched.kinds(decided)
    watch = Watch(asyncio.get_running_loop().time)
    identity = f"{socket.gethostname()}-{os.getpid()}"
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(kube.connect())
        scans = ScanService()
        stack.push_async_callback(scans.close)
        queue: WorkQueue[Key]
        slots = Slots(options.at_once, wake=lambda key: queue.add(key))
        queue = WorkQueue(lambda key: reconciler.run(key), workers=options.at_once + _SPARE_WORKERS)
        inbox = Inbox(store, queue, frozenset(kind.resource.__name__ for kind in kinds))
        ctx = _context(decided, client, inbox, metrics, scans, options.at_once)
        reconciler = Reconciler(ctx, inbox, slots, kinds, instance=identity)
        metrics.observe(
            depth=lambda: queue.depth,
            failing=lambda: queue.failing,
            waiting=lambda: slots.waiting,
            conditions=lambda: store.conditions,
        )
        health = Health(lambda: queue.oldest_seconds, watch)
        await stack.enter_async_context(probes.serve(options.port, health.problem, metrics))
        lease = _lease(options.lease, client, identity)
        if lease:
            _logger.info("waiting for the lease %s", options.lease)
            await lease.acquire()
            stack.push_async_callback(lease.release)
        _empty(ctx.work)
        resync = Resync(client, inbox, watch, looked_at, tuple(options.namespace))
        await resync.prime()
        if decided.cluster:
            await installed.check(client)
            offered = offer.exchange(ctx, queue.add)
            tls = server.tls(options.tls_cert, options.tls_key) if options.tls_cert else None
            await stack.enter_async_context(server.serve(offered, options.endpoint_port, tls=tls))
        registry = kopf.OperatorRegistry()
        handlers.register(registry, looked_at, inbox, watch, metrics)
        _logger.info("at work on %d objects", len(store))
        await _together(
            _watch(registry, options.namespace),
            queue.run(),
            resync.run(options.resync),
            sweep.run(store, ctx, every=options.resync),
            *([lease.keep()] if lease else []),
        )


def _context(
    decided: Settings, client: Client, inbox: Inbox, metrics: Metrics, scans: ScanService, at_once: int
) -> Context:
    return Context(
        client=client,
        settings=decided,
        inbox=inbox,
        artifacts=ArtifactStore(decided.store),
        scanner=Scanner(asyncio.Semaphore(os.cpu_count() or 1), decided.advisories, run=scans.scan),
        threads=ThreadPoolExecutor(at_once, thread_name_prefix="blocking"),
        work=decided.store.absolute() / "work",
        metrics=metrics,
    )


def _lease(named: str | None, client: Client, identity: str) -> Lease | None:
    if named is None:
        return None
    namespace, _, name = named.partition("/")
    return Lease(client, namespace, name, identity)


def _empty(work: Path) -> None:
    """Remove what a process left that was killed."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)


def _watch(registry: kopf.OperatorRegistry, namespaces: Sequence[str]) -> Coroutine[None, None, None]:
    """Have kopf watch, and leave no trace on any object: no annotation, no finalizer, no event."""
    configured = kopf.OperatorSettings()
    configured.posting.enabled = False
    configured.scanning.disabled = True
    configured.persistence.diffbase_storage = handlers.NoDiff()
    configured.persistence.progress_storage = handlers.NoProgress()
    # After an event it keeps a task for the object as long as this; ours are done at once.
    configured.queueing.idle_timeout = 1.0
    configured.watching.chunk_size = 100
    configured.watching.server_timeout = _WATCH_SECONDS
    configured.watching.client_timeout = _WATCH_SECONDS + 10
    configured.networking.request_timeout = 30.0
    configured.networking.connect_timeout = 10.0
    return kopf.operator(
        registry=registry,
        settings=configured,
        standalone=True,
        clusterwide=not namespaces,
        namespaces=namespaces,
    )


async def _together(*coroutines: Coroutine[None, None, None]) -> None:
    """Run all until one ends, however it does; the others end with it."""
    tasks = [asyncio.ensure_future(each) for each in coroutines]
    done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    for task in done:
        task.result()


if __name__ == "__main__":
    status = main()
    logging.shutdown()
    # Threads that download would be waited for. Whatever is half-done is done again by the next process.
    os._exit(status)
