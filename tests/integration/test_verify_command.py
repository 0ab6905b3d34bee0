"""`extractor verify` as it is used: archives with a bundle beside them, keys, identities, exit codes."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from extractor_apis.verify import Verify
from extractor_artifacts.signatures import Reason
from support.command import extractor
from support.cosign_forms import KeyPair, digest
from support.scripted_http import Answer, serve
from support.sigstore_world import ISSUER, SUBJECT, World

pytestmark = pytest.mark.integration

KEY, WORLD = KeyPair(), World()
ARCHIVE = b"an archive"
DIGEST = digest(ARCHIVE)
PAGE = (Path(__file__).parents[2] / "docs/verify.md").read_text()
IDENTITY = f"{ISSUER}={SUBJECT}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.zip").write_bytes(ARCHIVE)
    (tmp_path / "cosign.pub").write_bytes(KEY.pem)
    (tmp_path / "root.json").write_bytes(WORLD.trusted_root())
    (tmp_path / "keyless.json").write_bytes(WORLD.sign_blob(DIGEST))
    return tmp_path


def test_archive_signed_by_the_key_is_verified(folder: Path) -> None:
    (folder / "a.zip.sigstore.json").write_bytes(KEY.sign_blob(DIGEST))

    ended = extractor("verify", "a.zip", "--key", "cosign.pub", cwd=folder)

    assert (ended.returncode, ended.stdout) == (0, f"{DIGEST}: signed by the key sha256:{KEY.id.hex()}\n")


def test_archive_at_a_url_is_verified_with_the_bundle_beside_it(folder: Path) -> None:
    with serve(Answer(ARCHIVE), Answer(KEY.sign_blob(DIGEST))) as server:
        ended = extractor("verify", f"{server.url}/a.zip?v=1", "--key", "cosign.pub", cwd=folder)

    assert ended.returncode == 0, ended.stderr
    assert [each[":path"] for each in server.requests] == ["/a.zip?v=1", "/a.zip.sigstore.json?v=1"]


def test_archive_signed_by_the_identity_is_verified_for_programs(folder: Path) -> None:
    options = (
        "--bundle",
        "keyless.json",
        "--identity",
        IDENTITY,
        "--trusted-root",
        "root.json",
        "-o",
        "json",
    )

    ended = extractor("verify", "a.zip", *options, cwd=folder)

    assert json.loads(ended.stdout) == {
        "verified": True,
        "digest": DIGEST,
        "issuer": ISSUER,
        "subject": SUBJECT,
        "at": "2026-03-01T12:01:00Z",
    }


def test_archive_signed_by_another_is_a_finding_that_programs_can_tell(folder: Path) -> None:
    options = (
        "--bundle",
        "keyless.json",
        "--identity",
        f"{ISSUER}=me",
        "--trusted-root",
        "root.json",
        "-o",
        "json",
    )

    ended = extractor("verify", "a.zip", *options, cwd=folder)

    said = json.loads(ended.stdout)
    assert (ended.returncode, said["verified"], said["reason"]) == (3, False, "OtherIdentity")


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        pytest.param(["--key", "cosign.pub"], 3, "is not signed", id="no bundle"),
        pytest.param(
            ["--key", "cosign.pub", "--bundle", "keyless.json"], 3, "signed without a key", id="keyless"
        ),
        pytest.param(
            ["--key", "cosign.pub", "--bundle", "none.json"], 1, "no bundle at none.json", id="misspelt"
        ),
        pytest.param(["--key", "root.json", "--bundle", "keyless.json"], 1, "not a public key", id="no key"),
        pytest.param(["--key", "root.json"], 1, "not a public key", id="no key, and no signature"),
        pytest.param(["--key", "none.pub"], 1, "none.pub", id="a key that is not there"),
        pytest.param(["--identity", "me"], 2, "ISSUER=SUBJECT", id="an identity without an issuer"),
        pytest.param([], 2, "name who may have signed", id="nobody"),
    ],
)
def test_archive_that_is_not_verified_ends_with_a_line_and_a_code(
    folder: Path, options: list[str], code: int, message: str
) -> None:
    ended = extractor("verify", "a.zip", *options, cwd=folder)

    assert (ended.returncode, ended.stdout) == (code, "")
    assert message in " ".join(ended.stderr.split())


def test_secret_of_a_signed_url_is_not_repeated(folder: Path) -> None:
    with serve(Answer(ARCHIVE), Answer(b"", 404)) as server:
        ended = extractor("verify", f"{server.url}/a.zip?token=hunter2", "--key", "cosign.pub", cwd=folder)

    assert ended.returncode == 3
    assert "hunter2" not in ended.stdout + ended.stderr


def test_importing_the_room_imports_no_cryptography() -> None:
    program = (
        "import sys, extractor_artifacts.signatures; print({'sigstore', 'cryptography'} & sys.modules.keys())"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )

    assert ended.stdout == "set()\n"


def test_every_command_of_the_page_works(folder: Path) -> None:
    for name in ("my_extractor.zip", "released.zip"):
        (folder / name).write_bytes(ARCHIVE)
    (folder / "published").mkdir()
    for name in ("my_extractor.zip.sigstore.json", "published/my_extractor.zip.sigstore.json"):
        (folder / name).write_bytes(KEY.sign_blob(DIGEST))
    (folder / "released.zip.sigstore.json").write_bytes(WORLD.sign_blob(DIGEST))
    (folder / "trusted_root.json").write_bytes(WORLD.trusted_root())
    commands = [line.removeprefix("$ extractor ") for line in PAGE.splitlines() if line.startswith("$ ")]

    assert len(commands) == 3
    for command in commands:
        ended = extractor(*shlex.split(command), cwd=folder)
        assert ended.returncode == 0, ended.stderr


def test_every_reason_is_on_the_page() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == set(Reason)


def test_what_the_page_says_to_write_is_what_is_read() -> None:
    (written,) = (block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "provider" in block)

    read = Verify.model_validate(yaml.safe_load(written)["verify"])

    assert read.identities[0].issuer == r"https://token\.actions\.githubusercontent\.com"
