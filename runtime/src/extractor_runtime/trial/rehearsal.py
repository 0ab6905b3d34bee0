"""A trial of an extractor on this machine: the batch half on Ray Data, then the realtime half here.

What came out is judged by `verdict`. The author's failures are what is looked for, and so never raised here.
"""

import ast
import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import orjson

from extractor_apis.errors import ExtractorError
from extractor_apis.manifest import JsonObject, Manifest
from extractor_apis.run import DeadLetter, ErrorBudget, RunConfig, RunState
from extractor_apis.scan import Finding
from extractor_apis.services import Services
from extractor_runtime.batch import author, ingest, plan
from extractor_runtime.deadline import AuthorThread
from extractor_runtime.loader import Tree
from extractor_runtime.realtime.realtime_service import RealtimeService
from extractor_runtime.trial import samples
from extractor_runtime.trial.interview import Interview
from extractor_runtime.trial.observed import Batch, Realtime, Seen, fault_of
from extractor_runtime.trial.parity import Document
from extractor_runtime.trial.samples import Samples
from extractor_stores import Store


@dataclass(frozen=True)
class Setting:
    """What is tried, on what, and how."""

    tree: Tree
    manifest: Manifest
    files: tuple[Path, ...]
    folder: Path
    """An empty folder for whatever is written."""
    parameters: JsonObject = field(default_factory=dict)
    services: Services = field(default_factory=Services)
    seconds: float = 600.0
    """What the author's code may take to start, and for each batch."""
    cpus: int | None = None


def rehearse(
    it: Setting, scan: tuple[Finding, ...] = (), *, on_state: Callable[[RunState], None] = lambda state: None
) -> Seen:
    """Run both halves on the manifest's example and the files, and say what was seen.

    Raises ExtractorError when a file cannot be read, and only then.
    """
    tried = samples.collect(it.manifest, it.tree.root, it.files, it.folder / "source")
    ran = _run_batch(it, on_state) if tried.in_batch else _build_only(it, tried)
    answered = _ask_realtime(it, tried, ran) if it.tree.has("realtime") else None
    return Seen(
        scan=scan,
        samples=tuple(sample.name for sample in tried.all),
        skipped=tried.skipped,
        batch=ran,
        realtime=answered,
        imports=frozenset(_imports(it.tree.root)),
    )


def _config(it: Setting) -> RunConfig:
    return RunConfig(
        run_id=f"trial-{uuid.uuid4().hex[:12]}",
        collection="trial",
        source=str(it.folder / "source"),
        store=str(it.folder / "store"),
        tree=str(it.tree.root),
        artifact_digest=it.tree.digest,
        top_folder=it.tree.top_folder,
        environment=str(it.tree.environment) if it.tree.environment else None,
        manifest=it.manifest,
        parameters=it.parameters,
        services=it.services,
        # Every failure is wanted, not only the first ones.
        error_budget=ErrorBudget(count=samples.MAX_SAMPLES, share=1),
        batch_timeout=it.seconds,
        cpus=it.cpus,
    )


def _run_batch(it: Setting, on_state: Callable[[RunState], None]) -> Batch:
    config = _config(it)
    last: list[RunState] = []

    def see(state: RunState) -> None:
        last[:] = [state]
        on_state(state)

    fault = None
    try:
        ingest.run(config, on_state=see)
    except ExtractorError as error:
        fault = fault_of(error)
    with Store.open(Path(config.store), create=True) as store:
        letters = store.layout.run(config.run_id) / "dead-letters" / "dead-letters.jsonl"
        return Batch(
            state=last[0] if last else None,
            documents=() if fault else tuple(_documents(store, config)),
            dead_letters=tuple(
                DeadLetter.model_validate_json(line)
                for line in (letters.read_text("utf-8").splitlines() if letters.exists() else ())
            ),
            fault=fault,
        )


def _documents(store: Store, config: RunConfig) -> Iterator[Document]:
    manifest = config.manifest
    record = store.record(config.collection, manifest.name, manifest.version)
    if record is None:
        return
    names = [feature.name for feature in manifest.vectors]
    for rows in store.published(record).scan(["document_id", "object_id", "document", *names]):
        for row in rows.to_pylist():
            vectors = {name: np.asarray(row[name], np.float32) for name in names if row[name] is not None}
            yield Document(row["document_id"], row["object_id"], vectors, orjson.loads(row["document"]))


def _build_only(it: Setting, tried: Samples) -> Batch:
    """Without an input, import the pipeline and create its processors: much goes wrong there already."""
    if tried.all:
        return Batch()  # A reranker has nothing to store: its pipeline says so when it is built.
    config = _config(it)

    def build() -> None:
        steps = plan.resolve_steps(author.build_pipeline(it.tree, config).steps, it.manifest.compute_profile)
        author.make_processors(it.tree, config, steps)

    try:
        with contextlib.closing(AuthorThread(it.tree.root)) as thread:
            thread.call(build, seconds=it.seconds, what="the pipeline")
    except ExtractorError as error:
        return Batch(fault=fault_of(error))
    return Batch()


def _ask_realtime(it: Setting, tried: Samples, ran: Batch) -> Realtime:
    started = time.perf_counter()
    try:
        service = RealtimeService.load(it.tree, it.manifest, it.services, seconds=it.seconds)
    except ExtractorError as error:
        return Realtime(fault=fault_of(error))
    load_seconds = time.perf_counter() - started
    interview = Interview(service, it.manifest, it.parameters, load_seconds=load_seconds)
    try:
        return asyncio.run(interview.hold(tried, ran))
    finally:
        service.close()


def _imports(root: Path) -> Iterator[str]:
    """Name what the archive's files import, each module with the packages it is in."""
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            match node:
                case ast.Import(names=names):
                    modules = [alias.name for alias in names]
                case ast.ImportFrom(module=str(module), names=names, level=0):
                    modules = [f"{module}.{alias.name}" for alias in names]
                case _:
                    continue
            for parts in (module.split(".") for module in modules):
                yield from (".".join(parts[:depth]) for depth in range(1, len(parts) + 1))
