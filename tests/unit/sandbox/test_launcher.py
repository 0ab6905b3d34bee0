"""A scan ends in a report: the worker's, or one that says how the worker died."""

import hashlib
import os
import sys
import time
from pathlib import Path

import pytest

from extractor_apis.scan import Excerpt, Finding, ScanPolicy, ScanReport, Severity, Verdict
from extractor_sandbox import ScanError, scan
from support.archives import MANIFEST, extractor, make_files, make_zip

READING = 'import sys; print(\'{"reading": "core.py"}\', flush=True); '
ACCEPTING = """
fields = {"findings": [], "names": None, "lines": {}, "top_folder": None, "files": 2, "size": 9}
import json; print(json.dumps({"outcome": fields | {"python": "3.11"}}))
"""

NAMING = """
fields = {{"findings": [], "names": {names}, "lines": {{}}, "top_folder": None, "files": 2, "size": 9}}
import json; print(json.dumps({{"outcome": fields | {{"python": "3.11"}}}}))
"""
FINDING = """
finding = {{"rule": "{rule}", "severity": "reject", "message": "{message}"}}
fields = {{"findings": [finding], "names": None, "lines": {{}}, "top_folder": None, "files": 2, "size": 9}}
import json; print(json.dumps({{"outcome": fields | {{"python": "3.11"}}}}))
"""


def scanned(tmp_path: Path, data: bytes, **options: object) -> ScanReport:
    archive = tmp_path / "uploaded.zip"
    archive.write_bytes(data)
    return scan(archive, into=tmp_path / "accepted.zip", **options)  # type: ignore[arg-type]


def test_an_accepted_archive_is_reported_and_left(tmp_path: Path) -> None:
    data = make_zip({f"text_embed/{path}": content for path, content in make_files({}).items()})

    report = scanned(tmp_path, data)

    canonical = (tmp_path / "accepted.zip").read_bytes()
    assert report.manifest is not None and report.manifest.name == "text_embed"
    assert report == ScanReport(
        verdict=Verdict.ACCEPT,
        source_digest=f"sha256:{hashlib.sha256(data).hexdigest()}",
        artifact_digest=f"sha256:{hashlib.sha256(canonical).hexdigest()}",
        top_folder="text_embed",
        manifest=report.manifest,
        files=2,
        size=sum(map(len, make_files({}).values())),
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        ruleset=report.ruleset,
        confinement=report.confinement,
        seconds=report.seconds,
    )
    assert sorted(os.listdir(tmp_path)) == ["accepted.zip", "uploaded.zip"]


def test_of_a_rejected_archive_only_findings_are_left(tmp_path: Path) -> None:
    (tmp_path / "accepted.zip").write_bytes(b"from an earlier scan")

    report = scanned(tmp_path, extractor({"core.py": "\nimport subprocess\n"}))

    assert not report.accepted
    assert report.findings == (
        Finding(
            rule="C04",
            severity=Severity.REJECT,
            message="imports subprocess",
            path="core.py",
            line=2,
            column=1,
            advice="Start a tool with run_tool of shared.plugins.sdk.",
            excerpt=Excerpt(text="import subprocess", column=1),
        ),
    )
    assert (report.artifact_digest, os.listdir(tmp_path)) == (None, ["uploaded.zip"])


def test_a_field_that_does_not_fit_is_told_with_its_line(tmp_path: Path) -> None:
    manifest = MANIFEST.replace('{"resource_type": "cpu"}', '{"batch_size": "many"}')

    [finding] = scanned(tmp_path, extractor({"manifest.py": manifest})).findings

    assert (finding.rule, finding.path, finding.line) == ("M07", "manifest.py", 9)
    assert "compute_profile.batch_size" in finding.message


def test_half_a_character_in_the_code_leaves_the_report_whole(tmp_path: Path) -> None:
    report = scanned(tmp_path, extractor({"core.py": "import os\n\ngetattr(os, '\\ud800x')\n"}))

    assert [(each.rule, each.message) for each in report.findings] == [("C06", "uses os.?x")]
    assert ScanReport.model_validate_json(report.model_dump_json()) == report


def test_allowed_dependencies_reach_the_worker(tmp_path: Path) -> None:
    manifest = MANIFEST.replace("dependencies = []", 'dependencies = ["nice-lib"]')
    data = extractor({"manifest.py": manifest, "core.py": "import nice_lib\n"})

    assert not scanned(tmp_path, data).accepted
    assert scanned(tmp_path, data, policy=ScanPolicy(allowed_dependencies=frozenset({"nice-lib"}))).accepted


@pytest.mark.parametrize(
    ("program", "want", "want_path"),
    [
        pytest.param("pass", "it ended without an outcome", None, id="that says nothing"),
        pytest.param("print('rubbish')", "it said what cannot be understood", None, id="that prints rubbish"),
        pytest.param("print('5'); exit(3)", "it failed with status 3", None, id="that fails with a number"),
        pytest.param("print('[1, 2]')", "it said what cannot be understood", None, id="that prints a list"),
        pytest.param(
            'print(\'{"outcome": {"files": []}}\')', "it said what cannot", None, id="that prints nonsense"
        ),
        pytest.param("print('{\"outcome\": {}}')", "it said what cannot", None, id="that says half"),
        pytest.param(NAMING.format(names={}), "it said what cannot", None, id="that says no version"),
        pytest.param(
            NAMING.format(names={"version": "1.0.0", "features": [1]}),
            "it said what cannot",
            None,
            id="that says what no manifest can",
        ),
        pytest.param(
            FINDING.format(rule="Z99", message="x"),
            "it said what cannot",
            None,
            id="that names no rule of ours",
        ),
        pytest.param(
            FINDING.format(rule="C04", message="\\ud800"), "it said what cannot", None, id="that says no text"
        ),
        pytest.param(ACCEPTING, "it ended without an outcome", None, id="that accepts without a manifest"),
        pytest.param(
            "print('{\"outcome\": {}}'); exit(3)", "it failed with status 3", None, id="that fails after all"
        ),
        pytest.param(
            READING + "raise ValueError('boom')", "status 1: ValueError: boom", "core.py", id="that raises"
        ),
        pytest.param(
            READING + "import os; os.abort()", "killed by signal 6 (Aborted)", "core.py", id="that aborts"
        ),
        pytest.param(
            READING + "import os; os.kill(os.getpid(), 11)",
            "killed by signal 11 (Segmentation fault)",
            "core.py",
            id="that crashes",
        ),
        pytest.param(
            "from extractor_sandbox import confinement as c; c.confine(9); bytearray(2 << 30)",
            "status 1: MemoryError",
            None,
            id="that takes too much memory",
        ),
        pytest.param(
            "from extractor_sandbox import confinement as c; c.confine(0.5)\nwhile True: pass",
            "killed by signal 9 (Killed)",
            None,
            id="that takes too much processor time",
        ),
        pytest.param(
            "from extractor_sandbox import confinement as c; c.confine(9); import os, json, sys\n"
            "os.ftruncate(json.loads(sys.argv[1])['canonical'], 1 << 30)",
            "status 1: OSError",
            None,
            id="that writes too much",
        ),
    ],
)
def test_a_worker_rejects(tmp_path: Path, program: str, want: str, want_path: str | None) -> None:
    report = scanned(tmp_path, extractor(), worker=[sys.executable, "-I", "-c", program])

    [finding] = report.findings
    assert (report.verdict, finding.rule, finding.path) == (Verdict.REJECT, "X01", want_path)
    assert want in finding.message
    assert os.listdir(tmp_path) == ["uploaded.zip"]


def test_a_worker_that_hangs_is_killed(tmp_path: Path) -> None:
    program = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    started = time.monotonic()

    report = scanned(tmp_path, extractor(), timeout=0.5, worker=[sys.executable, "-I", "-c", program])

    assert time.monotonic() - started < 10
    assert "it took too long" in report.findings[0].message
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_the_worker_has_no_environment(tmp_path: Path) -> None:
    # Python sets LC_CTYPE by itself where no locale is.
    program = "import os; exit(f'{sorted(os.environ.keys() - {\"LC_CTYPE\"})} in {os.getcwd()}')"

    report = scanned(tmp_path, extractor(), worker=[sys.executable, "-I", "-c", program])

    assert "status 1: [] in /" in report.findings[0].message


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_what_is_no_file_is_an_error(tmp_path: Path, kind: str) -> None:
    archive = tmp_path / kind
    if kind == "folder":
        archive.mkdir()
    if kind == "pipe":
        os.mkfifo(archive)

    with pytest.raises(ScanError, match=str(archive)):
        scan(archive, into=tmp_path / "accepted.zip")


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "uploaded.zip").write_bytes(extractor())

    with pytest.raises(ScanError, match="cannot write the scanned archive"):
        scan(tmp_path / "uploaded.zip", into=tmp_path / "missing" / "accepted.zip")
