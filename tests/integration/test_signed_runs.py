"""What `run` and `serve` admit where the operator's settings want a signature."""

from pathlib import Path

import pytest

from extractor_apis import settings
from extractor_cli import archive
from extractor_cli.findings import RejectedError
from support import archives
from support.command import extractor
from support.cosign_forms import digest
from support.sigstore_world import ISSUER, SUBJECT, World

pytestmark = pytest.mark.integration

WORLD = World()
ARCHIVE = archives.extractor()
BY_ALICE = f"""
trustedRoot: root.json
defaults:
  requireSignature: true
  verify:
    identities: [{{issuer: '{ISSUER}', subject: '{SUBJECT}'}}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.zip").write_bytes(ARCHIVE)
    (tmp_path / "root.json").write_bytes(WORLD.trusted_root())
    (tmp_path / "settings.yaml").write_text(BY_ALICE)
    return tmp_path


def admit(folder: Path, name: str = "a.zip") -> archive.Admitted:
    known = settings.read(folder / "settings.yaml")
    return archive.admit(str(folder / name), folder / "artifacts", known)


def test_an_archive_that_is_signed_as_the_settings_want_is_admitted(folder: Path) -> None:
    (folder / "a.zip.sigstore.json").write_bytes(WORLD.sign_blob(digest(ARCHIVE)))

    assert admit(folder).tree.is_dir()


@pytest.mark.parametrize(
    ("signed", "wanted", "name", "message"),
    [
        pytest.param(None, BY_ALICE, "a.zip", "is not signed as the settings want", id="nobody signed"),
        pytest.param(
            digest(b"other"), BY_ALICE, "a.zip", "not signed as the settings want", id="it is another's"
        ),
        pytest.param(
            digest(ARCHIVE),
            BY_ALICE.replace(SUBJECT, "mallory"),
            "a.zip",
            "wanted is mallory",
            id="somebody else signed",
        ),
        pytest.param(
            digest(ARCHIVE),
            "defaults: {requireSignature: true}",
            "a.zip",
            "do not say by whom",
            id="by anybody",
        ),
        pytest.param(
            digest(ARCHIVE),
            "defaults: {verify: {secretRef: {name: keys}}}",
            "a.zip",
            "do not say by whom",
            id="by a key of the cluster's",
        ),
        pytest.param(None, BY_ALICE, "tree", "is a folder, and the settings want a signature", id="a folder"),
    ],
)
def test_what_is_not_signed_as_the_settings_want_is_refused(
    folder: Path, signed: str | None, wanted: str, name: str, message: str
) -> None:
    (folder / "tree").mkdir()
    (folder / "tree/manifest.py").write_text(archives.MANIFEST)
    (folder / "tree/pipeline.py").write_text(archives.PIPELINE)
    (folder / "settings.yaml").write_text(wanted)
    if signed:
        (folder / "a.zip.sigstore.json").write_bytes(WORLD.sign_blob(signed))

    with pytest.raises(RejectedError, match=message):
        admit(folder, name)

    assert not (folder / "artifacts").exists()


def test_an_unsigned_archive_is_not_run_and_exits_as_a_finding(folder: Path) -> None:
    (folder / "objects.jsonl").write_text("")

    ended = extractor(
        *("run", "a.zip", "--source", "objects.jsonl", "--store", "store", "--settings", "settings.yaml"),
        cwd=folder,
    )

    assert ended.returncode == 3, ended.stderr
    assert "a.zip is not signed as the settings want" in ended.stderr
