"""How every verb speaks: results on stdout as text or JSON, everything else on stderr, exit codes.

0 fine · 1 failed · 2 usage · 3 findings · 130 interrupted
"""

import errno
import functools
import json
import os
import sys
import traceback
from collections.abc import Callable
from enum import IntEnum, StrEnum
from typing import Annotated, Any, ParamSpec

import typer

from extractor_apis.errors import ExtractorError
from extractor_cli.findings import RejectedError
from extractor_cli.printable import printable

P = ParamSpec("P")
_LOCAL_PACKAGES = ("extractor_runtime", "extractor_stores", "ray", "lancedb")
_verbose = False


class ExitCode(IntEnum):
    """What the command's exit status means; stable."""

    FINE = 0
    FAILED = 1
    USAGE = 2
    FINDINGS = 3
    INTERRUPTED = 130


class Format(StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSON = "json"


def _set_verbose(value: bool) -> bool:
    global _verbose
    _verbose = _verbose or value
    return value


Output = Annotated[Format, typer.Option("--output", "-o", help="How to print the result.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show tracebacks of errors.", callback=_set_verbose)
]


def verb(function: Callable[P, ExitCode | None]) -> Callable[P, None]:
    """Run a verb so that every error ends as one line that says what to do, and as a stable exit code."""

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = function(*args, **kwargs) or ExitCode.FINE
        except typer.BadParameter:
            raise
        except KeyboardInterrupt:
            _fail("interrupted", ExitCode.INTERRUPTED)
        except RejectedError as error:
            _fail(str(error), ExitCode.FINDINGS)
        except ExtractorError as error:
            _fail(str(error), ExitCode.FAILED)
        except BrokenPipeError:
            # Whoever read our output has left (`| head`): nothing more to say, also not at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(ExitCode.FAILED) from None
        except OSError as error:
            hint = "; free some space and run again" if error.errno == errno.ENOSPC else ""
            place = f"{error.filename}: " if error.filename else ""
            _fail(f"{place}{error.strerror or error}{hint}", ExitCode.FAILED)
        except ModuleNotFoundError as error:
            hint = ": install extractor-cli[local]" if error.name in _LOCAL_PACKAGES else ""
            _fail(f"{error.name} is not installed{hint}", ExitCode.FAILED)
        except Exception as error:
            # Redacted before it is cut, so that no part of a secret is left over.
            summary = " ".join(_redacted(f"{type(error).__name__}: {error}").split())[:500]
            _fail(f"internal error, please report it ({summary}); -v shows where", ExitCode.FAILED)
        else:
            raise typer.Exit(code)

    return guarded


def say(text: str = "") -> None:
    """Print for a person, on stderr: progress and remarks, never the result."""
    print(text, file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """Print the result as JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def is_terminal() -> bool:
    """Tell whether a person watches stderr."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _fail(message: str, code: ExitCode) -> None:
    if _verbose:
        say(_redacted(traceback.format_exc().rstrip()))
    # An author's code may have a say in it.
    say(f"extractor: {printable(' '.join(_redacted(message).splitlines()))}")
    raise typer.Exit(code) from None


def _redacted(text: str) -> str:
    """Take out the secrets that this process has read; without the runtime it has read none."""
    redaction = sys.modules.get("extractor_runtime.redaction")
    return str(redaction.redact(text)) if redaction else text
