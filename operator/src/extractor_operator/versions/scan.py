"""The scan, in a process of its own: the operator itself never opens an archive.

It has no environment, no open file of ours, and a deadline; what it says is read up to a limit.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydantic

from extractor_apis.conditions import Reason
from extractor_apis.scan import ScanPolicy, ScanReport
from extractor_operator.errors import Retrying

_REPORT_BYTES = 16 << 20
_SAID_BYTES = 4 << 10
_GRACE_SECONDS = 15.0
"""For a scan to end by itself when its own time is over."""


async def scan_once(arguments: Sequence[str], said: Path, seconds: float) -> int | None:
    """Scan in a process that is started for it, its complaints in ``said``; None if it took too long."""
    with said.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-m", "extractor_sandbox", *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=errors,
            env={},
            cwd="/",
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(seconds):
                return await process.wait()
        except TimeoutError:
            return None
        finally:
            # Whatever it started is in its session; it is over already unless we gave up.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


Run = Callable[[Sequence[str], Path, float], Awaitable[int | None]]
"""How a scan is run: `scan_once`, or a `ScanService`."""


@dataclass(frozen=True)
class Scanner:
    """Scans archives, so many at a time."""

    at_once: asyncio.Semaphore
    advisories: Path | None = None
    seconds: float = 120.0
    run: Run = scan_once

    async def scan(self, archive: Path, policy: ScanPolicy, *, into: Path) -> ScanReport:
        """Judge an archive; if it is accepted, its canonical form is at ``into`` then.

        Everything else that the scan writes is beside ``into``. Raises Retrying if it comes to no verdict.
        """
        folder = into.parent
        policy_file, report_file, said = folder / "policy.json", folder / "report.json", folder / "said"
        policy_file.write_text(policy.model_dump_json())
        arguments = [
            *("--archive", str(archive), "--into", str(into), "--report", str(report_file)),
            *("--policy", str(policy_file), "--seconds", str(self.seconds)),
            *(("--advisories", str(self.advisories)) if self.advisories else ()),
        ]
        async with self.at_once:
            status = await self.run(arguments, said, self.seconds + _GRACE_SECONDS)
        if status == 0:
            with contextlib.suppress(OSError, pydantic.ValidationError):
                # A hostile archive may have findings by the megabyte.
                return await asyncio.to_thread(_read_report, report_file)
        raise Retrying(Reason.SCAN_FAILED, f"the scan came to no verdict: {_end(status, said)}")


def _read_report(path: Path) -> ScanReport:
    return ScanReport.model_validate_json(_read(path, _REPORT_BYTES))


def _end(status: int | None, said: Path) -> str:
    if status is None:
        return "it took too long"
    if status < 0:
        return f"it was killed by signal {-status}; does it have enough memory?"
    last = _read(said, _SAID_BYTES).decode(errors="replace").strip().splitlines()[-1:]
    return ascii(last[0])[1:-1] if last else f"it ended with status {status}, and said nothing"


def _read(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        return file.read(limit)
