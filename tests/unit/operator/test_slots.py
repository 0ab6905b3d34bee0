"""Who may work: nobody more than half of the slots, and everybody in turn."""

from extractor_operator.relations import Key
from extractor_operator.slots import Slots


def key(namespace: str, name: str = "a") -> Key:
    return Key("ExtractorVersion", namespace, name)


def make(total: int) -> tuple[Slots, list[Key]]:
    woken: list[Key] = []
    return Slots(total, wake=woken.append), woken


def test_a_tenant_has_half_of_the_slots_and_others_have_the_rest() -> None:
    slots, woken = make(4)

    taken = [slots.take(key("greedy", name)) for name in "abc"] + [slots.take(key("modest"))]

    assert (taken, woken, slots.waiting) == ([True, True, False, True], [], 1)


def test_who_waits_is_woken_in_turn_one_tenant_after_the_other() -> None:
    slots, woken = make(1)
    slots.take(key("first"))
    for each in (key("greedy", "a"), key("greedy", "b"), key("modest")):
        slots.take(each)

    slots.release(key("first"))
    for _ in range(2):
        slots.take(woken[-1])
        slots.release(woken[-1])

    assert woken == [key("greedy", "a"), key("modest"), key("greedy", "b")]


def test_a_slot_is_kept_for_who_was_woken() -> None:
    slots, woken = make(1)
    slots.take(key("first"))
    slots.take(key("second"))

    slots.release(key("first"))

    assert woken == [key("second")]
    assert not slots.take(key("third"))
    assert slots.take(key("second"))


def test_one_that_is_deleted_gives_its_place_to_the_next() -> None:
    slots, woken = make(1)
    slots.take(key("first"))
    for each in (key("deleted"), key("last")):
        slots.take(each)
    slots.release(key("first"))

    slots.release(key("deleted"))

    assert woken == [key("deleted"), key("last")]
    assert slots.waiting == 0


def test_a_release_without_a_slot_changes_nothing() -> None:
    slots, woken = make(1)

    slots.release(key("stranger"))

    assert slots.take(key("first"))
    assert not slots.take(key("second"))
    assert woken == []
