"""The judgement of a trial: which promises of the manifest were broken, and what else a user should know.

Everything here is pure. `rehearsal` does what there is to see, `observed` says what was seen.
"""

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence

from extractor_apis.manifest import Distance, Manifest
from extractor_apis.meta import Struct
from extractor_apis.run import DeadLetter, RunState, StepReport
from extractor_apis.scan import Finding, Severity
from extractor_runtime.trial import coverage, parity
from extractor_runtime.trial.coverage import AttributeCoverage, FeatureCoverage
from extractor_runtime.trial.observed import Batch, Realtime, Seen
from extractor_runtime.trial.parity import Pair, Parity

MIN_COSINE = 0.999
_GIB = 1 << 30
_SPARE = 1.25
_WASTE = 4
_GPU_LIBRARIES = {
    *("torch", "torchvision", "torchaudio", "transformers", "sentence_transformers", "onnxruntime", "timm"),
    *("accelerate", "open_clip", "tensorflow", "jax", "cupy", "ctranslate2", "faster_whisper", "vllm"),
    *("engine.models", "engine.inference", "shared.inference", "shared.models", "mixpeek_dev"),
}
"""Libraries that can use a GPU, and the platform's loaders, which load them."""


class RealtimeReport(Struct):
    """How the realtime half answered."""

    starts: bool
    asked: int
    answered: int
    median_ms: float | None
    """None with fewer than two answers."""
    load_seconds: float


class TrialReport(Struct):
    """The outcome of a trial."""

    extractor: str
    passed: bool
    """Whether every promise was kept; warnings do not count."""
    samples: tuple[str, ...] = ()
    """What it was tried on."""
    batch: RunState | None = None
    features: tuple[FeatureCoverage, ...] = ()
    attributes: tuple[AttributeCoverage, ...] = ()
    realtime: RealtimeReport | None = None
    parity: tuple[Parity, ...] = ()
    findings: tuple[Finding, ...] = ()
    """Broken promises (``reject``), then warnings; T01 to T08, and those of the scan."""

    @classmethod
    def refused(cls, extractor: str, findings: tuple[Finding, ...]) -> "TrialReport":
        """Report an archive that the scan refused: nothing of it was tried."""
        return cls(extractor=extractor, passed=False, findings=findings)


def judge(manifest: Manifest, seen: Seen, *, min_cosine: float = MIN_COSINE) -> TrialReport:
    """Hold what was seen against what the manifest promises."""
    batch, realtime = seen.batch, seen.realtime
    ran = batch.state is not None and batch.fault is None
    features = coverage.of_features(manifest, batch.documents, batch.dead_letters) if ran else []
    attributes = coverage.of_attributes(manifest, batch.documents) if batch.documents else []
    pairs: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in parity.pair(batch.documents, realtime.answers if realtime else ()):
        pairs[pair.feature].append(pair)
    findings = [
        *_judge_samples(seen),
        *_judge_batch(manifest, batch),
        *_judge_features(features, batch.dead_letters),
        *_judge_attributes(attributes),
        *_judge_realtime(manifest, realtime),
        *_judge_parity(manifest, pairs, min_cosine),
        *_judge_unchecked(batch, realtime, pairs.keys()),
        *_judge_resources(manifest, batch.state.steps if batch.state else (), seen.imports),
        *seen.scan,
    ]
    order = list(Severity)
    return TrialReport(
        extractor=str(manifest.uri),
        passed=all(finding.severity is not Severity.REJECT for finding in findings),
        samples=seen.samples,
        batch=batch.state,
        features=tuple(features),
        attributes=tuple(attributes),
        realtime=_report(realtime) if realtime else None,
        parity=tuple(parity.summarize(each) for each in pairs.values()),
        findings=tuple(sorted(findings, key=lambda finding: order.index(finding.severity))),
    )


def _judge_samples(seen: Seen) -> Iterator[Finding]:
    advice = "Set example_input in the manifest to what a user would send, or give --input FILE."
    for reason in seen.skipped:
        yield _finding("T08", reason, Severity.WARN, advice=advice)
    if not seen.samples and not seen.skipped:
        yield _finding("T08", "there is nothing to try it on", Severity.WARN, advice=advice)


def _judge_batch(manifest: Manifest, batch: Batch) -> Iterator[Finding]:
    vectors = [feature.name for feature in manifest.vectors]
    letters = [
        letter
        for letter in batch.dead_letters
        if not any(coverage.is_about(letter, name) for name in vectors)
    ]
    # A run in which every object fails says so with the first failure: that is told once, below.
    if batch.fault and not any(letter.error in batch.fault.message for letter in letters):
        yield _finding("T01", f"the batch half fails: {batch.fault.message}", at=batch.fault.location)
    for (step, error, location), count in Counter(
        (letter.step, letter.error, letter.location) for letter in letters
    ).items():
        first = next(letter.object_id for letter in letters if letter.error == error)
        more = f" and {count - 1} more" if count > 1 else ""
        yield _finding("T02", f"{step} fails on {first}{more}: {error}", at=location)


def _judge_features(features: Sequence[FeatureCoverage], letters: Sequence[DeadLetter]) -> Iterator[Finding]:
    for feature in features:
        if feature.failed:
            first = next(each for each in letters if coverage.is_about(each, feature.name))
            yield _finding(
                "T03",
                f"{feature.failed} of {feature.rows} rows have no good vector of {feature.name}, "
                f"{first.object_id} for one: {first.error}",
                advice="Write as many finite numbers as the manifest declares into every row.",
            )
        elif feature.rows and not feature.vectors:
            message = f"no row has a vector of {feature.name}: none of the inputs is of its kind"
            yield _finding("T03", message, Severity.WARN, advice="Give such an input with --input FILE.")


def _judge_attributes(attributes: Sequence[AttributeCoverage]) -> Iterator[Finding]:
    for attribute in attributes:
        if not attribute.present:
            yield _finding(
                "T04",
                f"output_schema promises {attribute.name}, but no document has it",
                Severity.REJECT if attribute.required else Severity.WARN,
                at="manifest.py",
                advice="Write a column of that name, or leave it out of output_schema.",
            )


def _judge_realtime(manifest: Manifest, realtime: Realtime | None) -> Iterator[Finding]:
    if realtime is None:
        return
    if realtime.fault:
        yield _finding(
            "T05", f"the realtime half does not start: {realtime.fault.message}", at=realtime.fault.location
        )
    advice = "If queries send something else, show it in the manifest's example_input."
    for severity, faults in ((Severity.REJECT, realtime.faults), (Severity.WARN, realtime.unpromised)):
        for sample, fault in {fault: (sample, fault) for sample, fault in reversed(faults)}.values():
            yield _finding(
                "T05",
                f"realtime does not answer to {sample}: {fault.message}",
                severity,
                at=fault.location,
                advice=advice if severity is Severity.WARN else None,
            )
    answered = {answer.feature for answer in realtime.answers}
    for feature in manifest.vectors if answered else ():
        if feature.name not in answered:
            yield _finding(
                "T05",
                f"realtime has no vector of {feature.name}: no query can search by it",
                Severity.WARN,
                advice=f"Answer with the key {feature.name!r} when inputs['vector_index'] is that.",
            )


def _judge_parity(manifest: Manifest, pairs: dict[str, list[Pair]], min_cosine: float) -> Iterator[Finding]:
    for feature in manifest.vectors:
        apart = [
            pair
            for pair in pairs.get(feature.name, ())
            if not parity.agrees(pair, min_cosine, by_direction=feature.distance is Distance.COSINE)
        ]
        if apart:
            summary = parity.summarize(apart)
            yield _finding(
                "T06",
                f"batch and realtime disagree on {feature.name}: for {summary.worst} the cosine is "
                f"{summary.min_cosine:.4f} (at least {min_cosine:g}), the largest difference "
                f"{summary.max_difference:.3g}",
                at="realtime.py",
                advice="Embed with the same code and the same preparation in both; for a model that embeds "
                "queries unlike documents on purpose, say --min-cosine.",
            )


def _judge_unchecked(batch: Batch, realtime: Realtime | None, checked: Collection[str]) -> Iterator[Finding]:
    answered = {answer.feature for answer in realtime.answers} if realtime else set()
    stored = {feature for document in batch.documents for feature in document.vectors}
    for feature in sorted((answered & stored).difference(checked)):
        yield _finding(
            "T06",
            f"batch and realtime were not compared on {feature}: what was tried became several documents, "
            "which have no text of their own",
            Severity.INFO,
            advice="Try an input that becomes one document.",
        )


def _judge_resources(
    manifest: Manifest, steps: Sequence[StepReport], imports: frozenset[str]
) -> Iterator[Finding]:
    profile = manifest.compute_profile
    asks_gpu = profile.resource_type == "gpu" or any(step.resource == "gpu" for step in steps)
    if asks_gpu and not imports & _GPU_LIBRARIES:
        yield _finding(
            "T07",
            "a GPU is asked for, but the archive imports nothing that could use one",
            Severity.WARN,
            at="manifest.py",
            advice='Set resource_type to "cpu": a GPU worker costs several times as much.',
        )
    largest = max(steps, key=lambda step: step.peak_memory_bytes, default=None)
    if largest is None:
        return
    needed, asked = largest.peak_memory_bytes / _GIB, profile.actor_memory_gb
    fitting = math.ceil(needed * _SPARE * 2) / 2
    if needed > asked:
        message = f"{largest.name} needed {needed:.1f} GiB, but actor_memory_gb is {asked:g}"
        yield _finding(
            "T07", message, Severity.WARN, at="manifest.py", advice=f"Set it to {fitting:g} or more."
        )
    elif "actor_memory_gb" in profile.model_fields_set and asked > max(_WASTE * needed, 2.0):
        message = f"actor_memory_gb is {asked:g}, but {largest.name} needed {needed:.1f} GiB on these samples"
        yield _finding(
            "T07", message, Severity.INFO, at="manifest.py", advice="Fewer actors fit a node than could."
        )


def _finding(
    rule: str,
    message: str,
    severity: Severity = Severity.REJECT,
    *,
    at: str | None = None,
    advice: str | None = None,
) -> Finding:
    path, _, line = (at or "").partition(":")
    return Finding(
        rule=rule,
        severity=severity,
        message=message,
        path=path or None,
        line=int(line) if line.isdecimal() else None,
        advice=advice,
    )


def _report(realtime: Realtime) -> RealtimeReport:
    median = statistics.median(realtime.latencies) * 1000 if realtime.latencies else None
    return RealtimeReport(
        starts=realtime.fault is None,
        asked=realtime.asked,
        answered=realtime.answered,
        median_ms=median,
        load_seconds=realtime.load_seconds,
    )
