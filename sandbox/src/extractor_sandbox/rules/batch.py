"""SEQ: batch code that takes its rows one by one where it could take them together.

Warnings only: what they find is right, and many times slower than it need be.
"""

import dataclasses
from collections.abc import Callable, Iterator

from extractor_sandbox.finding import Problem, rule
from extractor_sandbox.row_loops import RowCall, Slow
from extractor_sandbox.source import Source

_ADVICE = {
    Slow.MODEL: "Collect the rows and call it once with all of them; where it takes one at a time, call it "
    "through parallel_io of shared.plugins.sdk.",
    Slow.NETWORK: "Hand the rows to parallel_io of shared.plugins.sdk, which does several at a time.",
    Slow.LANGUAGE_MODEL: "Hand the rows to concurrent_api_calls of shared.plugins.sdk, which asks several "
    "at a time.",
    Slow.TOKENIZER: "Give the tokenizer the list of all texts: it does them together, and in parallel.",
}


@rule("SEQ001", "Do what is slow for all rows at once.")
def rows_are_taken_together(source: Source) -> Iterator[Problem]:
    """A batch is handed over whole so that a model, a tool or a remote API can be given many rows at a time;
    a loop that calls it once a row takes as many times longer."""
    return _warnings(source, lambda call: not call.by_pandas and call.slow is not Slow.TOKENIZER)


@rule("SEQ002", "Do what is slow for all rows at once.")
def pandas_loops_call_nothing_slow(source: Source) -> Iterator[Problem]:
    """iterrows and itertuples make an object of every row, and a model or an API that is called in there is
    called once a row."""
    return _warnings(source, lambda call: call.by_pandas and call.slow is not Slow.TOKENIZER)


@rule("SEQ003", "Tokenize all rows at once.")
def texts_are_tokenized_together(source: Source) -> Iterator[Problem]:
    """Tokenizers work on lists, in native code and on all processors; one call a row uses none of that."""
    return _warnings(source, lambda call: call.slow is Slow.TOKENIZER)


def _warnings(source: Source, wanted: Callable[[RowCall], bool]) -> Iterator[Problem]:
    # Requests come one by one, and tests do as they like.
    if source.path == "realtime.py" or source.path.startswith("tests/"):
        return
    for call in filter(wanted, source.row_calls):
        problem = source.problem(
            call.node, f"{call.name} waits for {call.slow}, once for each row", _ADVICE[call.slow]
        )
        yield dataclasses.replace(problem, severity="warn")


RULES = (rows_are_taken_together, pandas_loops_call_nothing_slow, texts_are_tokenized_together)
