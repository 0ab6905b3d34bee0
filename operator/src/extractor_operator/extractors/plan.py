"""What a change needs, in one sentence that stands in the status before it happens. All of it is pure."""

from extractor_apis.extractor import Strategy
from extractor_operator import times
from extractor_operator.extractors.decide import Decision
from extractor_operator.extractors.scene import Scene, Wanted


def sentence(scene: Scene, decision: Decision) -> str | None:
    """Say what starts, what that takes, and for how long there is more than one; None if nothing changes."""
    parts = [
        *filter(None, [_of_asked(scene, decision)]),
        *(
            f"start {each.version}, whose vectors are still published: {_size(each)}"
            for each in decision.starts
            if each.version != scene.version
        ),
        *(f"keep {each.version} warm until {each.until}" for each in decision.warm),
    ]
    return "; ".join(parts) or None


def _of_asked(scene: Scene, decision: Decision) -> str | None:
    target, active = scene.target, next((each for each in decision.served if each.active), None)
    if target is None or (active and active.workload == target.name):
        return None
    start = f"start {target.version}: {_size(target)}"
    if scene.realtime.strategy is Strategy.RECREATE:
        return f"{start}, once what answered before has ended; nobody answers meanwhile"
    if active is None:
        return start
    if active.version == target.version:
        return f"{start}, beside the same version as it was, which goes once this one answers"
    kept = times.say(max(60, scene.realtime.keep_warm_seconds))
    return f"{start} more, beside {active.version}, which keeps its own for {kept} after this one answers"


def _size(wanted: Wanted) -> str:
    pods = f"{wanted.pods} pod{'s' if wanted.pods > 1 else ''} and a head"
    return f"{pods} with {wanted.gpus} {wanted.gpu_resource}" if wanted.gpus else pods
