"""How large pods are, from what an Extractor and a manifest say."""

from decimal import Decimal
from typing import Any

import pytest

from extractor_apis.extractor import Batch, Realtime
from extractor_apis.manifest import Manifest
from extractor_operator.kuberay import resources
from extractor_operator.kuberay.resources import Replicas, Size

GPU = "nvidia.com/gpu"


def manifest(profile: dict[str, Any] | None = None, serve: dict[str, Any] | None = None) -> Manifest:
    return Manifest.model_validate(
        {"name": "some", "version": "1.0.0", "compute_profile": profile or {}, "serve_config": serve}
    )


@pytest.mark.parametrize(
    ("said", "profile", "want"),
    [
        pytest.param({}, {}, Size("2", "6144Mi", 0, GPU), id="two actors where nothing is said"),
        pytest.param(
            {}, {"max_concurrency": 4}, Size("4", "10240Mi", 0, GPU), id="as many actors as declared"
        ),
        pytest.param({}, {"resource_type": "api"}, Size("1", "4096Mi", 0, GPU), id="one that waits"),
        pytest.param({}, {"resource_type": "gpu"}, Size("2", "4096Mi", 1, GPU), id="one GPU"),
        pytest.param({"cpu": "8"}, {"max_concurrency": 4}, Size("8", "10240Mi", 0, GPU), id="room to spare"),
        pytest.param({"cpu": "500m"}, {}, Size("500m", "4096Mi", 0, GPU), id="half a processor"),
        pytest.param(
            {"cpu": "1", "memory": "9Gi", "gpu": 2, "gpuResource": "nvidia.com/mig-1g.10gb"},
            {"resource_type": "gpu"},
            Size("1", "9Gi", 2, "nvidia.com/mig-1g.10gb"),
            id="whatever the Extractor says",
        ),
    ],
)
def test_a_worker_of_a_run_has_room_for_its_actors(
    said: dict[str, Any], profile: dict[str, Any], want: Size
) -> None:
    batch = Batch.model_validate({"resources": said})

    assert resources.worker(batch, manifest(profile)) == want


@pytest.mark.parametrize(
    ("said", "profile", "serve", "want"),
    [
        pytest.param({}, {}, None, Size("1", "3072Mi", 0, GPU), id="one processor where nothing is said"),
        pytest.param(
            {}, {}, {"num_cpus": 1.5, "memory_gb": 4}, Size("1500m", "5120Mi", 0, GPU), id="serve_config"
        ),
        pytest.param({}, {}, {"num_gpus": 0.5}, Size("2", "3072Mi", 1, GPU), id="a whole GPU for a half"),
        pytest.param({}, {"resource_type": "gpu"}, {"num_gpus": 0}, Size("1", "3072Mi", 0, GPU), id="none"),
        pytest.param(
            {"cpu": "3", "gpu": 0}, {"resource_type": "gpu"}, None, Size("3", "3072Mi", 0, GPU), id="no"
        ),
    ],
)
def test_a_replica_has_what_the_extractor_says_or_else_the_manifest(
    said: dict[str, Any], profile: dict[str, Any], serve: dict[str, Any] | None, want: Size
) -> None:
    realtime = Realtime.model_validate({"resources": said})

    assert resources.replica(realtime, manifest(profile, serve)) == want


@pytest.mark.parametrize(
    ("said", "serve", "want"),
    [
        pytest.param({}, None, Replicas(1, 1, 2.0), id="one where nothing is said"),
        pytest.param({}, {"num_replicas": 3}, Replicas(3, 3, 2.0), id="a fixed number"),
        pytest.param({}, {"min_replicas": 0, "max_replicas": 4}, Replicas(1, 4, 2.0), id="never none"),
        pytest.param(
            {"minReplicas": 5}, {"max_replicas": 4}, Replicas(5, 5, 2.0), id="at least above the manifest's"
        ),
        pytest.param({"maxReplicas": 2}, {"min_replicas": 4}, Replicas(2, 2, 2.0), id="at most below it"),
        pytest.param(
            {"minReplicas": 1, "maxReplicas": 9, "targetOngoingRequests": 7},
            {"num_replicas": 3, "target_ongoing_requests": 1.5},
            Replicas(1, 9, 7.0),
            id="whatever the Extractor says",
        ),
    ],
)
def test_replicas_are_those_of_the_extractor_or_else_of_the_manifest(
    said: dict[str, Any], serve: dict[str, Any] | None, want: Replicas
) -> None:
    assert resources.replicas(Realtime.model_validate(said), manifest(serve=serve)) == want


@pytest.mark.parametrize(
    ("quantity", "want"),
    [
        *(
            ("2", 2),
            ("500m", Decimal("0.5")),
            ("1.5", Decimal("1.5")),
            ("1e3", 1000),
            ("250u", Decimal("0.00025")),
        ),
        *(
            ("4Gi", 4 * 2**30),
            ("16393244Ki", 16393244 * 1024),
            ("3k", 3000),
            ("2M", 2_000_000),
            ("1E", 10**18),
        ),
    ],
)
def test_an_amount_is_read_as_kubernetes_writes_it(quantity: str, want: Decimal | int) -> None:
    assert resources.amount(quantity) == want


@pytest.mark.parametrize("text", ["", "4 Gi", "-1", "1.", "much", "1e999999999"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        resources.amount(text)


@pytest.mark.parametrize(
    ("cpu", "want"), [("500m", "1"), ("1500m", "2"), ("4", "4")], ids=["a half", "one and a half", "four"]
)
def test_ray_gives_away_whole_processors(cpu: str, want: str) -> None:
    assert Size(cpu, "1Gi", 0, GPU).start_parameters() == {"num-cpus": want, "num-gpus": "0"}
