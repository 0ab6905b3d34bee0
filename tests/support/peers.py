"""Run the libraries that ours is compared with, in the environment that `make peers` builds."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

_FOLDER = Path(__file__).parents[2] / ".cache" / "peers"
_ANSWER = "peer answers: "
# Reads its argument from standard input; a library may print what it likes before the answer.
_FRAME = """
import json, sys
{code}
print({answer!r} + json.dumps(run(json.load(sys.stdin))))
"""


def run(code: str, argument: Any, *, timeout: float = 300.0) -> Any:
    """Call ``run(argument)`` as ``code`` defines it, in the peers' environment; JSON goes in and comes out.

    Without the environment the test is skipped, and fails in CI. Raises AssertionError with what the peer
    printed when it fails, and TimeoutExpired after ``timeout`` seconds.
    """
    done = subprocess.run(
        [python(), "-I", "-c", _FRAME.format(code=code, answer=_ANSWER)],
        input=json.dumps(argument),
        capture_output=True,
        text=True,
        timeout=timeout,
        # The model is in the environment: no library may look for a newer one.
        env={"PATH": os.defpath, "HF_HUB_OFFLINE": "1"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.rpartition(_ANSWER)[2])


def python() -> Path:
    """Find the Python of the peers' environment, or end the test."""
    interpreter = _FOLDER / "bin" / "python"
    if not interpreter.exists():
        missing("the peers' environment is missing: run make peers")
    return interpreter


def site_packages() -> list[str]:
    """Say where the peers' packages are, if they are."""
    return [str(folder) for folder in _FOLDER.glob("lib/python3.*/site-packages")]


def missing(reason: str) -> None:
    """End a test whose part is missing: skipped on a laptop, failed in CI."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
