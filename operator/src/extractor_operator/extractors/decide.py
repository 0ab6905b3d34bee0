"""Which RayServices of an extractor are to be, and which of them answer. All of it is pure.

A version that is asked for starts beside the one that answers, which never notices: its stable Service moves
once the new one answers and has settled, and what fails is left or removed without a change to the old one.
"""

from dataclasses import dataclass
from datetime import timedelta

from extractor_apis import naming
from extractor_apis.conditions import Reason
from extractor_apis.extractor import Rollout, ServedVersion, Strategy, WarmVersion
from extractor_operator import times
from extractor_operator.extractors import rollouts
from extractor_operator.extractors.scene import Found, Scene, Wanted
from extractor_operator.kuberay.service import ServicePhase

NO_ROOM = frozenset({Reason.UNSCHEDULABLE, Reason.QUOTA_EXCEEDED})

_GRACE = timedelta(seconds=60)
"""For requests under way, and for every node to learn where a Service leads."""


@dataclass(frozen=True)
class Edit:
    """A change of a RayService in place: of Serve's config, and of what is remembered of it."""

    wanted: Wanted
    config: str
    good: str | None
    refused: str | None


@dataclass(frozen=True)
class Decision:
    """What is to be done, and what the status says then."""

    served: tuple[ServedVersion, ...] = ()
    """What the stable Services have to lead to, the active version first."""
    warm: tuple[WarmVersion, ...] = ()
    rollouts: tuple[Rollout, ...] = ()
    starts: tuple[Wanted, ...] = ()
    edits: tuple[Edit, ...] = ()
    removes: tuple[str, ...] = ()
    """RayServices, by name."""
    replaces: bool = False
    """Whether what answers ends before anything starts."""
    after: float | None = None
    """Seconds until time alone changes something."""

    @property
    def takes(self) -> bool:
        """Tell whether it takes more of the cluster, or ends what answers."""
        return bool(self.starts) or self.replaces


def decide(scene: Scene) -> Decision:
    """Say what is to be done now; it is done when the same decision asks for nothing more."""
    replaced = _replaced(scene)
    served = _served(scene, replaced)
    targets = {each.name for each in map(scene.wanted.get, scene.versions) if each}
    needed = targets | {each.workload for each in served}
    warm = _warm(scene, needed, replaced)
    kept = needed | {each.workload for each in warm}
    known = rollouts.known(scene)
    failed = {each.workload for each in known if rollouts.starts_anew(scene, each)}
    removes = sorted(
        each.name
        for each in scene.found.values()
        if not each.is_going and (each.name not in kept or each.name in failed | replaced)
    )
    starts = _starts(scene, served, replaced)
    edits = tuple(edit for each in scene.versions if (edit := _edit(scene, each)))
    return Decision(
        served=served,
        warm=warm,
        rollouts=rollouts.counted(known, (*starts, *(each.wanted for each in edits)), failed),
        starts=starts,
        edits=edits,
        removes=tuple(removes),
        replaces=any(scene.there(name) for name in replaced),
        after=_after(scene, warm),
    )


def digest(config: str) -> str:
    """Name a config of Serve's."""
    return naming.stable_hash(config)[:16]


def _replaced(scene: Scene) -> frozenset[str]:
    """Name the RayServices that have to go before the one that is asked for can start."""
    target = scene.target
    # Nothing that answers goes for a version that cannot be run.
    if scene.realtime.strategy is not Strategy.RECREATE or target is None or scene.there(target.name):
        return frozenset()
    old = {each.workload for each in scene.status.served if each.active or each.version == scene.version}
    return frozenset((old | {each.workload for each in scene.status.warm}) - {target.name})


def _served(scene: Scene, replaced: frozenset[str]) -> tuple[ServedVersion, ...]:
    before = {each.version: each for each in scene.status.served if each.workload not in replaced}
    answering = {version: each for version in scene.versions if (each := _answering(scene, version, before))}
    active = scene.version
    if active not in answering:
        # Until it answers, the one that did goes on, whoever else needs it.
        active = next((each.version for each in before.values() if each.active), "")
        last = _answering(scene, active, before)
        answering = ({active: last} if last else {}) | answering
    return tuple(
        ServedVersion(
            version=version,
            service=naming.service_name(scene.extractor, None if version == active else version),
            active=version == active,
            workload=found.name,
            cluster=found.observed.cluster_name or before[version].cluster,
        )
        for version, found in answering.items()
    )


def _answering(scene: Scene, version: str, before: dict[str, ServedVersion]) -> Found | None:
    """Find the RayService that a version's queries go to: the one asked for once it has settled."""
    target = scene.wanted.get(version)
    new = scene.there(target.name) if target else None
    if new and new.may_answer:
        return new
    return scene.there(before[version].workload) if version in before else None


def _warm(scene: Scene, needed: set[str], replaced: frozenset[str]) -> tuple[WarmVersion, ...]:
    def stays(name: str) -> bool:
        return name not in needed | replaced and scene.there(name) is not None

    asked = scene.asked
    lacks_room = asked is not None and asked.observed.reason in NO_ROOM
    known = [
        each
        for each in scene.status.warm
        if stays(each.workload) and times.read(each.until) > scene.now and not lacks_room
    ]
    leaving = [
        WarmVersion(
            version=each.version,
            workload=each.workload,
            until=times.write(scene.now + _keep(scene, each)),
        )
        for each in scene.status.served
        if stays(each.workload) and each.workload not in {one.workload for one in known}
    ]
    return (*known, *leaving)


def _keep(scene: Scene, left: ServedVersion) -> timedelta:
    is_previous = left.active and left.version != scene.version
    seconds = scene.realtime.keep_warm_seconds if is_previous else 0
    return max(_GRACE, timedelta(seconds=seconds))


def _starts(scene: Scene, served: tuple[ServedVersion, ...], replaced: frozenset[str]) -> tuple[Wanted, ...]:
    missing = [
        wanted
        for wanted in filter(None, map(scene.wanted.get, scene.versions))
        if wanted.name not in scene.found
    ]
    answers = any(each.version == scene.version for each in served)
    if scene.realtime.strategy is Strategy.BLUE_GREEN or answers:
        return tuple(missing)
    # It needs the room of those that are on their way out, and the others may take it.
    if any(each.is_going or each.name in replaced for each in scene.found.values()):
        return ()
    return tuple(each for each in missing if each.version == scene.version)


def _edit(scene: Scene, version: str) -> Edit | None:
    """Change Serve's config in place, or put the one back that ran."""
    wanted = scene.wanted.get(version)
    found = scene.there(wanted.name) if wanted else None
    if wanted is None or found is None or found.observed.is_final:
        return None
    # Once an edit has settled, what fails later is not its fault.
    is_under_way = scene.rollout(found.name) is not None
    if found.good and found.config and is_under_way and found.observed.phase is ServicePhase.FAILED:
        return Edit(wanted, found.good, None, digest(found.config))
    if found.config == wanted.config or found.refused == digest(wanted.config):
        return None
    good = found.config if found.observed.is_settled else found.good
    return Edit(wanted, wanted.config, good, None)


def _after(scene: Scene, warm: tuple[WarmVersion, ...]) -> float | None:
    moments = [times.read(each.until) for each in warm]
    moments += [each.observed.valid_until for each in scene.found.values() if each.observed.valid_until]
    return max(1.0, (min(moments) - scene.now).total_seconds()) if moments else None
