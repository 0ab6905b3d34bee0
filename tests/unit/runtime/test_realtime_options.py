"""What Ray Serve and HAProxy are told."""

import socket
from pathlib import Path
from typing import Any

import orjson
import pytest

from extractor_apis.manifest import Manifest
from extractor_runtime import errors
from extractor_runtime.realtime import address, haproxy, replica


def options(
    cpus: float = 4, gpus: float = 0, class_replicas: int | None = None, **manifest: Any
) -> dict[str, Any]:
    described = Manifest.from_names({"name": "tiny", "version": "1.0.0", **manifest})
    return replica.options(described, cpus=cpus, gpus=gpus, class_replicas=class_replicas)


RESOURCES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a processor by default": ({}, {"num_cpus": 1, "num_gpus": 0}),
    "none for a client of an API": (
        {"compute_profile": {"resource_type": "api"}},
        {"num_cpus": 0, "num_gpus": 0},
    ),
    "a GPU where there is one": (
        {"compute_profile": {"resource_type": "gpu"}, "gpus": 1},
        {"num_cpus": 0, "num_gpus": 1},
    ),
    "no GPU where there is none": (
        {"compute_profile": {"resource_type": "gpu"}},
        {"num_cpus": 0, "num_gpus": 0},
    ),
    "what serve_config says": (
        {"serve_config": {"num_cpus": 2, "num_gpus": 0.5, "memory_gb": 1}, "gpus": 1},
        {"num_cpus": 2, "num_gpus": 0.5},
    ),
    "what the machine has": ({"serve_config": {"num_cpus": 16}}, {"num_cpus": 4, "num_gpus": 0}),
    "a share for each replica": (
        {"serve_config": {"num_cpus": 1, "num_replicas": 8}},
        {"num_cpus": 0.5, "num_gpus": 0},
    ),
}


@pytest.mark.parametrize(("asked", "want"), RESOURCES.values(), ids=RESOURCES)
def test_replica_gets(asked: dict[str, Any], want: dict[str, Any]) -> None:
    assert options(**asked)["ray_actor_options"] == want


def test_one_replica_is_started_unless_more_are_asked_for() -> None:
    assert options()["num_replicas"] == 1
    assert options(serve_config={"num_replicas": 2})["num_replicas"] == 2


def test_class_says_how_many_replicas_where_the_manifest_says_nothing() -> None:
    assert options(class_replicas=3)["num_replicas"] == 3
    assert options(class_replicas=3, serve_config={"num_cpus": 1})["num_replicas"] == 1


def test_replica_range_means_autoscaling() -> None:
    scaled = options(serve_config={"min_replicas": 0, "max_replicas": 3, "target_ongoing_requests": 5})

    assert "num_replicas" not in scaled
    assert scaled["autoscaling_config"] == {
        "min_replicas": 0,
        "initial_replicas": 1,
        "max_replicas": 3,
        "target_ongoing_requests": 5,
    }


def test_failure_is_read_as_it_was_written(tmp_path: Path) -> None:
    failure = tmp_path / "failure.json"
    assert replica.read_failure(failure) is None

    replica.write_failure(failure, errors.AuthorError("it raised", "realtime.py:3"))

    assert str(replica.read_failure(failure)) == "realtime.py:3: it raised"


def test_haproxy_listens_for_clients_only() -> None:
    config = (
        "global\n    maxconn 1\n"
        "frontend prometheus\n    bind :9101\n    no log\n"
        "frontend http_frontend\n    bind 127.0.0.1:8000\n"
        "listen stats\n  bind *:8404\n  stats enable\n"
    )

    assert haproxy.without_open_ports(config) == (
        "global\n    maxconn 1\nfrontend http_frontend\n    bind 127.0.0.1:8000\n"
    )


def test_haproxy_answers_with_problems(tmp_path: Path) -> None:
    config = (
        "global\n    maxconn 1\n"
        "defaults\n    mode http\n    errorfile 503 /serve/500.http\n"
        "backend default_backend\n"
        "    http-request return status 404 content-type text/plain lf-string \"Path '%[path]' not found.\"\n"
    )

    written = haproxy.with_problems(config, tmp_path)

    assert f"defaults\n    errorfile 504 {tmp_path}/504.http\n" in written
    assert "/serve/500.http" not in written
    assert 'return status 404 content-type application/problem+json string \'{"type": ' in written
    head, body = (tmp_path / "503.http").read_bytes().split(b"\r\n\r\n")
    assert head.splitlines()[0] == b"HTTP/1.1 503 Service Unavailable"
    assert b"Retry-After: 1" in head
    assert f"Content-Length: {len(body)}".encode() in head
    assert (orjson.loads(body)["status"], orjson.loads(body)["code"]) == (503, "unavailable")


def test_port_in_use_is_refused_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(address.AddressError, match=rf":{port}: .* choose another port"):
            address.claim("127.0.0.1", port)


def test_port_zero_is_a_free_one() -> None:
    assert address.claim("127.0.0.1", 0) > 0


@pytest.mark.parametrize(
    ("host", "reached"),
    [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("127.0.0.1", "127.0.0.1"), ("gpu.local", "gpu.local")],
)
def test_endpoint_on_every_interface_is_reached_on_loopback(host: str, reached: str) -> None:
    assert address.reachable(host) == reached
