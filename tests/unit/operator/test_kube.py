"""Where objects are in the API server, and what its refusals are to us."""

import pytest

from extractor_operator import kube
from extractor_operator.errors import ApiError


@pytest.mark.parametrize("name", [".", ".."])
def test_no_name_of_a_tenants_leads_out_of_its_collection(name: str) -> None:
    with pytest.raises(ApiError, match="nothing is named"):
        kube.path("ray.io/v1", "rayclusters", "team", name)
