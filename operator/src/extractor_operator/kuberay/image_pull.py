"""Why an image cannot be pulled, in the same words whether it was just tried or waits for the next try."""

import re

from extractor_operator.kuberay.wording import quote

_FAILURES = {
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "RegistryUnavailable",
    "ImageInspectError",
    "SignatureValidationFailed",
}
_IMAGE = re.compile(r'\bimage "(?P<image>[^"]+)"')
_QUOTED = re.compile(r'"[^"]*"')
_BACK_OFF = re.compile(r'^Back-off pulling image "[^"]*"(: ErrImagePull)?:?\s*')
_PREFIX = re.compile(r'^(?:rpc error: code = \w+ desc = |failed to pull and unpack image "[^"]*": )+')
# By the first that fits: registries say "not found" and "denied" of one image in one sentence.
_EXPLANATIONS = (
    (r"connection refused", "its registry refuses connections"),
    (r"no such host", "the name of its registry is not known to the node"),
    (r"x509|certificate", "the node does not trust its registry's certificate"),
    (r"i/o timeout|deadline exceeded|handshake timeout|EOF", "its registry does not answer in time"),
    (
        r"toomanyrequests|too many requests|\b429\b",
        "its registry has had too many requests (HTTP 429): log in with a pull secret, or wait",
    ),
    (
        r"unauthorized|authentication required|authorization failed|denied|forbidden|no basic auth|40[13]\b",
        "its registry wants a login, or refuses the one it got: name a Secret in spec.imagePullSecrets",
    ),
    (r"no match for platform", "it has no variant for the node's processor"),
    (r"no space left", "the node's disk is full"),
    (
        r"not found|manifest unknown|name unknown",
        "there is no such image in its registry: correct the name, or push it",
    ),
)


def is_failure(reason: str) -> bool:
    """Tell whether a container waits for this reason because its image cannot be had."""
    return reason in _FAILURES


def explain(reason: str, said: str, image: str = "") -> str:
    """Say which image cannot be pulled and why, and what to do."""
    named = _IMAGE.search(said)
    shown = quote(named["image"] if named else image or "?")
    if reason == "InvalidImageName":
        return f"{shown} is no name of an image: correct it"
    if reason == "ErrImageNeverPull":
        return f"the image {shown} is not on the node, and imagePullPolicy: Never forbids to pull it"
    why = _PREFIX.sub("", _BACK_OFF.sub("", said))
    # An image may be called "denied:401".
    bare = _QUOTED.sub("", why).replace(named["image"] if named else image, "")
    for pattern, explanation in _EXPLANATIONS:
        if re.search(pattern, bare, re.IGNORECASE):
            return f"the image {shown} cannot be pulled: {explanation}"
    return f"the image {shown} cannot be pulled: {quote(why) or 'kubectl describe pod shows why'}"
