"""Why a pod finds no node: the scheduler's sentence without its counts, which change with every node."""

import re

from extractor_operator.kuberay.objects import PodSpec
from extractor_operator.kuberay.wording import quote

_SUMMARY = re.compile(r"^\d+/\d+ nodes are available: (?P<reasons>.*?)\.?(?: preemption: .*)?$", re.DOTALL)
_COUNT = re.compile(r"^\d+ ")
_SHORT = re.compile(r"^Insufficient (?P<resource>\S+)$")
_TAINT = re.compile(r"^node\(s\) had untolerated taint(?:\(s\)|s)?(?: \{(?P<taint>[^}]*)\})?$")
_CLAIMS = re.compile(r"\.? no new claims to deallocate,?")
_KNOWN = {
    "node(s) didn't match Pod's node affinity/selector": "some nodes do not match its node selector",
    "node(s) were unschedulable": "some nodes are cordoned",
    "Too many pods": "some nodes have as many pods as they may",
    "node(s) had volume node affinity conflict": "some nodes cannot mount its volume",
}


def explain(role: str, said: str, spec: PodSpec) -> str:
    """Say what a pod waits for that no node has, from what the scheduler said of it."""
    summary = _SUMMARY.match(_CLAIMS.sub("", said).strip())
    if summary is None:
        return f"no node takes {role}: {quote(said)}"
    reasons = {_COUNT.sub("", each.strip()) for each in re.split(r", (?=\d+ )", summary["reasons"])}
    short = sorted(match["resource"] for each in reasons if (match := _SHORT.match(each)))
    others = sorted(_say(each) for each in reasons if not _SHORT.match(each))
    missing = [f"too little {' and '.join(_ask(spec, each) for each in short)} is free"] if short else []
    return f"no node takes {role}: {'; '.join(missing + others)}"


def _ask(spec: PodSpec, resource: str) -> str:
    asked = next(
        (
            each.resources.requests[resource]
            for each in spec.containers
            if resource in each.resources.requests
        ),
        "",
    )
    return f"{quote(resource)} (it asks for {quote(asked)})" if asked else quote(resource)


def _say(reason: str) -> str:
    taint = _TAINT.match(reason)
    if taint:
        which = f"the taint {quote(taint['taint'].strip(' :'))}" if taint["taint"] else "taints"
        return f"some nodes have {which}, which it does not tolerate"
    return _KNOWN.get(reason, quote(reason))
