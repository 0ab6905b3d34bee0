"""A Ray cluster on this machine as KubeRay makes them: a head that runs no steps, and a worker."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from extractor_runtime import session

_SECONDS = 60.0


@contextlib.contextmanager
def running(cpus: int) -> Iterator[str]:
    """Start it, and yield the address that its drivers join."""
    port, client = _free_port(), _free_port()
    address = f"127.0.0.1:{port}"
    ports = [f"--port={port}", f"--ray-client-server-port={client}"]
    worker = [f"--address={address}", f"--num-cpus={cpus}"]
    # As in a pod, which has no token of an earlier Ray in its home.
    with session.temporary_folder() as folder, session.environment({"RAY_AUTH_MODE": "disabled"}):
        head = ["--head", *ports, "--num-cpus=0", "--include-dashboard=false", f"--temp-dir={folder}"]
        with _node(folder, "head", head), _node(folder, "worker", worker):
            yield address


@contextlib.contextmanager
def _node(folder: Path, name: str, options: list[str]) -> Iterator[None]:
    log = folder / f"{name}.log"
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--node-ip-address=127.0.0.1"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, *options], stdout=out, stderr=out, env=environment, start_new_session=True
        )
    try:
        _wait(process, log)
        yield
    finally:
        # Its daemons write to the folder, and end with that.
        process.kill()
        process.wait(_SECONDS)


def _wait(process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until a node says that it runs."""
    end = time.monotonic() + _SECONDS
    while b"Ray runtime started" not in log.read_bytes():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"no Ray cluster here: {log.read_text()}")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port
