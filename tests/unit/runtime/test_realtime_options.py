"""What Ray Serve and HAProxy are told."""

import socket
from pathlib import Path
from typing import Any

import pytest

from extractor_apis.manifest import Manifest
from extractor_runtime import address, errors, haproxy, replica


def options(cpus: float = 4, gpus: float = 0, **manifest: Any) -> dict[str, Any]:
    described = Manifest.from_names({"name": "tiny", "version": "1.0.0", **manifest})
    return replica.options(described, cpus=cpus, gpus=gpus)


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
