"""What a RayService serves, on a real Ray Serve: answers, and versions that may not answer."""

import concurrent.futures
import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from extractor_apis.application import ApplicationConfig
from extractor_apis.workload import Platform
from extractor_runtime import session
from support import runs

pytestmark = pytest.mark.integration

# Batch and realtime embed with the same function, unless the text says otherwise.
EMBED = """
def embed(text):
    return [float(len(text)), 1.0, 2.0, 3.0]
"""
PIPELINE = """
from embed import embed


def step(batch):
    batch["vector"] = [embed(text) for text in batch["data"]]
    return batch


def build_steps(extractor_request, **kwargs):
    return {"steps": [step], "prepare": lambda ds: ds}
"""
REALTIME = """
import time

from embed import embed


class ProbeInferenceService:
    def __init__(self, config):
        self.config = config

    def run_inference(self, inputs, parameters):
        time.sleep(parameters.get("sleep", 0))
        return {"vector": embed(inputs["text"]), "parameters": parameters, "config": self.config}
"""
MANIFEST = {"input_schema": {"text": "string"}, "example_input": {"text": "a question"}}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A Serve that nothing is deployed on."""
    from ray import serve

    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    with session.local(cpus=2):
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        yield port
        serve.shutdown()


class Version:
    """An archive, and the config that the operator would mount."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.folder = folder
        self.files = {"pipeline.py": PIPELINE, "realtime.py": REALTIME, "embed.py": EMBED}
        self.files |= changes.pop("files", {})
        self.manifest = runs.make_manifest(**MANIFEST | changes.pop("manifest", {}))
        self.changes = changes

    @property
    def verdicts(self) -> list[dict[str, Any]]:
        return [json.loads(file.read_bytes()) for file in self.folder.glob("verdicts/*/parity.json")]

    def config(self) -> Path:
        tree = runs.make_tree(self.folder / "tree", self.files)
        values = {
            "tree": str(tree.root),
            "artifact_digest": tree.digest,
            "manifest": self.manifest,
            "verdicts": str(self.folder / "verdicts"),
            "start_seconds": 60.0,
            **self.changes,
        }
        file = self.folder / "config.json"
        file.write_text(ApplicationConfig.model_validate(values).model_dump_json())
        return file

    def deploy(self, config: Path | None = None) -> str:
        """Deploy it in place of what was; return what Serve says last when it has failed, else nothing."""
        from ray import serve
        from ray.serve._private.api import call_user_app_builder_with_args_if_necessary as called

        from extractor_runtime.realtime import application

        for name in serve.status().applications:
            serve.delete(name)
        # As Serve does with what it finds under an import path.
        target = called(application.build, {"config": str(config or self.config())})
        serve.run_many(
            [serve.RunTarget(target, name="probe", route_prefix="/")],
            wait_for_ingress_deployment_creation=False,
            wait_for_applications_running=False,
        )
        end = time.monotonic() + 90
        while time.monotonic() < end:
            status = serve.status().applications["probe"]
            if status.status == "RUNNING":
                return ""
            if status.status == "DEPLOY_FAILED":
                return next(iter(status.deployments.values())).message.strip().splitlines()[-1]
            time.sleep(0.1)
        raise TimeoutError(status)


def ask(
    port: int, inputs: dict[str, Any] | None, path: str = "/", **parameters: Any
) -> tuple[int, dict[str, str], dict[str, Any]]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        if inputs is None:
            connection.request("GET", path)
        else:
            connection.request("POST", path, json.dumps({"inputs": inputs, "parameters": parameters}))
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return response.status, headers, json.loads(response.read())


def test_version_that_agrees_with_itself_answers_and_names_itself(port: int, tmp_path: Path) -> None:
    version = Version(tmp_path, parameters={"language": "de"})
    assert version.deploy() == ""

    status, headers, answer = ask(port, {"text": "four"}, limit=3)

    assert (status, answer) == (
        200,
        {
            "vector": [4.0, 1.0, 2.0, 3.0],
            "parameters": {"language": "de", "limit": 3},
            "config": {"language": "de"},
        },
    )
    assert (headers["x-extractor-version"], len(headers["x-request-id"]) > 8) == ("1.0.0", True)
    assert ask(port, {"text": "four"}, "/inference/custom_plugin_probe_1_0_0")[0] == 200
    assert ask(port, None)[2]["version"] == "1.0.0"
    [verdict] = version.verdicts
    assert (verdict["verdict"], verdict["compared"][0]["compared"]) == ("agrees", 1)


def test_version_whose_halves_disagree_never_answers_and_is_not_tried_again(
    port: int, tmp_path: Path
) -> None:
    files = {"realtime.py": REALTIME.replace("embed(inputs", "embed('query: ' + inputs")}
    version = Version(tmp_path, files=files)
    config = version.config()

    first = version.deploy(config)
    # Were it asked again, it would say that it does not import.
    (tmp_path / "tree" / "pipeline.py").write_text("raise ZeroDivisionError")
    again = version.deploy(config)

    said = "ParityMismatch: batch and realtime disagree on vector: for example_input the cosine is 0.9"
    assert said in first
    assert again == first
    assert [verdict["verdict"] for verdict in version.verdicts] == ["disagrees"]


@pytest.mark.parametrize(
    ("files", "want"),
    [
        pytest.param(
            {"realtime.py": REALTIME.replace("self.config = config", "raise OSError('no weights')")},
            "AuthorError: realtime.py:9: ProbeInferenceService() raised OSError: no weights",
            id="the realtime class raises",
        ),
        pytest.param(
            {"pipeline.py": PIPELINE.replace("embed(text) for", "1 / 0 for")},
            "AuthorError: pipeline.py:6: the manifest's example fails: step fails on example_input: "
            "ZeroDivisionError",
            id="a step of the batch half raises",
        ),
        pytest.param(
            {"pipeline.py": PIPELINE + "\nimport os\nos._exit(3)"},
            "the batch half fails: its process died: exit code 3",
            id="the batch half ends its process",
        ),
    ],
)
def test_version_that_cannot_do_its_example_says_where(
    port: int, tmp_path: Path, files: dict[str, str], want: str
) -> None:
    version = Version(tmp_path, files=files)

    assert want in version.deploy()
    assert version.verdicts == []


def test_version_without_an_example_answers_and_is_not_checked(port: int, tmp_path: Path) -> None:
    version = Version(tmp_path, manifest={"example_input": None}, files={"pipeline.py": "raise KeyError"})

    assert version.deploy() == ""
    assert [(each["verdict"], each["message"]) for each in version.verdicts] == [
        ("notChecked", "the manifest has no example_input that becomes an object")
    ]


def test_example_goes_through_a_prepare_that_works_on_its_dataset(port: int, tmp_path: Path) -> None:
    cutting = "lambda ds: ds.map(lambda row: {**row, 'data': row['data'][:1]})"
    version = Version(tmp_path, files={"pipeline.py": PIPELINE.replace("lambda ds: ds", cutting)})

    assert "ParityMismatch: batch and realtime disagree on vector" in version.deploy()


def test_surplus_is_told_to_come_again(port: int, tmp_path: Path) -> None:
    version = Version(tmp_path, max_ongoing=1, manifest={"example_input": None})
    assert version.deploy() == ""

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask, port, {"text": "x"}, sleep=1) for _ in range(4)]
        answers = [each.result() for each in asked]

    surplus = {(headers["retry-after"], body["code"]) for status, headers, body in answers if status == 429}
    assert min(status for status, _, _ in answers) == 200
    assert surplus == {("1", "overloaded")}


def test_image_with_another_ray_is_refused_before_anything_runs(port: int, tmp_path: Path) -> None:
    from extractor_runtime import image
    from extractor_runtime.realtime import application

    version = Version(tmp_path, platform=Platform(ray="1.0.0", python="3.11"))

    with pytest.raises(image.UnfitImage, match=r"the platform runs Ray 1\.0\.0"):
        application.build(application.Arguments(config=version.config()))
