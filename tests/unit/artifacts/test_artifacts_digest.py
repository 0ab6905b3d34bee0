from pathlib import Path

import pytest

from extractor_artifacts import digest
from extractor_artifacts.errors import ArtifactError

EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_digest_of_a_file_is_its_sha256(tmp_path: Path) -> None:
    file = tmp_path / "empty"
    file.touch()

    assert digest.of_file(file) == EMPTY


def test_well_formed_digest_is_accepted_as_it_is() -> None:
    assert digest.parse(EMPTY) == EMPTY


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(EMPTY.removeprefix("sha256:"), id="digits alone"),
        pytest.param(EMPTY.upper(), id="upper case"),
        pytest.param(EMPTY[:-1], id="a digit short"),
        pytest.param(EMPTY + "\n", id="a newline after it"),
        pytest.param("sha512:" + "0" * 64, id="another algorithm"),
        pytest.param("sha256:../../../etc/passwd", id="a path"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ArtifactError, match="is no digest: write sha256:"):
        digest.parse(text)
