"""The installed `extractor` command, as a user runs it."""

import subprocess
import sys
from pathlib import Path

EXTRACTOR = Path(sys.executable).with_name("extractor")


def extractor(*arguments: object, cwd: Path, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a verb to its end."""
    return subprocess.run(
        [str(EXTRACTOR), *(str(argument) for argument in arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=seconds,
        stdin=subprocess.DEVNULL,
        check=False,
    )
