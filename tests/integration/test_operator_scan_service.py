"""The process that is kept for scans: it is replaced, it may die, and what is given up leaves nothing."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from extractor_operator.versions.scan_service import ScanService
from support import archives

pytestmark = pytest.mark.integration

T = TypeVar("T")


class Scans:
    """Scans of one archive, each in a folder of its own."""

    def __init__(self, folder: Path, service: ScanService) -> None:
        self._folder = folder
        self._service = service
        self._number = 0
        (folder / "archive.zip").write_bytes(archives.extractor())

    async def one(self, seconds: float = 60) -> int | None:
        """Scan; give the status."""
        self._number += 1
        folder = self._folder / str(self._number)
        folder.mkdir()
        arguments = ["--archive", str(self._folder / "archive.zip"), "--into", str(folder / "canonical.zip")]
        arguments += ["--report", str(folder / "report.json")]
        return await self._service.scan(arguments, folder / "said", seconds)


def run(
    folder: Path, work: Callable[[Scans], Awaitable[T]], make: Callable[[], ScanService] = ScanService
) -> T:
    async def main() -> T:
        service = make()
        try:
            return await work(Scans(folder, service))
        finally:
            await service.close()

    return asyncio.run(main())


def services() -> list[psutil.Process]:
    """List the processes that are kept for scans."""
    return [
        each
        for each in psutil.Process().children()
        if each.status() != psutil.STATUS_ZOMBIE and "extractor_sandbox.service" in each.cmdline()
    ]


def test_many_scans_at_once_share_one_process_and_all_end(tmp_path: Path) -> None:
    async def work(scans: Scans) -> tuple[list[int | None], int]:
        return await asyncio.gather(*(scans.one() for _ in range(10))), len(services())

    assert run(tmp_path, work) == ([0] * 10, 1)


def test_after_so_many_scans_another_process_takes_over(tmp_path: Path) -> None:
    async def work(scans: Scans) -> list[set[int]]:
        seen = []
        for _ in range(3):
            assert await scans.one() == 0
            seen.append({each.pid for each in services()})
        return seen

    first, second, third = run(tmp_path, work, lambda: ScanService(scans=2))
    assert first and first <= second and not first & third


def test_a_scan_whose_process_is_killed_says_so_and_the_next_one_is_done(tmp_path: Path) -> None:
    async def work(scans: Scans) -> tuple[int | None, int | None]:
        assert await scans.one() == 0
        (service,) = services()
        service.suspend()
        doomed = asyncio.ensure_future(scans.one())
        await asyncio.sleep(0)
        service.kill()
        return await doomed, await scans.one()

    assert run(tmp_path, work) == (-signal.SIGKILL, 0)


def test_a_scan_that_is_given_up_leaves_no_process(tmp_path: Path) -> None:
    async def work(scans: Scans) -> tuple[int | None, list[psutil.Process]]:
        assert await scans.one() == 0
        (service,) = services()
        status = await scans.one(seconds=0.0)
        return status, service.children()

    assert run(tmp_path, work) == (None, [])


def test_it_ends_when_it_is_closed_and_so_do_its_scans(tmp_path: Path) -> None:
    service = ScanService()

    async def work(scans: Scans) -> tuple[int | None, list[psutil.Process]]:
        assert await scans.one() == 0
        (process,) = services()
        process.suspend()
        doomed = asyncio.ensure_future(scans.one())
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(service.close())
        await asyncio.sleep(0)
        process.resume()
        await closing
        return await doomed, services()

    assert run(tmp_path, work, lambda: service) == (-signal.SIGKILL, [])
