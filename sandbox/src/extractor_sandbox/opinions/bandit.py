"""O01: bandit, fed from memory; a ``# nosec`` in the archive does not silence it."""

import io
import logging
from collections.abc import Iterator

from bandit.core import config, meta_ast, metrics, node_visitor, test_set
from bandit.core.issue import Issue

from extractor_sandbox.finding import Problem, shown
from extractor_sandbox.opinions.evidence import Evidence, content

# Bandit finds and configures its tests when this module is imported: nothing is opened after that.
_TESTS = test_set.BanditTestSet(config.BanditConfig(), {})
_QUOTING = frozenset(("B105", "B106", "B107"))
"""Tests that find passwords, and print them."""
_NO_FILE = ""
"""With a name, bandit would look for packages around it."""


def problems(evidence: Evidence) -> Iterator[Problem]:
    """Say what bandit finds in each file of code, and which files it cannot read."""
    log = _Log()
    logging.getLogger("bandit").addHandler(log)
    for file in evidence.files:
        if file.path.endswith((".py", ".pyi")):
            evidence.reading(file.path)
            yield from _read(file.path, content(file), log)


class _Log(logging.Handler):
    """Counts what bandit only writes to its log: tests that failed."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.errors += 1


def _read(path: str, code: bytes, log: _Log) -> Iterator[Problem]:
    before = log.errors
    visitor = node_visitor.BanditNodeVisitor(
        fname=_NO_FILE,
        fdata=io.BytesIO(code),
        metaast=meta_ast.BanditMetaAst(),
        testset=_TESTS,
        debug=False,
        nosec_lines={},
        metrics=metrics.Metrics(),
    )
    try:
        visitor.process(code)
    except Exception as err:
        # It parses, or it would not have been accepted: this is bandit's own failure, and rejects like any.
        yield Problem(f"bandit could not read the file: {type(err).__name__}", path)
        return
    for line, test, issue in sorted(
        {(each.lineno, each.test_id, _describe(each)) for each in visitor.tester.results}
    ):
        yield Problem(f"bandit {test}: {issue}", path, line or None, severity="warn")
    if log.errors > before:
        message = f"{log.errors - before} of bandit's tests failed on the file, and say nothing of it"
        yield Problem(message, path, severity="warn")


def _describe(issue: Issue) -> str:
    """Take the first sentence of what bandit says, without the password that it may have found."""
    text = " ".join(issue.text.split()).partition(". ")[0].removesuffix(".")
    return shown(text.partition(":")[0] if issue.test_id in _QUOTING else text)
