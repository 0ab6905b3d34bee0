"""A source's Secret, as files of a mounted folder, becomes variables that object stores' clients read."""

from pathlib import Path

import pytest

from extractor_runtime import redaction
from extractor_runtime.sources import credentials
from extractor_runtime.sources.errors import SourceError


def make_secret(folder: Path, fields: dict[str, str]) -> str:
    """Mount a Secret as the kubelet does: a hidden folder, and links into it."""
    (folder / "..data").mkdir()
    for name, value in fields.items():
        (folder / "..data" / name).write_text(value)
        (folder / name).symlink_to(folder / "..data" / name)
    return str(folder)


def test_fields_of_object_stores_become_variables_and_others_do_not(tmp_path: Path) -> None:
    fields = {"aws_access_key_id": "id\n", "AWS_REGION": "secret's", "path": "/evil", "aws_x=y": "z"}
    environment = {"AWS_REGION": "machine", "PATH": "/bin"}

    credentials.use(make_secret(tmp_path, fields), environment)

    assert environment == {"AWS_ACCESS_KEY_ID": "id", "AWS_REGION": "secret's", "PATH": "/bin"}


def test_secret_values_stay_out_of_what_people_read(tmp_path: Path) -> None:
    credentials.use(
        make_secret(tmp_path, {"aws_secret_access_key": "mum-is-the-word", "aws_region": "mars-1"}), {}
    )

    told = redaction.redact("mars-1 refused mum-is-the-word")

    assert told == "mars-1 refused [secret aws_secret_access_key]"


@pytest.mark.parametrize(
    ("content", "want"),
    [
        pytest.param(b"\xff", "a field is no text; check it", id="bytes that are no text"),
        pytest.param(b"x" * 65537, "aws_token of the source's Secret has more than 65536 bytes", id="no end"),
    ],
)
def test_field_that_cannot_be_read_is_said(tmp_path: Path, content: bytes, want: str) -> None:
    (tmp_path / "aws_token").write_bytes(content)

    with pytest.raises(SourceError, match=want):
        credentials.use(str(tmp_path), {})


def test_secret_that_is_not_mounted_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file or directory; check it"):
        credentials.use(str(tmp_path / "not there"), {})
