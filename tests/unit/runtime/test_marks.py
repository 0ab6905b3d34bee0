"""What is known of rows follows them through the steps."""

from extractor_apis.run import Usage
from extractor_runtime.batch import marks
from extractor_runtime.batch.marks import PLAIN, Mark

CALLED = Usage(requests=1, input_tokens=10, output_tokens=2)


def test_what_an_object_consumed_is_charged_to_the_first_of_its_new_rows() -> None:
    known = [Mark(usage=CALLED), Mark(usage=CALLED), PLAIN]

    after = marks.follow(known, ["a", "a", "b"], ["b", "a", "a", "a"])

    twice = Usage(requests=2, input_tokens=20, output_tokens=4)
    assert [mark.usage for mark in after] == [None, twice, None, None]


def test_a_row_is_excused_from_a_vector_that_no_step_for_it_writes() -> None:
    [passed] = marks.pass_by([PLAIN])
    [tried] = marks.try_features([passed], frozenset({"vector"}))

    assert [mark.excuses("vector") for mark in (PLAIN, passed, tried)] == [False, True, False]
    assert tried.excuses("other")


def test_marks_survive_the_way_between_stages() -> None:
    known = [PLAIN, Mark(passed_by=True, tried=frozenset({"v"}), usage=CALLED, reason="why")]

    assert marks.load(marks.dump(known)) == known
    assert marks.dump([PLAIN]) == [None]
