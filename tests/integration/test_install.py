"""The init container's program, against a server that may be slow, busy, or somebody else's."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from extractor_apis.errors import ExtractorError
from extractor_apis.workload import Installation
from extractor_artifacts import digest
from extractor_artifacts.environments import archive
from extractor_artifacts.patience import Patience
from extractor_runtime import install
from support.canonical import FILES, make_archive
from support.certificates import server_and_authority
from support.scripted_http import Answer, serve

pytestmark = pytest.mark.integration

HASTY = Patience(connect=2, read=2, total=5, attempts=3, pause=0.001, longest_pause=0.01)
TOKEN = "a-capability"
PACKAGES = {"library/__init__.py": "VERSION = 1\n"}


@dataclass(frozen=True)
class Code:
    """What an endpoint has of a version."""

    artifact: bytes
    environment: bytes

    def wanted(self, url: str, *, environment: bool = True, **changes: Any) -> dict[str, Any]:
        """Write the config of a workload that is to have it; ``changes`` are the artifact's."""
        parcels = {"artifact": parcel(self.artifact) | changes}
        if environment:
            parcels["environment"] = parcel(self.environment)
        return {"run_id": "not of interest here", "delivery": {"url": f"{url}/v1/tenant/uid", **parcels}}


def parcel(content: bytes) -> dict[str, Any]:
    return {"digest": digest.of_bytes(content), "size": len(content)}


def tree_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Code:
    folder = tmp_path_factory.mktemp("code")
    for name, text in PACKAGES.items():
        (folder / "packages" / name).parent.mkdir(parents=True)
        (folder / "packages" / name).write_text(text)
    archive.pack(folder / "packages", folder / "environment.tar")
    artifact = make_archive(folder / "artifact.zip")
    return Code(artifact.read_bytes(), (folder / "environment.tar").read_bytes())


def fetch(wanted: dict[str, Any], into: Path) -> None:
    install.install(Installation.model_validate(wanted), into, TOKEN, patience=HASTY)


def test_artifact_and_environment_are_fetched_with_the_capability_and_nobody_can_write_them(
    tmp_path: Path, code: Code
) -> None:
    with serve(Answer(code.artifact), Answer(code.environment)) as server:
        fetch(code.wanted(server.url), tmp_path / "artifact")

    assert [(asked[":path"], asked["authorization"]) for asked in server.requests] == [
        ("/v1/tenant/uid/artifact", f"Bearer {TOKEN}"),
        ("/v1/tenant/uid/environment", f"Bearer {TOKEN}"),
    ]
    assert tree_of(tmp_path / "artifact") == {
        **{f"tree/{name}": content for name, content in FILES.items()},
        **{f"environment/{name}": text.encode() for name, text in PACKAGES.items()},
    }
    modes = {path.stat().st_mode & 0o222 for path in (tmp_path / "artifact").glob("*/**")}
    assert modes == {0}


def test_endpoint_is_who_the_authority_says_that_it_is_told_of(tmp_path: Path, code: Code) -> None:
    tls, authority = server_and_authority(tmp_path)
    with serve(Answer(code.artifact), tls=tls) as server:
        wanted = code.wanted(server.url, environment=False)
        with pytest.raises(ExtractorError, match="certificate verify failed"):
            fetch(wanted, tmp_path / "stranger")
        wanted["delivery"]["authority"] = authority
        fetch(wanted, tmp_path / "artifact")

    assert (tmp_path / "artifact/tree/manifest.py").is_file()
    assert [asked["authorization"] for asked in server.requests] == [f"Bearer {TOKEN}"]


def test_version_without_dependencies_has_no_environment(tmp_path: Path, code: Code) -> None:
    with serve(Answer(code.artifact)) as server:
        fetch(code.wanted(server.url, environment=False), tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["tree"]


def test_endpoint_that_is_away_busy_or_breaks_off_is_asked_again(tmp_path: Path, code: Code) -> None:
    answers = (
        Answer(status=503, headers={"Retry-After": "0"}),
        Answer(status=429),
        Answer(code.artifact, cut=100),
        Answer(code.artifact),
        Answer(code.environment),
    )
    with serve(*answers) as server:
        fetch(code.wanted(server.url), tmp_path)

    assert len(server.requests) == 5
    assert (tmp_path / "tree" / "manifest.py").is_file()


def test_container_that_was_killed_goes_on_with_what_is_missing(tmp_path: Path, code: Code) -> None:
    with serve(Answer(code.artifact)) as server:
        fetch(code.wanted(server.url, environment=False), tmp_path)
    (tmp_path / ".environment.half").mkdir()
    (tmp_path / ".fetched.half").mkdir()
    (tmp_path / ".fetched.half" / "archive").write_bytes(b"half")

    with serve(Answer(code.environment)) as server:
        fetch(code.wanted(server.url), tmp_path)

    assert [asked[":path"] for asked in server.requests] == ["/v1/tenant/uid/environment"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["environment", "tree"]


@pytest.mark.parametrize(
    ("answer", "changes", "want"),
    [
        pytest.param(
            Answer(b"x" * 16),
            {},
            r"digest mismatch for .*/artifact: expected sha256:\w+, got sha256:",
            id="other bytes",
        ),
        pytest.param(Answer(b"x" * 4096), {"size": 1024}, "more than its 1,024 bytes came", id="more bytes"),
        pytest.param(
            Answer(status=401), {}, "gives this pod nothing .*the version was deleted", id="no capability"
        ),
        pytest.param(
            Answer(status=404), {}, "gives this pod nothing .*the version was deleted", id="no version"
        ),
        pytest.param(Answer(status=500), {}, "HTTP 500; gave up after 3 attempts", id="broken for good"),
        pytest.param(
            Answer(b"no zip"), parcel(b"no zip"), "no canonical archive", id="an archive that is none"
        ),
        pytest.param(
            Answer(status=302, headers={"Location": "file:///etc/passwd"}),
            {},
            "redirects to file:",
            id="a file",
        ),
    ],
)
def test_what_cannot_be_had_is_said_in_a_sentence_and_leaves_nothing(
    tmp_path: Path, code: Code, answer: Answer, changes: dict[str, Any], want: str
) -> None:
    with serve(answer) as server, pytest.raises(ExtractorError, match=want) as raised:
        fetch(code.wanted(server.url, **changes), tmp_path)

    assert TOKEN not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_program_installs_what_the_mounted_config_names(tmp_path: Path, code: Code) -> None:
    with serve(Answer(code.artifact), Answer(code.environment)) as server:
        ended = program(tmp_path, code.wanted(server.url))

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert (tmp_path / "artifact" / "environment" / "library" / "__init__.py").is_file()


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        pytest.param(
            {"delivery": {"url": "http://127.0.0.1:9/v1/tenant/uid"}},
            r"extractor: .*config\.json is no config of a workload: delivery\.artifact: Field required",
            id="a config that is none",
        ),
        pytest.param(
            {"platform": {"ray": "1.0.0", "python": "3.11"}},
            r"extractor: this image has Ray .*, but the platform runs Ray 1\.0\.0",
            id="an image with another Ray",
        ),
    ],
)
def test_program_that_fails_says_one_line(
    tmp_path: Path, code: Code, changes: dict[str, Any], want: str
) -> None:
    ended = program(tmp_path, code.wanted("http://127.0.0.1:9") | changes)

    assert ended.returncode == 1
    assert re.fullmatch(f"{want}.*\n", ended.stderr), ended.stderr


def program(folder: Path, config: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "token").write_text(TOKEN + "\n")
    options = {"config": "config.json", "into": "artifact", "capability": "token"}
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(folder / value))]
    return subprocess.run(
        [sys.executable, "-m", "extractor_runtime.install", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )
