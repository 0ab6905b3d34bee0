"""M: what a manifest says that the rest of the archive, or nobody, keeps. Nothing here rejects."""

from collections.abc import Iterator

from extractor_apis import naming
from extractor_sandbox.finding import Problem, rule
from extractor_sandbox.manifest import PATH, Reading

_KNOWN: dict[str, set[str] | set[int]] = {
    "category": {"text", "image", "video", "audio", "document", "multimodal"},
    "inference_type": {"embedding", "rerank", "classify", "generate", "general"},
    "supported_input_types": {"text", "image", "video", "audio", "pdf", "document", "multimodal"},
    "tier": {1, 2, 3, 4, 5},
}
_WITHOUT_VECTORS = {"rerank", "classify", "generate"}


@rule(
    "M08", "Add realtime.py, or leave `feature_uri` and `serve_config` out of an extractor for batches only."
)
def realtime_is_there(manifest: Reading) -> Iterator[Problem]:
    """A feature URI is answered at query time by realtime.py, and names a feature of this version: else
    searches by it fail."""
    known = manifest.known()
    if "realtime.py" not in manifest.files:
        for name, breaks in (
            ("feature_uri", "there is no realtime.py to embed queries: searches by it fail"),
            ("serve_config", "there is no realtime.py to serve"),
        ):
            if known.get(name):
                yield _warning(manifest, name, f"`{name}` is set, but {breaks}")
    uri = known.get("feature_uri")
    if uri and (fault := _find_uri_fault(str(uri), manifest)):
        advice = "Write mixpeek://NAME@VERSION/FEATURE of this manifest, or leave it out."
        yield _warning(manifest, "feature_uri", f"`feature_uri` {ascii(uri)[:80]} {fault}", advice)


@rule("M09", "List each vector in `features`, with its column, dimensions and distance.")
def vectors_are_declared(manifest: Reading) -> Iterator[Problem]:
    """Only vectors in `features` are stored and searched; those of `required_vector_indexes` are kept as they
    are written, and index nothing. What ranks, classifies or generates needs none."""
    known = manifest.known()
    features = known.get("features")
    wants_vectors = known.get("inference_type") not in _WITHOUT_VECTORS
    if wants_vectors and isinstance(features, list | tuple) and not manifest.vectors():
        yield _warning(manifest, "features", "no feature is a vector: nothing of it can be searched")
    if known.get("required_vector_indexes") and not manifest.vectors():
        message = "`required_vector_indexes` declares vectors that `features` does not"
        yield _warning(manifest, "required_vector_indexes", message)


@rule("M10", "Use one of the known words, so that users find the extractor by it.")
def words_are_known(manifest: Reading) -> Iterator[Problem]:
    """Categories, inference types, input types and tiers are words that the platform sorts extractors by;
    another one is kept, and sorts nothing."""
    for name, words in _KNOWN.items():
        value = manifest.known().get(name)
        values = value if isinstance(value, list | tuple) else [value]
        for each in values:
            if isinstance(each, str | int) and each not in words:
                known = ", ".join(sorted(map(str, words)))
                message = f"`{name}` {ascii(each)[:40]} is none of {known}"
                yield _warning(manifest, name, message)


def _warning(manifest: Reading, name: str, message: str, advice: str | None = None) -> Problem:
    return Problem(message, PATH, manifest.line(name), advice=advice, severity="warn")


def _find_uri_fault(text: str, manifest: Reading) -> str | None:
    known = manifest.known()
    try:
        uri = naming.FeatureURI.parse(text)
        version = naming.normalize_version(str(known.get("version")))
    except ValueError:
        return "is no feature URI"
    name = known.get("feature_extractor_name", known.get("name"))
    if uri.extractor != name or uri.version not in (None, version):
        return "names another extractor or version"
    if uri.feature is not None and uri.feature not in manifest.vectors():
        return f"names no vector of `features`: {', '.join(manifest.vectors()) or 'there is none'}"
    return None


RULES = (realtime_is_there, vectors_are_declared, words_are_known)
