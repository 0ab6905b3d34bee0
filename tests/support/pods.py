"""Pods without a node: the volumes of a rendered pod as folders, its containers as processes of this machine.

A container sees the paths of this machine, so every path that it mounts is replaced by the folder behind it:
in commands, environments, and what the downward API writes. Nothing is confined and no image is looked at.
"""

import base64
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

Json = dict[str, Any]
Read = Callable[[str], Mapping[str, bytes]]
"""Gives the keys of a Secret or ConfigMap by its name."""

_GRACE_SECONDS = 10
_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})
_NO_VOLUMES: Mapping[str, Path] = MappingProxyType({})


def nothing(name: str) -> Mapping[str, bytes]:
    """Know no Secret and no ConfigMap."""
    raise AssertionError(f"the pod asks for {name}, which this test does not have")


def decode(secret: Json) -> dict[str, bytes]:
    """Give the keys of a Secret as the API server has it."""
    return {key: base64.b64decode(value) for key, value in secret.get("data", {}).items()}


@dataclass(frozen=True)
class Pod:
    """A pod whose volumes are there."""

    template: Json
    folder: Path
    """Home of its containers; the volumes lie in it."""
    places: Mapping[str, Path]
    """What lies behind each path that its containers mount."""
    secrets: Read = field(repr=False)
    config_maps: Read = field(repr=False)

    def command(self, name: str) -> list[str]:
        """Give what a container runs; ``python`` is this one."""
        container = self._container(name)
        words = [self.adapt(each) for each in (*container.get("command", ()), *container.get("args", ()))]
        return [sys.executable, *words[1:]] if words[:1] == ["python"] else words

    def environment(self, name: str) -> dict[str, str]:
        """Give a container's variables: what its template says, and where programs are."""
        container = self._container(name)
        variables = {"PATH": os.defpath, "HOME": str(self.folder)}
        for source in container.get("envFrom", ()):
            read, reference = self._reader(source, "Ref")
            for key, value in read(reference["name"]).items():
                variables[source.get("prefix", "") + key] = value.decode()
        for each in container.get("env", ()):
            variables[each["name"]] = self.adapt(self._value(each))
        return variables

    def start(
        self,
        name: str,
        log: Path,
        words: list[str] | None = None,
        variables: Mapping[str, str] = _NO_VARIABLES,
    ) -> "subprocess.Popen[bytes]":
        """Start a container, or other words with more variables in it, and add what it prints to a file."""
        with log.open("ab") as file:
            return subprocess.Popen(
                words or self.command(name),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd=self.folder,
                env={**self.environment(name), **variables},
                start_new_session=True,
            )

    def run(self, name: str, log: Path, seconds: float) -> int:
        """Run a container to its end; give its exit status."""
        process = self.start(name, log)
        try:
            return process.wait(seconds)
        finally:
            end(process, signal.SIGKILL)

    def adapt(self, text: str) -> str:
        """Replace the paths that are mounted by what lies behind them."""
        return _adapt(text, self.places)

    def _container(self, name: str) -> Json:
        return next(each for each in _containers(self.template) if each["name"] == name)

    def _value(self, variable: Json) -> str:
        source = variable.get("valueFrom")
        if source is None:
            return str(variable.get("value", ""))
        if "fieldRef" in source:
            return _field(self.template, source["fieldRef"]["fieldPath"])
        read, reference = self._reader(source, "KeyRef")
        return read(reference["name"])[reference["key"]].decode()

    def _reader(self, source: Json, suffix: str) -> tuple[Read, Json]:
        if f"secret{suffix}" in source:
            return self.secrets, source[f"secret{suffix}"]
        return self.config_maps, source[f"configMap{suffix}"]


def lay_out(
    template: Json,
    folder: Path,
    *,
    secrets: Read = nothing,
    config_maps: Read = nothing,
    volumes: Mapping[str, Path] = _NO_VOLUMES,
) -> Pod:
    """Make a pod's volumes in a folder of its own; ``volumes`` has those from elsewhere, by name."""
    folder.mkdir(parents=True)
    made = {volume["name"]: volume for volume in template["spec"].get("volumes", ())}
    homes = {
        name: volumes.get(name) or Path(volume.get("hostPath", {}).get("path") or folder / "volumes" / name)
        for name, volume in made.items()
    }
    places = {
        mount["mountPath"]: homes[mount["name"]] / mount.get("subPath", "")
        for container in _containers(template)
        for mount in container.get("volumeMounts", ())
    }
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    for name, volume in made.items():
        for file, content, mode in _files(volume, template, secrets, config_maps, places):
            path = homes[name] / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(mode)
    return Pod(template, folder, places, secrets, config_maps)


def end(process: "subprocess.Popen[Any]", how: signal.Signals = signal.SIGTERM) -> None:
    """End a container with all that it has started; one that does not heed is killed."""
    for each in (how, signal.SIGKILL):
        try:
            os.killpg(process.pid, each)
            process.wait(_GRACE_SECONDS)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait(_GRACE_SECONDS)


def _files(
    volume: Json, template: Json, secrets: Read, config_maps: Read, places: Mapping[str, Path]
) -> Iterator[tuple[str, bytes, int]]:
    """Give path, content and mode of each file that Kubernetes puts into a volume."""
    if "downwardAPI" in volume:
        source = volume["downwardAPI"]
        for item in source.get("items", ()):
            text = _adapt(_field(template, item["fieldRef"]["fieldPath"]), places)
            yield item["path"], text.encode(), item.get("mode", source.get("defaultMode", 0o644))
        return
    for kind, name, read in (("secret", "secretName", secrets), ("configMap", "name", config_maps)):
        if (source := volume.get(kind)) is not None:
            found = read(source[name])
            items = source.get("items") or [{"key": key, "path": key} for key in found]
            for item in items:
                mode = item.get("mode", source.get("defaultMode", 0o644))
                yield item["path"], found[item["key"]], mode


def _containers(template: Json) -> list[Json]:
    spec = template["spec"]
    return [*spec.get("initContainers", ()), *spec["containers"]]


def _field(template: Json, path: str) -> str:
    """Read what the downward API offers of a pod: ``metadata.annotations['a.b/c']``, ``metadata.name``."""
    section, _, key = path.removeprefix("metadata.").partition("['")
    value = template.get("metadata", {}).get(section, {} if key else "127.0.0.1" if "IP" in path else "")
    return str(value[key.removesuffix("']")] if key else value)


def _adapt(text: str, places: Mapping[str, Path]) -> str:
    if not places:
        return text
    # The longest first: /results/team is not /results.
    paths = "|".join(map(re.escape, sorted(places, key=len, reverse=True)))
    return re.sub(rf"(?<![\w.-])(?:{paths})(?![\w.-])", lambda match: str(places[match.group()]), text)
