"""M: what the manifest says. It is read, never executed."""

import re
from collections.abc import Iterator
from typing import Any

from extractor_apis import naming
from extractor_sandbox.finding import Problem, Rule, rule
from extractor_sandbox.manifest import PATH, Reading
from extractor_sandbox.rules import promises

_DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_IMAGE = re.compile(rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::{_TAG})?(?:@sha256:[0-9a-f]{{64}})?")
_IMAGE_CHARACTERS = 512
_MAX_FEATURES = 64
_FIRST = {"feature_type", "feature_name", "embedding_dim", "distance_metric"}
_SECOND = {"name", "type", "dimensions", "distance"}
_VECTOR_KEYS = {"embedding_dim", "distance_metric", "dimensions", "distance"}
_DISTANCES = {
    "distance_metric": {"cosine", "euclid", "dot"},
    "distance": {"cosine", "euclid", "euclidean", "dot"},
}
_EXAMPLE = (
    '{"feature_type": "embedding", "feature_name": "text_embedding", '
    '"embedding_dim": 384, "distance_metric": "cosine"}'
)


@rule("M01", "Write the value out; leave everything that computes to pipeline.py.")
def values_are_plain(manifest: Reading) -> Iterator[Problem]:
    """A manifest holds plain values and pydantic classes. It is read without running it, so nothing in it
    computes: no calls but Field and ConfigDict, no conditions, loops, comprehensions or functions."""
    yield from manifest.computed


@rule("M02", "Define `feature_extractor_name`, `version` and `features`, each once.")
def names_are_defined(manifest: Reading) -> Iterator[Problem]:
    """The name, the version and the features are defined, only the first two perhaps in `metadata`; no name
    has two values."""
    yield from manifest.assigned_again
    known = manifest.lines.keys() | manifest.known().keys()
    if "metadata" in manifest.lines and "metadata" not in manifest.values:
        return  # Said by M01; any of the names may be in it.
    if not known & {"feature_extractor_name", "name"}:
        yield Problem("`feature_extractor_name` is not defined", PATH)
    if "version" not in known:
        yield Problem("`version` is not defined", PATH)
    if "features" in known and "features" not in manifest.lines:
        message = "`features` lies in `metadata`, where the platform does not read it"
        yield Problem(message, PATH, manifest.line("metadata"), advice="Define `features` beside `metadata`.")
    if "features" not in known:
        if "metadata" in known and known & {"input_schema", "output_schema"}:
            message = "`features` is not defined: the extractor has no vectors"
            yield Problem(message, PATH, manifest.line("metadata"), severity="warn")
        else:
            yield Problem("`features` is not defined", PATH, advice=f"Define `features = [{_EXAMPLE}]`.")


@rule("M03", 'Write, for example, `feature_extractor_name = "text_embedder"` and `version = "1.0.0"`.')
def identity_is_well_formed(manifest: Reading) -> Iterator[Problem]:
    """A name has lower-case letters, digits and underscores, 2 to 63 of them; a version is
    MAJOR.MINOR.PATCH."""
    known = manifest.known()
    key = "feature_extractor_name" if "feature_extractor_name" in known else "name"
    if key in known:
        name = known[key]
        if not (isinstance(name, str) and re.fullmatch(naming.EXTRACTOR_PATTERN, name)):
            message = f"the name {ascii(name)[:80]} is not 2 to 63 lower-case letters, digits and underscores"
            yield Problem(message, PATH, manifest.line(key))
    if "version" in known:
        try:
            naming.normalize_version(known["version"])  # type: ignore[arg-type]
        except (TypeError, ValueError):
            message = f"the version {ascii(known['version'])[:80]} is not MAJOR.MINOR.PATCH as a string"
            yield Problem(message, PATH, manifest.line("version"))


@rule("M04", f"Declare a vector as {_EXAMPLE}.")
def features_are_whole(manifest: Reading) -> Iterator[Problem]:
    """Features are 1 to 64 dicts. One that is a vector has a name, a dimension up to 65,536 and a distance,
    in one of the two dialects and not in a mixture: what is misspelt would be no vector, and nobody would
    notice."""
    if "features" not in manifest.known():
        return
    features = manifest.known()["features"]
    line = manifest.line("features")
    if not isinstance(features, list | tuple) or not 1 <= len(features) <= _MAX_FEATURES:
        yield Problem(f"`features` is not a list of 1 to {_MAX_FEATURES} dicts", PATH, line)
        return
    faults = [_find_feature_fault(feature) for feature in features]
    for position, fault in enumerate(faults, start=1):
        if fault:
            yield Problem(f"feature {position} {fault}", PATH, line)
    if any(faults):
        return
    vectors = [feature for feature in features if _is_first(feature) or _is_second(feature)]
    if len({_is_first(feature) for feature in vectors}) > 1:
        yield Problem("`features` mixes two dialects: some have `feature_type`, others `type`", PATH, line)
        return
    names = [feature["feature_name" if _is_first(feature) else "name"] for feature in vectors]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem(f"two features are named {name}", PATH, line)
    if any(_is_second(feature) for feature in vectors):
        message = "`features` is in the dialect of the SDK's template, which the hosted platform ignores"
        yield Problem(message, PATH, line, severity="warn")


@rule("M05", "Name distributions as in `numpy>=2,<3`, and an image by its digest: `registry/image@sha256:…`.")
def requirements_are_plain(manifest: Reading) -> Iterator[Problem]:
    """Dependencies are names with version ranges, extras and markers: no URLs, paths, repositories or
    options. An image is named by tag, which is resolved once, or by digest."""
    known = manifest.known()
    dependencies = known.get("dependencies")
    line = manifest.line("dependencies")
    if not isinstance(dependencies, list | tuple | None):
        yield Problem("`dependencies` is not a list of strings", PATH, line)
        return
    for dependency in dependencies or ():
        fault = _find_dependency_fault(dependency)
        if fault:
            yield Problem(f"the dependency {ascii(dependency)[:80]} {fault}", PATH, line)
    image = known.get("container_image")
    line = manifest.line("container_image")
    if image is None:
        return
    if not isinstance(image, str) or len(image) > _IMAGE_CHARACTERS or not _IMAGE.fullmatch(image):
        yield Problem(f"`container_image` {ascii(image)[:80]} names no image", PATH, line)
    elif not _DIGEST.fullmatch(image):
        message = "`container_image` names a tag, which may move: it is resolved once and pinned"
        yield Problem(message, PATH, line, severity="warn")


@rule("M06", "Move large data into a file beside the manifest.")
def manifest_is_small(manifest: Reading) -> Iterator[Problem]:
    """A manifest is at most 256 KiB, and its values are nested at most 32 deep."""
    yield from manifest.too_large


FIELDS_FIT = Rule[Reading](
    "M07",
    "Every field of a manifest has the shape that the platform reads: a batch size is a number, for example.",
    "Correct the value, or leave the field out to get its default.",
)


def _is_first(feature: dict[str, Any]) -> bool:
    return feature.get("feature_type") == "embedding"


def _is_second(feature: dict[str, Any]) -> bool:
    return feature.get("type") == "vector"


def _is_called_vector(feature: dict[str, Any]) -> bool:
    """Tell whether a feature says that it is a vector, in these words or nearly so."""
    kinds = f"{feature.get('feature_type')} {feature.get('type')}".lower()
    return "vector" in kinds or "embed" in kinds


def _find_feature_fault(feature: object) -> str | None:
    if not isinstance(feature, dict) or not all(isinstance(key, str) for key in feature):
        return "is no dict with strings as keys"
    if not (feature.keys() & _VECTOR_KEYS or _is_called_vector(feature)):
        return None
    first, second = _FIRST & feature.keys(), _SECOND & feature.keys()
    if first and second:
        return f"mixes two dialects: {', '.join(sorted(first))} with {', '.join(sorted(second))}"
    keys = _FIRST if first else _SECOND
    if keys - feature.keys():
        return f"lacks {', '.join(sorted(keys - feature.keys()))}"
    kind, name, dimensions, distance = (
        ("feature_type", "feature_name", "embedding_dim", "distance_metric")
        if first
        else ("type", "name", "dimensions", "distance")
    )
    if not (_is_first(feature) or _is_second(feature)):
        return f"looks like a vector, but {kind} is {ascii(feature[kind])[:40]}"
    if not isinstance(feature[name], str) or not re.fullmatch(r"[a-z][a-z0-9_]*", feature[name]):
        return f"has {name} {ascii(feature[name])[:80]}: write lower-case letters, digits and underscores"
    if type(feature[dimensions]) is not int or not 1 <= feature[dimensions] <= 65_536:
        return f"has {dimensions} {ascii(feature[dimensions])[:40]}: write a number from 1 to 65536"
    if not isinstance(feature[distance], str) or feature[distance] not in _DISTANCES[distance]:
        known = ", ".join(sorted(_DISTANCES[distance]))
        return f"has {distance} {ascii(feature[distance])[:40]}: write one of {known}"
    return None


def _find_dependency_fault(dependency: object) -> str | None:
    # Imported here because it takes 40 ms, and most manifests depend on nothing.
    from packaging.requirements import InvalidRequirement, Requirement

    if not isinstance(dependency, str):
        return "is no string"
    try:
        requirement = Requirement(dependency)
    except InvalidRequirement:
        return "is no name with a version range"
    return "points to a URL" if requirement.url else None


RULES = (
    values_are_plain,
    names_are_defined,
    identity_is_well_formed,
    features_are_whole,
    requirements_are_plain,
    manifest_is_small,
    FIELDS_FIT,
    *promises.RULES,
)
