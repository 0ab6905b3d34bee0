"""The command from outside: what it prints, and how it ends."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from extractor_apis.run import RunState
from extractor_apis.scan import ScanReport
from support.command import EXTRACTOR, extractor

pytestmark = pytest.mark.e2e

URI = "mixpeek://probe@1.0.0/probe_embedding"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which an extractor was made and run."""
    folder = tmp_path_factory.mktemp("home")
    assert extractor("init", "probe", cwd=folder).returncode == 0
    done = extractor(
        "run", "probe", "--source", "probe/sample.jsonl", "--store", "store", "-o", "json", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    assert RunState.model_validate_json(done.stdout).documents == 3
    return folder


@pytest.fixture
def copy(home: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    folder = tmp_path / "home"
    shutil.copytree(home, folder, symlinks=True)
    return folder


def test_a_new_extractor_is_accepted_as_it_is(home: Path) -> None:
    done = extractor("lint", "probe", "-o", "json", cwd=home)

    report = ScanReport.model_validate_json(done.stdout)
    assert (done.returncode, report.findings) == (0, ())


def test_lint_pulls_neither_ray_nor_torch_nor_pandas(home: Path) -> None:
    code = (
        "import sys, extractor_cli.__main__ as m\n"
        "sys.argv = ['extractor', 'lint', 'probe']\n"
        "try: m.main()\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "print(sorted({'ray', 'torch', 'pandas', 'lancedb', 'numpy', 'pyarrow'} & sys.modules.keys()))"
    )

    done = subprocess.run(
        [EXTRACTOR.with_name("python"), "-c", code],
        cwd=home,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout.splitlines()[-1] == "[]"


def test_query_finds_the_nearest_documents(home: Path) -> None:
    done = extractor("query", URI, "beans that are roasted", "--store", "store", "-o", "json", cwd=home)

    hits = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert hits[0]["object_id"] == "coffee"
    assert hits[0]["document"]["data"].startswith("Coffee beans")


def test_query_prints_rank_score_object_and_text(home: Path) -> None:
    done = extractor("query", URI, "beans that are roasted", "--store", "store", "-k", "1", cwd=home)

    assert re.fullmatch(r"1\. 0\.\d{4}  coffee\n   Coffee beans are roasted .*\n", done.stdout)


def test_a_run_prints_plain_lines_without_a_terminal(copy: Path) -> None:
    shutil.rmtree(copy / "store")

    done = extractor("run", "probe", "--source", "probe/sample.jsonl", "--store", "store", cwd=copy)

    lines = done.stderr.splitlines()
    assert done.returncode == 0
    assert "\x1b" not in done.stderr + done.stdout
    assert lines[0] == "mixpeek://probe@1.0.0 Starting: 0 of 0 objects, 0 documents"
    assert lines[-1] == "mixpeek://probe@1.0.0 Completed: 3 of 3 objects, 3 documents"
    assert re.match(r"3 of 3 objects done in [\d.]+ s; 0 unchanged; 3 documents written, 3 in", done.stdout)


@pytest.mark.parametrize(
    ("arguments", "want_code", "want"),
    [
        pytest.param(["lint", "absent"], 1, r"absent", id="lint of a missing path"),
        pytest.param(["lint"], 2, r"Missing argument", id="lint of nothing"),
        pytest.param(["frobnicate"], 2, r"No such command", id="no such verb"),
        pytest.param(["init", "Bad-Name"], 2, r"lower-case", id="a bad name"),
        pytest.param(["init", "probe"], 1, r"probe exists already", id="a name that is taken"),
        pytest.param(
            ["run", "probe", "--source", "absent.jsonl", "--store", "store"],
            1,
            r"absent\.jsonl",
            id="no source",
        ),
        pytest.param(
            ["run", "probe", "--source", "broken.jsonl", "--store", "store"],
            1,
            r"broken\.jsonl line 2: ",
            id="a broken line in the middle",
        ),
        pytest.param(
            ["run", "probe", "--source", "empty.jsonl", "--store", "store"],
            1,
            r"empty\.jsonl holds no objects",
            id="an empty source",
        ),
        pytest.param(
            ["run", "probe", "--source", "probe/sample.jsonl", "--store", "newer"],
            1,
            r"newer version",
            id="a store of a newer version",
        ),
        pytest.param(
            ["run", "probe", "--source", "probe/sample.jsonl", "--store", "probe"], 1, r"probe", id="no store"
        ),
        pytest.param(["query", URI, "--store", "store"], 2, r"what to look for", id="a query for nothing"),
        pytest.param(
            ["query", URI, "--file", "absent.png", "--store", "store"],
            1,
            r"absent\.png is no file",
            id="a query with a missing file",
        ),
        pytest.param(["test", "probe", "-i", "absent.png"], 1, r"--input absent\.png", id="a missing input"),
        pytest.param(["query", URI, "x", "--store", "absent"], 1, r"absent", id="query of a missing store"),
        pytest.param(
            ["query", "probe", "x", "--store", "store"], 2, r"mixpeek://extractor@1\.0\.0/", id="no URI"
        ),
        pytest.param(
            ["query", URI, "x", "--store", "store", "--endpoint", "http://127.0.0.1:9/"],
            1,
            r"does not answer",
            id="nobody at the endpoint",
        ),
    ],
)
def test_bad_input_is_one_line_that_names_it(
    copy: Path, arguments: list[str], want_code: int, want: str
) -> None:
    (copy / "broken.jsonl").write_text(
        '{"id": "a", "text": "x"}\n{"id": "b", "te\n{"id": "c", "text": "z"}\n'
    )
    (copy / "empty.jsonl").write_text("")
    (copy / "newer").mkdir()
    (copy / "newer" / "format.json").write_text('{"format": 99}')

    done = extractor(*arguments, cwd=copy)

    assert done.returncode == want_code, done.stderr
    assert re.search(want, done.stderr)
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
    if want_code == 1:
        assert len([line for line in done.stderr.splitlines() if line.startswith("extractor: ")]) == 1


@pytest.mark.parametrize(
    ("file", "text", "want"),
    [
        pytest.param(
            "pipeline.py", "import subprocess\n", r"pipeline\.py:1:1: C04 ", id="a forbidden import"
        ),
        pytest.param(
            "manifest.py", "version = str(1)\n", r"manifest\.py:1:11: M01 ", id="a manifest that computes"
        ),
    ],
)
def test_findings_are_exit_code_three(copy: Path, file: str, text: str, want: str) -> None:
    path = copy / "probe" / file
    path.write_text(text + path.read_text())

    linted = extractor("lint", "probe", cwd=copy)
    refused = extractor("run", "probe", "--source", "probe/sample.jsonl", "--store", "store", cwd=copy)

    assert linted.returncode == 3
    assert re.search(want, linted.stdout)
    assert refused.returncode == 3
    assert re.search(want, refused.stderr)


def test_bytes_that_are_no_archive_are_findings(copy: Path) -> None:
    (copy / "noise.zip").write_bytes(os.urandom(1000))

    assert extractor("lint", "noise.zip", cwd=copy).returncode == 3


def test_verbose_shows_the_traceback(copy: Path) -> None:
    done = extractor("lint", "absent", "-v", cwd=copy)

    assert "Traceback" in done.stderr


def test_ctrl_c_ends_a_run_with_one_line_and_the_next_run_works(copy: Path) -> None:
    shutil.rmtree(copy / "store")
    embed = copy / "probe" / "processors" / "embed.py"
    embed.write_text(
        embed.read_text().replace("        texts = ", "        import time; time.sleep(60)\n        texts = ")
    )
    command = [str(EXTRACTOR), "run", "probe", "--source", "probe/sample.jsonl", "--store", "store"]

    with subprocess.Popen(
        command, cwd=copy, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        assert child.stderr is not None
        for line in child.stderr:
            if "Running" in line:
                break
        time.sleep(2)
        processes = psutil.Process(child.pid).children(recursive=True)
        os.kill(child.pid, signal.SIGINT)
        _, said = child.communicate(timeout=60)

    assert child.returncode == 130
    assert said.splitlines()[-1] == "extractor: interrupted"
    assert psutil.wait_procs(processes, timeout=20)[1] == []
    embed.write_text(embed.read_text().replace("import time; time.sleep(60)", "pass"))
    assert (
        extractor("run", "probe", "--source", "probe/sample.jsonl", "--store", "store", cwd=copy).returncode
        == 0
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with 64 KiB of room, on a file system of its own."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        reason = f"mounting a small disk needs root: {mounted.stderr.strip()}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_one_line(home: Path, small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(b"x" * 40_000)

    done = extractor(
        "run", "probe", "--source", "probe/sample.jsonl", "--store", small_disk / "store", cwd=home
    )

    assert done.returncode == 1
    assert re.search(r"extractor: .*[Nn]o space left on device", done.stderr)
    assert "Traceback" not in done.stderr
