"""The Ray of a RayCluster of the local KubeRay: a process, and what it last said."""

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from support import pods
from support.kuberay import Json

_PROGRAM = str(Path(__file__).with_name("kuberay_ray.py"))


@dataclass
class Head:
    """A running Ray."""

    process: "subprocess.Popen[str]"
    port: int
    """Where Serve answers."""
    address: str | None = None
    """Where Ray is; None until it has started."""
    applications: Json = field(default_factory=dict)
    """How Serve's applications fare, as KubeRay's status has it."""
    is_refused: bool = False
    """Whether Ray did not take the last config."""
    _hears: threading.Thread | None = None

    @classmethod
    def start(cls, cpus: int, environment: Mapping[str, str], folder: Path, log: Path) -> "Head":
        """Start Ray with what a container has."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            port: int = server.getsockname()[1]
        with log.open("ab") as file:
            process = subprocess.Popen(
                [sys.executable, "-P", _PROGRAM, str(cpus), str(port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                cwd=folder,
                env=environment,
                start_new_session=True,
            )
        made = cls(process, port)
        made._hears = threading.Thread(target=made._listen)
        made._hears.start()
        return made

    @property
    def has_ended(self) -> bool:
        """Whether it is gone."""
        return self.process.poll() is not None

    def send(self, config: str) -> None:
        """Have Serve deploy what a config says; what is no YAML is refused as KubeRay refuses it."""
        assert self.process.stdin is not None
        try:
            line = json.dumps(yaml.safe_load(config))
        except yaml.YAMLError:
            self.is_refused = True
            return
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self) -> None:
        """Kill it: nothing of it is wanted any more."""
        pods.end(self.process, signal.SIGKILL)
        if self._hears:
            self._hears.join()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            self.address = said.get("address", self.address)
            self.is_refused = "refused" in said or (self.is_refused and "accepted" not in said)
            self.applications = said.get("applications", self.applications)
