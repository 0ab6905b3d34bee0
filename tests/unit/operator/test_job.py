"""The Jobs that the operator makes: who they are for, what they may do, and where no tenant may look."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from extractor_apis.extractorversion import ExtractorVersion, SourceStatus
from extractor_apis.packages import PackageIndex
from extractor_apis.settings import Cluster, Settings
from extractor_artifacts.environments.order import Order
from extractor_operator.endpoint.capability import Capabilities, Verb
from extractor_operator.endpoint.errands import Errand
from extractor_operator.versions import environment_job, job, scan_job
from extractor_operator.versions.environment_job import Wish
from extractor_operator.versions.job import Job
from extractor_operator.versions.scan_in_pod import Order as ScanOrder
from extractor_operator.versions.scan_job import About, Sent
from support import certificates, exchanges

POLICY = Path(__file__).parents[3] / "operator/network-policy.yaml"
CAPABILITIES = Capabilities(b"k" * 32)
OWN = "registry.example.com/team/own@sha256:" + "3" * 64
SOURCE = SourceStatus(digest="sha256:" + "a" * 64, size=1000, resolved="https://example.com/text.zip")
VERSION = exchanges.version("uid-1")
AUTHORITY = certificates.authority()


def settings(**fields: Any) -> Settings:
    cluster = Cluster(
        runtime_image="runtime",
        scan_image="scanner",
        endpoint="https://operator.extractor-system:8443/",
        endpoint_authority=AUTHORITY,
        results="file:///results",
    )
    return Settings(cluster=cluster, **fields)


def scan(errand: str = "errand-1", version: ExtractorVersion = VERSION) -> Job:
    sent = Sent(Errand(Path("/errands") / errand), About(source=SOURCE, signer=None, advisories=None))
    return scan_job.describe(version, sent, settings(), CAPABILITIES)


def environment(own_image: str | None = None, **fields: Any) -> Job:
    wish = Wish(VERSION, ("beta>=1",), own_image)
    return environment_job.describe(wish, "errand-1", settings(**fields), CAPABILITIES)


@pytest.mark.parametrize(
    "made", [pytest.param(scan(), id="a scan"), pytest.param(environment(OWN), id="an environment")]
)
def test_a_job_runs_one_pod_once_without_any_right(made: Job) -> None:
    body = job.render_job(made)

    spec, pod = body["spec"], body["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (spec["backoffLimit"], pod["restartPolicy"]) == (0, "Never")
    assert spec["activeDeadlineSeconds"] > pod["activeDeadlineSeconds"] > 0
    assert spec["ttlSecondsAfterFinished"] > 0
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert set(container["resources"]["limits"]) == {"cpu", "memory", "ephemeral-storage"}


def test_a_scan_is_in_the_operators_own_namespace_and_of_no_tenants() -> None:
    body = job.render_job(scan())

    assert body["metadata"]["namespace"] == "extractor-system"
    assert "ownerReferences" not in body["metadata"]


def test_a_scan_is_told_what_to_scan_and_how() -> None:
    order = ScanOrder.model_validate_json(scan().config)

    assert order.url == "https://operator.extractor-system:8443/v1/team/uid-1"
    assert (order.digest, order.size, order.policy) == (SOURCE.digest, 1000, settings().defaults.scan)


@pytest.mark.parametrize(
    ("made", "order"),
    [pytest.param(scan(), ScanOrder, id="a scan"), pytest.param(environment(), Order, id="an environment")],
)
def test_a_job_is_told_who_vouches_for_the_endpoint(made: Job, order: type[ScanOrder | Order]) -> None:
    assert order.model_validate_json(made.config).authority == AUTHORITY


def test_a_scans_capability_is_for_its_errand_only() -> None:
    token = scan("errand-1").secret["token"]

    assert CAPABILITIES.errand(token, "team", "uid-1", Verb.SCAN) == "errand-1"


def test_a_capability_is_nowhere_but_in_its_secret() -> None:
    made = scan()
    body, token = job.render_job(made), made.secret["token"]

    assert token not in json.dumps(body) and token not in repr(made)
    assert job.render_secret(made, {"metadata": {"uid": "job-uid"}})["stringData"] == {"token": token}


def test_the_secret_goes_with_its_job() -> None:
    (owner,) = job.render_secret(scan(), {"metadata": {"uid": "job-uid"}})["metadata"]["ownerReferences"]

    assert (owner["kind"], owner["uid"]) == ("Job", "job-uid")


def test_names_are_those_of_what_is_done() -> None:
    again, other = exchanges.version("uid-1"), exchanges.version("uid-2")

    assert scan().name == scan(version=again).name
    assert len({scan().name, scan("errand-2").name, scan(version=other).name}) == 3
    assert environment().name != environment(OWN).name


@pytest.mark.parametrize(
    ("own_image", "namespace", "image", "owners"),
    [
        pytest.param(None, "extractor-system", "runtime", 0, id="the platform's image: for everybody"),
        pytest.param(OWN, "team", OWN, 1, id="an image of its own: beside the version"),
    ],
)
def test_an_environment_is_made_where_its_image_is_trusted(
    own_image: str | None, namespace: str, image: str, owners: int
) -> None:
    body = job.render_job(environment(own_image))

    metadata, (container,) = body["metadata"], body["spec"]["template"]["spec"]["containers"]
    assert (metadata["namespace"], container["image"]) == (namespace, image)
    assert len(metadata.get("ownerReferences", ())) == owners


@pytest.mark.parametrize(
    ("own_image", "want"),
    [
        pytest.param(None, Path("/extractor/capability/index"), id="the platform's image gets them"),
        pytest.param(OWN, None, id="a tenant's image does not"),
    ],
)
def test_the_indexs_credentials_are_shown_to_no_tenant(
    tmp_path: Path, own_image: str | None, want: Path | None
) -> None:
    file = tmp_path / "credentials"
    file.write_text("user:hunter2")
    index = PackageIndex(url="https://index.example.com/simple", credentials=file)

    made = environment(own_image, packages=index)

    order = Order.model_validate_json(made.config)
    assert (order.packages.url, order.packages.credentials) == (index.url, want)
    assert made.secret.get("index") == ("user:hunter2" if want else None)
    assert "hunter2" not in json.dumps(job.render_job(made))


def test_the_policy_that_is_shipped_holds_the_pods_that_scan() -> None:
    policy = policies()["extractor-scan"]
    selected = policy["podSelector"]["matchLabels"].items()
    scanning, other = (
        job.render_job(made)["spec"]["template"]["metadata"]["labels"] for made in (scan(), environment())
    )

    assert (selected <= scanning.items(), selected <= other.items()) == (True, False)
    assert policy["policyTypes"] == ["Ingress", "Egress"] and "ingress" not in policy


def test_nobody_reaches_a_pod_that_makes_an_environment_and_it_reaches_any_index() -> None:
    policy = policies()["extractor-environment"]
    making, other = (job.render_job(each)["spec"]["template"]["metadata"] for each in (environment(), scan()))
    selected = policy["podSelector"]["matchLabels"].items()

    assert (selected <= making["labels"].items(), selected <= other["labels"].items()) == (True, False)
    assert policy["policyTypes"] == ["Ingress"] and "ingress" not in policy


def policies() -> dict[str, Any]:
    """Read the policies that are shipped, by name."""
    return {each["metadata"]["name"]: each["spec"] for each in yaml.safe_load_all(POLICY.read_text())}


def test_what_another_job_of_the_name_does_is_told_apart() -> None:
    ours, others = scan("errand-1"), scan("errand-1")
    body = job.render_job(others)

    assert job.is_same(ours, body)
    body["spec"]["template"]["metadata"]["annotations"] = {}
    assert not job.is_same(ours, body)


@pytest.mark.parametrize(
    ("conditions", "want"),
    [
        pytest.param([], None, id="at work"),
        pytest.param([("SuccessCriteriaMet", "True")], None, id="about to end"),
        pytest.param([("SuccessCriteriaMet", "True"), ("Complete", "True")], ("Complete", ""), id="done"),
        pytest.param([("Failed", "False")], None, id="not failed"),
        pytest.param([("Failed", "True")], ("Failed", ""), id="failed"),
    ],
)
def test_how_a_job_has_ended(conditions: list[tuple[str, str]], want: tuple[str, str] | None) -> None:
    status = {"conditions": [{"type": type, "status": value} for type, value in conditions]}

    assert job.ended({"status": status}) == want
