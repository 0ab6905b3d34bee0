"""Second opinions in their processes: they warn, and one that gives nothing rejects."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from extractor_apis.scan import Finding, Opinion, ScanPolicy, ScanReport, Severity
from extractor_sandbox import scan
from extractor_sandbox.opinions import panel
from extractor_sandbox.opinions.panel import OpinionError
from support.archives import MANIFEST, extractor, judge_and_keep, make_zip
from support.evidence import make_advisory, write_advisories

pytestmark = pytest.mark.integration

SECRET = "correct-horse-17"
CODE = f"import torch\nassert True  # nosec\npassword = '{SECRET}'\nweights = torch.load('a.pt')\n"
DEPENDENT = MANIFEST.replace("dependencies = []", 'dependencies = ["colours<2"]')
ARCHIVE = extractor({"manifest.py": DEPENDENT, "core.py": CODE})


@pytest.fixture
def canonical(tmp_path: Path) -> Iterator[int]:
    """Open the accepted form of an archive."""
    outcome, content = judge_and_keep(ARCHIVE)
    assert not any(finding.rejects for finding in outcome.findings)
    (tmp_path / "canonical.zip").write_bytes(content)
    with open(tmp_path / "canonical.zip", "rb") as file:
        yield file.fileno()


def scanned(folder: Path, archive: bytes, *opinions: Opinion, advisories: Path | None = None) -> ScanReport:
    (folder / "uploaded.zip").write_bytes(archive)
    policy = ScanPolicy(opinions=frozenset(opinions))
    return scan(folder / "uploaded.zip", into=folder / "accepted.zip", policy=policy, advisories=advisories)


def ask_bandit(
    canonical: int, folder: Path, worker: Sequence[str] = panel.WORKER, seconds: float = 60
) -> tuple[Finding, ...]:
    with panel.convene([Opinion.BANDIT], None) as opinions:
        deadline = time.monotonic() + seconds
        return opinions.ask(canonical, [], known=(), folder=folder, deadline=deadline, worker=worker)


def test_those_who_are_asked_warn_of_an_accepted_archive(tmp_path: Path) -> None:
    database = write_advisories(tmp_path / "all.zip", [make_advisory(versions=["1.5"])])

    report = scanned(tmp_path, ARCHIVE, *Opinion, advisories=database)

    assert report.accepted and (tmp_path / "accepted.zip").exists()
    assert [(each.rule, each.path, each.line) for each in report.findings if each.rule[0] == "O"] == [
        ("O03", "manifest.py", None),
        ("O01", "core.py", 2),
        ("O01", "core.py", 3),
        ("O02", "core.py", 3),
    ]
    assert {each.severity for each in report.findings} == {Severity.WARN}
    assert all(each.advice for each in report.findings)
    assert SECRET not in report.model_dump_json()


def test_what_a_rule_of_ours_says_of_a_line_is_not_said_again(tmp_path: Path) -> None:
    report = scanned(tmp_path, ARCHIVE, Opinion.BANDIT)

    assert [each.rule for each in report.findings if each.line == 4] == ["C10"]


def test_a_line_with_a_secret_is_not_quoted_by_another_finding(tmp_path: Path) -> None:
    code = f"import torch\ntorch.load('a.pt'); password = '{SECRET}'\ntorch.load('b.pt')\n"

    report = scanned(tmp_path, extractor({"core.py": code}), Opinion.DETECT_SECRETS)

    assert [(each.rule, each.line, each.excerpt is None) for each in report.findings] == [
        ("C10", 2, True),
        ("C10", 3, False),
        ("O02", 2, True),
    ]


def test_nobody_is_asked_about_an_archive_that_is_refused(tmp_path: Path) -> None:
    report = scanned(tmp_path, extractor({"core.py": "import subprocess\nassert 1\n"}), Opinion.BANDIT)

    assert [each.rule for each in report.findings] == ["C04"]


@pytest.mark.parametrize(
    ("program", "want"),
    [
        pytest.param("pass", "it ended without an answer", id="nothing was said"),
        pytest.param(
            "import os; os.kill(os.getpid(), 11)",
            "it was killed by signal 11 (Segmentation fault)",
            id="it crashed",
        ),
        pytest.param("raise SystemExit('lost')", "it failed with status 1: lost", id="it gave up"),
        pytest.param("print('{\"problems\": ')", "it said what cannot be understood", id="half an answer"),
        pytest.param("print('[]')", "it said what cannot be understood", id="something else"),
        pytest.param(
            "print('{\"problems\": [{}]}')", "it said what cannot be understood", id="problems of no kind"
        ),
        pytest.param("print('{\"problems\": 1}')", "it said what cannot be understood", id="no problems"),
        pytest.param(
            "print('{\"problems\": []}', flush=True); raise SystemExit(1)",
            "it failed with status 1: it said nothing",
            id="an answer, and a failure after it",
        ),
    ],
)
def test_one_who_was_asked_and_gives_no_answer_rejects(
    program: str, want: str, canonical: int, tmp_path: Path
) -> None:
    reading = 'print(\'{"reading": "core.py"}\', flush=True); '

    [finding] = ask_bandit(canonical, tmp_path, (sys.executable, "-I", "-c", reading + program))

    assert (finding.rule, finding.severity, finding.path) == ("O01", Severity.REJECT, "core.py")
    assert finding.message == f"bandit was asked for its opinion and gave none: {want}"


def test_a_file_that_cannot_be_read_rejects_behind_any_number_of_warnings(tmp_path: Path) -> None:
    files = {"a.py": b"assert True\n" * 300, "b.py": b"x = " + b"-" * 5_000 + b"1\n"}
    (tmp_path / "canonical.zip").write_bytes(make_zip(files))

    with open(tmp_path / "canonical.zip", "rb") as archive:
        findings = ask_bandit(archive.fileno(), tmp_path)

    assert len(findings) == 201
    assert (findings[0].path, findings[0].severity) == ("b.py", Severity.REJECT)
    assert findings[-1].message == "there are 101 more findings than are listed"


def test_a_manifest_may_ask_for_more_than_a_command_line_holds(canonical: int, tmp_path: Path) -> None:
    database = write_advisories(tmp_path / "all.zip", [make_advisory()])
    dependencies = ["colours<2", *(f"distribution-{number}>=1.0" for number in range(10_000))]

    with panel.convene([Opinion.ADVISORIES], database) as opinions:
        deadline = time.monotonic() + 60
        findings = opinions.ask(canonical, dependencies, known=(), folder=tmp_path, deadline=deadline)

    assert [(each.rule, each.severity) for each in findings] == [("O03", Severity.WARN)]


def test_one_who_takes_too_long_rejects(canonical: int, tmp_path: Path) -> None:
    [finding] = ask_bandit(canonical, tmp_path, seconds=0.01)

    assert finding.severity is Severity.REJECT
    assert finding.message == "bandit was asked for its opinion and gave none: it took too long"


def test_an_archive_is_refused_when_a_database_turns_out_to_be_damaged(tmp_path: Path) -> None:
    whole = write_advisories(tmp_path / "all.zip", [make_advisory()]).read_bytes()
    (tmp_path / "damaged.zip").write_bytes(whole[:-30])

    report = scanned(tmp_path, ARCHIVE, Opinion.ADVISORIES, advisories=tmp_path / "damaged.zip")

    assert not report.accepted and not (tmp_path / "accepted.zip").exists()
    assert [each.message for each in report.findings if each.severity is Severity.REJECT] == [
        "advisories was asked for its opinion and gave none: it failed with status 1: BadZipFile"
    ]


@pytest.mark.parametrize(
    ("database", "want"),
    [
        pytest.param(None, "without a database", id="none is named"),
        pytest.param("missing.zip", "cannot read the advisories .*: No such file", id="it is not there"),
        pytest.param("uploaded.txt", "are no zip", id="it is no zip"),
        pytest.param(".", "are no zip", id="it is a folder"),
        pytest.param("uploaded.zip", "holds no advisories", id="it is a zip of other things"),
    ],
)
def test_a_database_that_cannot_be_read_is_an_error_and_no_verdict(
    database: str | None, want: str, tmp_path: Path
) -> None:
    (tmp_path / "uploaded.txt").write_text("no database")

    with pytest.raises(OpinionError, match=want):
        scanned(tmp_path, ARCHIVE, Opinion.ADVISORIES, advisories=database and tmp_path / database)


def test_a_tool_that_is_not_installed_is_an_error_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bandit", None)

    with pytest.raises(OpinionError, match=r"bandit .*not installed.*extractor-sandbox\[opinions\]"):
        scanned(tmp_path, ARCHIVE, Opinion.BANDIT)


def test_a_kernel_without_landlock_changes_no_opinion(canonical: int, tmp_path: Path) -> None:
    database = write_advisories(tmp_path / "all.zip", [make_advisory()])
    program = """
        from extractor_sandbox import landlock
        from extractor_sandbox.opinions import worker
        landlock.abi = lambda: 0
        worker.main()
    """
    without = (sys.executable, "-I", "-W", "ignore", "-c", textwrap.dedent(program))

    with panel.convene(Opinion, database) as opinions:
        usual, unusual = (
            opinions.ask(
                canonical,
                ["colours<2"],
                known=(),
                folder=tmp_path,
                deadline=time.monotonic() + 60,
                worker=worker,
            )
            for worker in (panel.WORKER, without)
        )

    assert unusual == usual and {each.rule for each in usual} == {"O01", "O02", "O03"}
    assert {each.severity for each in usual} == {Severity.WARN}


def test_a_scan_imports_no_tool_that_it_does_not_ask() -> None:
    program = """
        import sys
        import extractor_sandbox.report, extractor_sandbox.worker
        print(sorted({"bandit", "detect_secrets", "stevedore"} & set(sys.modules)))
    """

    said = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert said.stdout == "[]\n"


def test_tools_open_nothing_once_they_read_an_archive(tmp_path: Path) -> None:
    """Without Landlock no file can be opened then: what they import late would be missing."""
    database = write_advisories(tmp_path / "all.zip", [make_advisory()])
    program = f"""
        import os, sys
        os.environ["XDG_CACHE_HOME"] = os.devnull
        sys.path.insert(0, {os.fspath(Path(__file__).parents[1])!r})
        from extractor_sandbox.opinions import advisories, bandit, detect_secrets
        from support.evidence import make_evidence
        database = os.open({os.fspath(database)!r}, os.O_RDONLY)
        seen = []
        watching = False
        def watch(event, arguments):
            if watching and event.split(".")[0] in ("open", "import", "socket", "subprocess", "os"):
                if event != "open" or not isinstance(arguments[0], int):
                    seen.append((event, arguments))
        sys.addaudithook(watch)
        watching = True
        evidence = make_evidence({{"core.py": {CODE!r}}}, ["colours<2"], database)
        count = sum(1 for tool in (advisories, bandit, detect_secrets) for _ in tool.problems(evidence))
        watching = False
        print(count, seen)
    """

    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert said.stdout == "5 []\n"
