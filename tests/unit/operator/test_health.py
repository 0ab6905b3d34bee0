"""When a process is to be replaced: a dead watch, and a queue that nobody works on."""

from dataclasses import dataclass

from extractor_operator.health import Health, Watch
from extractor_operator.relations import Key

ONE, OTHER = Key("ExtractorVersion", "team", "one-1.0.0"), Key("ExtractorVersion", "team", "other-1.0.0")


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def make(waiting: float = 0.0) -> tuple[Clock, Watch, Health]:
    clock = Clock()
    watch = Watch(clock)
    return clock, watch, Health(lambda: waiting, watch)


def test_a_watch_that_never_brings_what_a_list_showed_is_dead() -> None:
    clock, watch, health = make()
    watch.missed(ONE)
    clock.now = 61

    assert health.problem() == (
        "the watch is dead: ExtractorVersion team/one-1.0.0 changed 61 s ago, and it said nothing"
    )


def test_a_watch_that_is_late_is_alive() -> None:
    clock, watch, health = make()
    watch.missed(ONE)
    clock.now = 59
    watch.heard(ONE)
    clock.now = 1000

    assert health.problem() is None


def test_what_is_missed_again_and_again_counts_from_the_first_time() -> None:
    clock, watch, _ = make()
    for clock.now in (0, 30, 61):
        watch.missed(ONE)
    watch.missed(OTHER)

    assert watch.oldest == (ONE, 61)


def test_a_queue_that_nobody_works_on_is_told() -> None:
    assert make(waiting=601)[2].problem() == "a key has been waiting for a worker for 601 s"


def test_nothing_to_do_is_healthy() -> None:
    assert make()[2].problem() is None
