"""Wheels made here, and an index on this machine that serves them, or fails as it is told to."""

import contextlib
import hashlib
import http.server
import re
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

NO_FILES: Mapping[str, str] = MappingProxyType({})


def wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    requires: Sequence[str] = (),
    files: Mapping[str, str] = NO_FILES,
    links: Mapping[str, str] = NO_FILES,
    tag: str = "py3-none-any",
) -> Path:
    """Make a wheel, by default of one module that knows its version."""
    folder.mkdir(parents=True, exist_ok=True)
    module = name.replace("-", "_")
    about = f"{module}-{version}.dist-info"
    headers = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    members = {f"{module}/__init__.py": f"VERSION = {version!r}\n", **files}
    members[f"{about}/METADATA"] = "\n".join([*headers, *(f"Requires-Dist: {each}" for each in requires), ""])
    members[f"{about}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n"
    members[f"{about}/RECORD"] = "".join(f"{member},,\n" for member in [*members, f"{about}/RECORD"])
    path = folder / f"{module}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
        for member, target in links.items():
            link = zipfile.ZipInfo(member)
            link.external_attr = 0o120777 << 16
            archive.writestr(link, target)
    return path


def source(folder: Path, name: str, version: str = "1.0") -> Path:
    """Make a source distribution; to build it would leave a file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}.tar.gz"
    files = {
        "PKG-INFO": f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\n",
        "setup.py": f"open({str(folder / 'BUILT')!r}, 'w').close()\n",
    }
    with tarfile.open(path, "w:gz") as archive:
        for member, content in files.items():
            entry = tarfile.TarInfo(f"{name}-{version}/{member}")
            entry.size = len(content)
            archive.addfile(entry, BytesIO(content.encode()))
    return path


@dataclass
class PackageServer:
    """A running index; change its fields to have it fail."""

    port: int
    status: int = 200
    """What every request is answered with, if not with what was asked for."""
    hashes: dict[str, str] = field(default_factory=dict)
    """Hashes that are told of files, other than their own."""
    may_answer: threading.Event = field(default_factory=threading.Event)
    """Files are held back until it is set."""
    was_asked: threading.Event = field(default_factory=threading.Event)
    """Set when a file is asked for."""
    requests: list[str] = field(default_factory=list)
    """Paths so far."""
    authorizations: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/simple"


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[PackageServer]:
    """Serve a folder of distributions as a simple index."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.requests.append(self.path)
            served.authorizations.add(self.headers.get("Authorization", ""))
            body = self._body() if served.status == 200 else b""
            self.send_response(served.status if body is not None else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body or b"")

        do_HEAD = do_GET

        def _body(self) -> bytes | None:
            kind, _, name = self.path.strip("/").partition("/")
            if kind == "simple":
                found = [each for each in sorted(folder.iterdir()) if _project(each) == name.strip("/")]
                return "".join(map(_link, found)).encode() or None
            served.was_asked.set()
            served.may_answer.wait(60)
            file = folder / name
            return file.read_bytes() if file.is_file() else None

        def log_message(self, *_: Any) -> None:
            pass

    def _link(file: Path) -> str:
        digest = served.hashes.get(file.name) or hashlib.sha256(file.read_bytes()).hexdigest()
        return f'<a href="/files/{file.name}#sha256={digest}">{file.name}</a>\n'

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = PackageServer(server.server_port)
    served.may_answer.set()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield served
    finally:
        served.may_answer.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _project(file: Path) -> str:
    stem = file.name.removesuffix(".tar.gz")
    name = stem.rpartition("-")[0] if stem != file.name else file.name.split("-")[0]
    return re.sub(r"[-_.]+", "-", name).lower()
