"""`python -m extractor_sandbox`: what stops a scan is one line, and no report."""

from pathlib import Path

import pytest

from extractor_sandbox.__main__ import main


@pytest.mark.parametrize(
    ("policy", "want"),
    [
        pytest.param('{"strictness": "lax"}', "is no scan policy: Input", id="a policy that is none"),
        pytest.param("{}", "cannot read the archive", id="an archive that is not there"),
    ],
)
def test_what_stops_a_scan_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], policy: str, want: str
) -> None:
    (tmp_path / "policy.json").write_text(policy)
    paths = {
        "archive": "absent.zip",
        "into": "canonical.zip",
        "report": "report.json",
        "policy": "policy.json",
    }

    status = main([part for name, path in paths.items() for part in (f"--{name}", str(tmp_path / path))])

    said = capsys.readouterr().err
    assert (status, said.count("\n")) == (1, 1)
    assert want in said
    assert not (tmp_path / "report.json").exists()
