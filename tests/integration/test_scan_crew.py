"""However many processes judge the code, the report is the same; one that dies takes the archive with it."""

import time
from pathlib import Path

import pytest

from extractor_apis.scan import ScanReport
from extractor_sandbox import pack, scan
from support.archives import extractor
from support.crews import worker
from support.snippets import REFUSED

pytestmark = pytest.mark.integration

EXAMPLES = Path(__file__).parents[2] / "examples"
REFUSED_CODE = extractor(
    {
        f"package/{rule.lower()}_{number}.py": f"{code}\n"
        for rule, snippets in REFUSED.items()
        for number, code in enumerate(snippets)
    }
)
ACROSS_FILES = extractor(
    {
        "package/__init__.py": "",
        "package/a.py": "import torch as lib\nfrom .b import again\n",
        "package/b.py": "from .a import lib as again\nfrom .a import lib\n",
        "package/c.py": "from package.b import again\nagain.hub.load('x')\n",
        "package/broken.py": "def (:\n",
    }
)


def scanned(tmp_path: Path, data: bytes, command: tuple[str, ...], seconds: float = 60) -> ScanReport:
    archive = tmp_path / "uploaded.zip"
    archive.write_bytes(data)
    report = scan(archive, into=tmp_path / "accepted.zip", worker=command, timeout=seconds)
    return report.model_copy(update={"seconds": 0})


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(extractor(), id="two files"),
        pytest.param(ACROSS_FILES, id="code that reaches through other files"),
        pytest.param(REFUSED_CODE, id="everything that rules refuse"),
        pytest.param(
            extractor({f"m{n}.py": "import os\nos.system('x')\n" * 90 for n in range(4)}), id="many"
        ),
    ],
)
def test_a_crew_finds_what_one_process_finds(tmp_path: Path, data: bytes) -> None:
    alone = scanned(tmp_path, data, worker(0))

    assert [scanned(tmp_path, data, worker(members)) for members in (1, 3)] == [alone, alone]


@pytest.mark.parametrize("example", sorted(path.parent.name for path in EXAMPLES.glob("*/manifest.py")))
def test_a_crew_accepts_the_examples(tmp_path: Path, example: str) -> None:
    packed = tmp_path / "packed.zip"
    pack(EXAMPLES / example, packed)

    one, other = (scanned(tmp_path, packed.read_bytes(), worker(members)) for members in (0, 1))

    assert one.accepted
    assert other == one


@pytest.mark.parametrize(
    ("bad", "want"),
    [
        pytest.param("os._exit(0)", "failed with status 0", id="ends as if all were well"),
        pytest.param("os._exit(3)", "failed with status 3", id="fails"),
        pytest.param("raise MemoryError", "failed with status 1", id="raises"),
        pytest.param(
            "import ctypes; ctypes.string_at(0)",
            "was killed by signal 11",
            id="crashes",
        ),
    ],
)
def test_a_member_that_dies_is_a_rejection_with_its_file(tmp_path: Path, bad: str, want: str) -> None:
    data = extractor({"package/bad.py": "x = 1\n" * 99, "package/good.py": "y = 2\n"})

    report = scanned(tmp_path, data, worker(1, bad=bad))

    [finding] = report.findings
    assert not report.accepted
    assert (finding.rule, finding.path) == ("X01", "package/bad.py")
    assert want in finding.message


def test_a_member_that_hangs_is_a_rejection_with_its_file(tmp_path: Path) -> None:
    data = extractor({"package/bad.py": "x = 1\n" * 99})
    started = time.monotonic()

    report = scanned(tmp_path, data, worker(1, bad="time.sleep(60)"), seconds=3)

    [finding] = report.findings
    assert (finding.rule, finding.path) == ("X01", "package/bad.py")
    assert "took too long" in finding.message
    assert time.monotonic() - started < 30
