"""Pods that tests run without a node: what a container's process is told, and where its volumes lie."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from support import endpoint, pods
from support.pods import Pod

pytestmark = pytest.mark.integration

CONFIG = "metadata.annotations['example.com/config']"


def template(container: dict[str, Any], *, volumes: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    """Make a pod of one container, with a config that names a path of its own."""
    config = json.dumps({"tree": "/code/tree", "results": "file:///results/team", "other": "/code-2/tree"})
    return {
        "metadata": {"name": "a-pod", "annotations": {"example.com/config": config}},
        "spec": {"containers": [{"name": "main", "image": "", **container}], "volumes": list(volumes)},
    }


def lay_out(tmp_path: Path, made: dict[str, Any], **more: Any) -> Pod:
    return pods.lay_out(made, tmp_path / "pod", **more)


def mount(name: str, path: str, **more: str) -> dict[str, str]:
    return {"name": name, "mountPath": path, **more}


def test_paths_that_are_mounted_become_the_folders_behind_them(tmp_path: Path) -> None:
    container = {
        "command": ["python", "-m", "module"],
        "args": ["--into=/code", "/code-2", "file:///code/a", "/encode"],
        "env": [{"name": "WHERE", "value": "/code:/other"}],
        "volumeMounts": [mount("code", "/code")],
    }

    pod = lay_out(tmp_path, template(container, volumes=({"name": "code", "emptyDir": {}},)))

    code = tmp_path / "pod/volumes/code"
    assert pod.command("main") == [
        *(sys.executable, "-m", "module", f"--into={code}", "/code-2", f"file://{code}/a", "/encode")
    ]
    assert pod.environment("main") == {
        "PATH": os.defpath,
        "HOME": str(tmp_path / "pod"),
        "WHERE": f"{code}:/other",
    }


def test_the_longest_path_that_fits_is_replaced(tmp_path: Path) -> None:
    mounts = [mount("all", "/results"), mount("all", "/results/team", subPath="mine")]
    made = template(
        {"command": ["ls", "/results/team/a", "/results/b"], "volumeMounts": mounts},
        volumes=({"name": "all", "hostPath": {"path": str(tmp_path / "disk")}},),
    )

    assert lay_out(tmp_path, made).command("main") == [
        *("ls", f"{tmp_path}/disk/mine/a", f"{tmp_path}/disk/b")
    ]


def test_a_config_from_the_downward_api_names_the_folders(tmp_path: Path) -> None:
    config = {"items": [{"path": "config.json", "fieldRef": {"fieldPath": CONFIG}}]}
    container = {"volumeMounts": [mount("config", "/config"), mount("code", "/code")]}
    volumes = ({"name": "config", "downwardAPI": config}, {"name": "code", "emptyDir": {}})

    lay_out(tmp_path, template(container, volumes=volumes))

    assert json.loads((tmp_path / "pod/volumes/config/config.json").read_text()) == {
        "tree": f"{tmp_path}/pod/volumes/code/tree",
        "results": "file:///results/team",
        "other": "/code-2/tree",
    }


def test_a_secret_is_files_or_variables_and_only_the_keys_that_are_asked_for(tmp_path: Path) -> None:
    def secrets(name: str) -> dict[str, bytes]:
        return {"keys": {"token": b"t0ken", "other": b"no"}}[name]

    secret = {"secretName": "keys", "items": [{"key": "token", "path": "a/token"}], "defaultMode": 0o400}
    token = {"name": "keys", "key": "token"}
    container = {
        "env": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": token}}],
        "envFrom": [{"prefix": "K_", "secretRef": {"name": "keys"}}],
        "volumeMounts": [mount("secret", "/secret")],
    }

    pod = lay_out(
        tmp_path, template(container, volumes=({"name": "secret", "secret": secret},)), secrets=secrets
    )

    folder = tmp_path / "pod/volumes/secret"
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert files == {"a/token": b"t0ken"}
    assert (folder / "a/token").stat().st_mode & 0o777 == 0o400
    found = pod.environment("main")
    assert (found["TOKEN"], found["K_token"], found["K_other"]) == ("t0ken", "t0ken", "no")


def test_a_container_has_no_variable_of_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET_OF_THE_TEST", "1")

    assert lay_out(tmp_path, template({})).environment("main").keys() == {"PATH", "HOME"}


def test_a_container_that_runs_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    pod = lay_out(tmp_path, template({"command": ["sh", "-c", "sleep 60 & echo $!; wait"]}))
    log = tmp_path / "log"
    process = pod.start("main", log)
    while not log.read_text().endswith("\n"):
        assert process.poll() is None

    pods.end(process, signal.SIGTERM)

    assert process.returncode == -signal.SIGTERM
    assert endpoint.eventually(lambda: not endpoint.is_alive(int(log.read_text())))
