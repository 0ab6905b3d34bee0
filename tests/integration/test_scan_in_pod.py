"""A scan in a pod says what a scan beside the operator says: the same words, and the same archive."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from extractor_apis.extractorversion import SourceStatus
from extractor_apis.scan import ScanPolicy, ScanReport, Strictness
from extractor_apis.settings import Cluster, Policy, Settings
from extractor_artifacts import digest
from extractor_operator.endpoint import server
from extractor_operator.endpoint.capability import Verb
from extractor_operator.endpoint.errands import Errand
from extractor_operator.versions import job, scan_job
from extractor_operator.versions.scan import Scanner
from extractor_operator.versions.scan_job import About, Sent
from support import archives, certificates, exchanges, pods
from support.exchanges import World

pytestmark = pytest.mark.integration

SECONDS = 60
LEAVING = archives.make_zip([archives.Entry("../../etc/passwd", b"x")])
ADVISORY = ScanPolicy(strictness=Strictness.ADVISORY, allowed_dependencies=frozenset({"b", "a"}))
EVIL = archives.extractor({"pipeline.py": "import subprocess\nsubprocess.run('id')\n"})
STRICT = ScanPolicy()
ARCHIVES = [
    pytest.param(archives.extractor(), STRICT, True, id="an honest one"),
    pytest.param(archives.make_tar(dict(archives.FILES)), STRICT, True, id="an honest tar"),
    pytest.param(EVIL, STRICT, False, id="one that starts programs"),
    pytest.param(EVIL, ADVISORY, True, id="one that starts programs, where that only warns"),
    pytest.param(LEAVING, STRICT, False, id="one that leaves its folder"),
    pytest.param(archives.extractor()[:-30], STRICT, False, id="half of one"),
    pytest.param(b"\x7fELF" + bytes(1000), STRICT, False, id="no archive"),
    pytest.param(b"", STRICT, False, id="nothing"),
]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with exchanges.run(tmp_path) as made:
        made.add("uid-1")
        yield made


@pytest.mark.parametrize(("archive", "policy", "is_accepted"), ARCHIVES)
def test_both_ways_say_the_same(
    world: World, tmp_path: Path, archive: bytes, policy: ScanPolicy, is_accepted: bool
) -> None:
    source = tmp_path / "source"
    source.write_bytes(archive)
    here = tmp_path / "here"
    here.mkdir()

    beside = asyncio.run(Scanner(asyncio.Semaphore(1)).scan(source, policy, into=here / "canonical"))
    errand = scan_in_pod(world, source, policy)
    found = ScanReport.model_validate_json((errand.folder / "report").read_bytes())

    assert found.accepted is is_accepted
    assert found.model_copy(update={"seconds": 0.0}) == beside.model_copy(update={"seconds": 0.0})
    canonical = errand.file("canonical")
    assert (canonical and canonical.read_bytes()) == (
        (here / "canonical").read_bytes() if beside.accepted else None
    )
    assert world.arrived == ["uid-1"]


def test_a_source_that_was_replaced_is_not_scanned(world: World, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(EVIL)
    sent = _send(world, source)
    (sent.errand.folder / "source").unlink()
    (sent.errand.folder / "source").write_bytes(EVIL[:-1] + b"!")

    code, said = _run(world, sent, STRICT)

    assert (code, world.arrived) == (1, [])
    assert said.startswith("digest mismatch for http://127.0.0.1:") and said.count("\n") == 1


def test_a_pod_whose_version_is_gone_says_so_in_one_line(world: World, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(EVIL)
    sent = _send(world, source)
    world.versions.clear()

    code, said = _run(world, sent, STRICT)

    assert code == 1
    assert "HTTP 404, nothing is there" in said and said.count("\n") == 1


def test_an_endpoint_with_a_private_authority_is_believed_by_who_is_told_of_it(tmp_path: Path) -> None:
    _, authority = certificates.server_and_authority(tmp_path)
    source = tmp_path / "source"
    source.write_bytes(archives.extractor())
    with exchanges.run(tmp_path, tls=server.tls(tmp_path / "server.pem", None)) as world:
        world.add("uid-1")
        sent = _send(world, source)
        told = {"endpoint": world.url.replace("http:", "https:"), "endpoint_authority": authority}

        code, said = _run(world, sent, STRICT, **told)

        assert (code, world.arrived) == (0, ["uid-1"]), said
        assert sent.errand.file("canonical") and sent.errand.file("report")


def scan_in_pod(world: World, source: Path, policy: ScanPolicy) -> Errand:
    """Run the container of the rendered Job to its end."""
    sent = _send(world, source)
    code, said = _run(world, sent, policy)
    assert code == 0, said
    return sent.errand


def _send(world: World, source: Path) -> Sent:
    status = SourceStatus(digest=digest.of_file(source), size=source.stat().st_size, resolved="x")
    errand = world.errands.open("uid-1", Verb.SCAN, "now", {"source": source})
    return Sent(errand, About(source=status, signer=None, advisories=None))


def _run(world: World, sent: Sent, policy: ScanPolicy, **cluster: Any) -> tuple[int, str]:
    known = {"runtime_image": "runtime", "scan_image": "scan", "results": "file:///results"}
    settings = Settings(
        defaults=Policy(scan=policy), cluster=Cluster(**known | {"endpoint": world.url} | cluster)
    )
    wanted = scan_job.describe(exchanges.version("uid-1"), sent, settings, world.capabilities)
    secret = job.render_secret(wanted, {"metadata": {"uid": "job"}})["stringData"]
    template = job.render_job(wanted)["spec"]["template"]
    folder = world.folder / "pod"
    laid = pods.lay_out(
        template, folder, secrets=lambda _: {name: value.encode() for name, value in secret.items()}
    )
    code = laid.run("scan", folder / "log", SECONDS)
    return code, (folder / "log").read_text()
