"""With a cache a scan says what it says without one, whatever changed and whatever became of the cache."""

import importlib.metadata
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from extractor_apis.scan import ScanPolicy, ScanReport
from extractor_sandbox import cache as caches
from extractor_sandbox import scan
from support.archives import MANIFEST, extractor

pytestmark = pytest.mark.integration

NO_WORKER = (sys.executable, "-c", "raise SystemExit('a worker was started')")
FILES = {f"package/m{number}.py": f"import numpy\nx{number} = numpy.ones({number})\n" for number in range(5)}
ACCEPTED = extractor(FILES)
EDITED = extractor(FILES | {"package/m3.py": "import torch\ny = torch.ones(1)\n"})
REJECTED = extractor(FILES | {"package/m3.py": "import subprocess\n"})


def scanned(tmp_path: Path, data: bytes, **options: object) -> ScanReport:
    archive = tmp_path / "uploaded.zip"
    archive.write_bytes(data)
    report = scan(archive, into=tmp_path / "accepted.zip", **options)  # type: ignore[arg-type]
    return report.model_copy(update={"seconds": 0})


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(ACCEPTED, id="the same archive"),
        pytest.param(EDITED, id="a file changed"),
        pytest.param(REJECTED, id="a file changed for the worse"),
        pytest.param(extractor(dict(list(FILES.items())[1:])), id="a file is gone"),
        pytest.param(extractor({f"deeper/{path}": code for path, code in FILES.items()}), id="files moved"),
    ],
)
def test_a_report_is_the_same_with_a_cache(tmp_path: Path, data: bytes) -> None:
    want = scanned(tmp_path, data)
    delivered = tmp_path / "accepted.zip"
    content = delivered.read_bytes() if want.accepted else None
    scanned(tmp_path, ACCEPTED, cache=tmp_path / "cache")

    assert [scanned(tmp_path, data, cache=tmp_path / "cache") for _ in range(2)] == [want, want]
    assert (delivered.read_bytes() if delivered.exists() else None) == content


def test_an_archive_that_was_accepted_before_needs_no_worker(tmp_path: Path) -> None:
    first = scanned(tmp_path, ACCEPTED, cache=tmp_path / "cache")

    assert scanned(tmp_path, ACCEPTED, cache=tmp_path / "cache", worker=NO_WORKER) == first


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"data": EDITED}, id="another archive"),
        pytest.param({"policy": ScanPolicy(allowed_dependencies=frozenset({"*"}))}, id="another policy"),
        pytest.param({"cache": "another"}, id="another tenant's cache"),
    ],
)
def test_what_was_not_asked_before_is_asked(tmp_path: Path, change: dict[str, object]) -> None:
    scanned(tmp_path, ACCEPTED, cache=tmp_path / "cache")
    data = change.pop("data", ACCEPTED)
    options = {"cache": "cache", "worker": NO_WORKER} | change
    options["cache"] = tmp_path / str(options["cache"])

    report = scanned(tmp_path, data, **options)  # type: ignore[arg-type]

    assert [finding.rule for finding in report.findings] == ["X01"]


def test_other_rules_know_nothing_of_what_these_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scanned(tmp_path, ACCEPTED, cache=tmp_path / "cache")
    monkeypatch.setattr(caches, "_identity", lambda: "0" * 32)

    report = scanned(tmp_path, ACCEPTED, cache=tmp_path / "cache", worker=NO_WORKER)

    assert [finding.rule for finding in report.findings] == ["X01"]


@pytest.mark.parametrize("name", ["isal", "modelaudit-picklescan", "packaging", "safetensors", "stringzilla"])
def test_another_version_of_a_library_that_reads_knows_nothing_either(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = importlib.metadata.version
    before = caches._identity.__wrapped__()
    monkeypatch.setattr(
        importlib.metadata, "version", lambda asked: "9.9" if asked == name else versions(asked)
    )

    assert caches._identity.__wrapped__() != before


def _change_canonical(folder: Path) -> None:
    [copy] = folder.glob("*.zip")
    copy.write_bytes(copy.read_bytes().replace(b"numpy.ones(3)", b"numpy.ones(4)"))


def _change_digest(folder: Path) -> None:
    [record] = folder.glob("*.json")
    record.write_text(json.dumps(json.loads(record.read_text()) | {"artifact_digest": "sha256:" + "0" * 64}))


def _empty_record(folder: Path) -> None:
    [record] = folder.glob("*.json")
    record.write_text(json.dumps(json.loads(record.read_text()) | {"outcome": {}}))


def _cut_all(folder: Path) -> None:
    for path in folder.iterdir():
        os.truncate(path, path.stat().st_size // 2)


def _fill_with_nonsense(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"\xff[[[[" * 999)


def _damage_lines(folder: Path) -> None:
    [record] = folder.glob("*.json")
    record.unlink()
    lines = (folder / "files").read_bytes().splitlines()
    damaged = (
        b"[]",
        b"[1,2]",
        b'[[],{"slots":1}]',
        b"null",
        b"[" * 9_999,
        b'[[["C01"]],null]',
        b"[[[]],null]",
    )
    (folder / "files").write_bytes(
        b"".join(line[:64] + b" " + damaged[number] + b"\n" for number, line in enumerate(lines))
    )


@pytest.mark.parametrize(
    "damage",
    [_change_canonical, _change_digest, _empty_record, _cut_all, _fill_with_nonsense, _damage_lines],
    ids=lambda damage: damage.__name__.strip("_"),
)
def test_a_damaged_cache_is_an_empty_one(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    want = scanned(tmp_path, ACCEPTED, cache=tmp_path / "cache")
    content = (tmp_path / "accepted.zip").read_bytes()
    [folder] = (tmp_path / "cache").iterdir()

    damage(folder)

    assert scanned(tmp_path, ACCEPTED, cache=tmp_path / "cache") == want
    assert (tmp_path / "accepted.zip").read_bytes() == content


LYING = """
import json, os, sys
options = json.loads(sys.argv[1])
os.write(options["learned"], b"0" * 64 + b" [[], null]\\n")
print(json.dumps({"outcome": {"findings": [], "names": {}, "lines": {}, "top_folder": None,
                              "files": 0, "size": 0, "python": "3.11"}}), flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_worker_that_does_not_come_to_its_end_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    report = scanned(tmp_path, ACCEPTED, cache=tmp_path / "cache", worker=(sys.executable, "-c", LYING))

    [folder] = (tmp_path / "cache").iterdir()
    assert [finding.rule for finding in report.findings] == ["X01"]
    assert list(folder.iterdir()) == []


def test_a_worker_cannot_write_to_the_cache_it_reads(tmp_path: Path) -> None:
    scanned(tmp_path, ACCEPTED, cache=tmp_path / "cache")
    writes = 'import json, os, sys; os.write(json.loads(sys.argv[1])["known"], b"x")'
    [folder] = (tmp_path / "cache").iterdir()
    known = (folder / "files").read_bytes()

    report = scanned(tmp_path, EDITED, cache=tmp_path / "cache", worker=(sys.executable, "-c", writes))

    assert "Bad file descriptor" in report.findings[0].message
    assert (folder / "files").read_bytes() == known


def test_a_cache_keeps_the_last_archives_only(tmp_path: Path) -> None:
    for number in range(10):
        scanned(tmp_path, extractor({"n.py": f"x = {number}\n"}), cache=tmp_path / "cache")

    [folder] = (tmp_path / "cache").iterdir()
    assert len(list(folder.glob("*.zip"))) == len(list(folder.glob("*.json"))) == 8
    assert not list(folder.glob(".*"))


def test_scans_at_the_same_time_share_a_cache(tmp_path: Path) -> None:
    found: list[ScanReport] = []

    def one(name: str, data: bytes) -> None:
        (tmp_path / name).mkdir()
        (tmp_path / name / "uploaded.zip").write_bytes(data)
        for _ in range(2):
            into = tmp_path / name / "accepted.zip"
            found.append(scan(tmp_path / name / "uploaded.zip", into=into, cache=tmp_path / "cache"))

    threads = [threading.Thread(target=one, args=pair) for pair in (("a", ACCEPTED), ("b", EDITED))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4
    assert all(report.accepted for report in found)


def test_a_manifest_that_was_judged_before_is_judged_again(tmp_path: Path) -> None:
    scanned(tmp_path, ACCEPTED, cache=tmp_path / "cache")
    worse = extractor(FILES | {"manifest.py": MANIFEST.replace("1.0.0", "latest")})

    report = scanned(tmp_path, worse, cache=tmp_path / "cache")

    assert "M03" in {finding.rule for finding in report.findings}
