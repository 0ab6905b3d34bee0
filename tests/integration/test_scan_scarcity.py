"""A machine that has no more of what a scan needs."""

import os
import resource
from pathlib import Path

import pytest

from extractor_apis.errors import ExtractorError
from extractor_apis.scan import ScanReport
from extractor_sandbox import ScanError, scan
from support import archives

pytestmark = pytest.mark.integration


def scan_with_room_for(descriptors: int, folder: Path) -> ScanReport:
    source = folder / "a.zip"
    source.write_bytes(archives.extractor())
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = max(map(int, os.listdir("/proc/self/fd")))
    # The lowest ones that are free are taken first.
    fillers = [os.open("/dev/null", os.O_RDONLY) for _ in range(held)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(fillers) + 1 + descriptors, most))
    try:
        return scan(source, into=folder / "canonical.zip")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))
        for descriptor in fillers:
            os.close(descriptor)


@pytest.mark.parametrize("descriptors", range(6))
def test_a_scan_for_which_too_few_descriptors_are_left_is_a_sentence(
    tmp_path: Path, descriptors: int
) -> None:
    with pytest.raises(ExtractorError, match=r"Too many open files|too many files open"):
        scan_with_room_for(descriptors, tmp_path)

    assert not (tmp_path / "canonical.zip").exists()


def test_the_sentence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match=r"too many files open; raise its limit \(`ulimit -n`\)"):
        scan_with_room_for(4, tmp_path)
