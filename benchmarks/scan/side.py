"""`python -m benchmarks.scan.side WHAT ARCHIVE`: do one thing to one archive, and say how long it took.

A process of its own for each measurement. What is timed begins with the archive on the disk and everything
imported, and ends with the answer; the processes that it starts count, to the last one's end.
"""

import ast
import contextlib
import gc
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from isal import isal_zlib

import extractor_sandbox
from benchmarks import measure

PIECE = 1 << 20


def main() -> None:
    """Measure, and print JSON."""
    what, archive, *cache = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        run = SIDES[what]
        if what == "memory":
            print(json.dumps({"peak": run(Path(archive), Path(folder))}))
            return
        extractor_sandbox.scan  # noqa: B018 - resolved, so that its imports do not count.
        started = time.perf_counter()
        if what == "ours":
            verdict = ours(Path(archive), Path(folder), *map(Path, cache))
        else:
            verdict = run(Path(archive), Path(folder))
        print(json.dumps({"seconds": time.perf_counter() - started, "verdict": verdict}))


def ours(archive: Path, folder: Path, cache: Path | None = None) -> object:
    """Scan it."""
    report = extractor_sandbox.scan(archive, into=folder / "accepted.zip", cache=cache)
    return report.verdict.value


def memory(archive: Path, folder: Path) -> object:
    """Scan it, and give the most that the worker and its crew had resident, shared pages counted twice."""
    peak, myself = 0, psutil.Process()
    with ThreadPoolExecutor(1) as pool:
        scan = pool.submit(ours, archive, folder)
        while not scan.done():
            time.sleep(0.002)
            total = 0
            for process in measure.tree(myself)[1:]:
                with contextlib.suppress(psutil.Error):
                    total += process.memory_info().rss
            peak = max(peak, total)
        scan.result()
    return peak


def parse(archive: Path, folder: Path) -> object:
    """Parse and walk every Python file, with a process a core: no rule can do with less."""
    with zipfile.ZipFile(archive) as opened:
        files = [opened.read(name) for name in opened.namelist() if name.endswith(".py")]
    gc.disable()
    cores = len(os.sched_getaffinity(0))
    started = time.perf_counter()
    waiting, sending = os.pipe()
    # Whoever is free takes the next.
    os.write(sending, b"".join(struct.pack("<I", number) for number in range(len(files))))
    os.close(sending)
    children = []
    for _ in range(cores):
        child = os.fork()
        if child == 0:
            while ticket := os.read(waiting, 4):
                for _ in ast.walk(ast.parse(files[struct.unpack("<I", ticket)[0]])):
                    pass
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    return time.perf_counter() - started


def unpack(archive: Path, folder: Path) -> object:
    """Inflate, check and hash every member once, in one thread: no scan can do with less."""
    for info in zipfile.ZipFile(archive).infolist():
        with archive.open("rb") as file:
            file.seek(info.header_offset)
            name, extra = struct.unpack_from("<HH", file.read(30), 26)
            file.seek(name + extra, os.SEEK_CUR)
            engine = isal_zlib.decompressobj(-15) if info.compress_type else None
            left, crc, digest = info.compress_size, 0, hashlib.sha256()
            while left:
                piece = file.read(min(PIECE, left))
                left -= len(piece)
                content = engine.decompress(piece) if engine else piece
                crc = isal_zlib.crc32(content, crc)
                digest.update(content)
            assert crc == info.CRC
    return "read"


def bandit(archive: Path, folder: Path) -> object:
    """Unpack it with unzip, and give it to bandit: what people do without us."""
    subprocess.run(["unzip", "-q", str(archive), "-d", str(folder / "tree")], check=True)
    command = [
        sys.executable,
        "-m",
        "bandit",
        "-q",
        "-r",
        str(folder / "tree"),
        "-f",
        "json",
        "-o",
        os.devnull,
    ]
    return subprocess.run(command, stderr=subprocess.DEVNULL, timeout=600).returncode


SIDES: dict[str, Callable[..., object]] = {
    "ours": ours,
    "memory": memory,
    "parse": parse,
    "unpack": unpack,
    "bandit": bandit,
}

if __name__ == "__main__":
    main()
