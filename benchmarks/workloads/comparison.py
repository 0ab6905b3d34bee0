"""What each side took, in lines to read and in ratios."""

from dataclasses import dataclass, field

_CHILDREN = ("rayjobs", "rayservices", "extractorruns", "networkpolicies")


@dataclass(frozen=True)
class Run:
    """What one side took for one thing."""

    side: str
    what: str
    objects: int
    """Extractors, and as many collections."""
    seconds: float
    """To the last RayJob and RayService; of a storm or a restart, until all is seen to."""
    cpu: float
    """Processor seconds of the operator, until nothing more is written."""
    server_cpu: float
    writes: dict[str, int] = field(default_factory=dict)
    """That the API server took, by what was written, without those that were asked for."""
    memory: int = 0
    """Bytes of the operator at the end: proportional set size."""

    @property
    def besides(self) -> float:
        """Writes an object, besides the children."""
        others = sum(count for what, count in self.writes.items() if what not in _CHILDREN)
        return others / self.objects / 2

    @property
    def line(self) -> str:
        """What it took, in a line."""
        each = 1000 * self.cpu / self.objects / 2
        writes = ", ".join(f"{what} {count}" for what, count in sorted(self.writes.items()))
        return (
            f"{self.objects:5} {self.side:9}{self.what:8} {self.seconds:6.1f} s, "
            f"{each:5.1f} ms of processor each, API server {self.server_cpu:5.1f} s, "
            f"{self.besides:.2f} writes besides children, {self.memory / 1e6:.0f} MB; {writes or 'none'}"
        )


def report(runs: list[Run]) -> None:
    """Print how ours compares, by the number of objects."""
    for objects in dict.fromkeys(run.objects for run in runs):
        seconds = {run.side: run.seconds for run in runs if run.objects == objects and run.what == "burst"}
        print(
            f"{objects} each: {seconds['ours'] / seconds['bare']:.2f} of the bare client's time, "
            f"{seconds['tutorial'] / seconds['ours']:.2f} times faster than the tutorial's"
        )
