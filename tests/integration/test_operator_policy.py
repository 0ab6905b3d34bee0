"""What the operator's settings demand counts for the versions that it has, too."""

from pathlib import Path
from typing import Any

import pytest

from support import kubernetes, operators

pytestmark = pytest.mark.integration

SIGNED = {"defaults": {"requireSignature": True}}


def test_settings_that_change_have_kept_versions_judged_again(tmp_path: Path) -> None:
    archive, folder = operators.make_archive("kept"), tmp_path / "operator"
    with (
        kubernetes.cluster(tmp_path / "kubernetes") as cluster,
        cluster.namespace() as namespace,
        operators.web(tmp_path / "web") as url,
    ):
        operators.install(cluster)
        kubeconfig = operators.log_in(cluster, namespace)
        (tmp_path / "web/kept.zip").write_bytes(archive)
        item = operators.make_version("kept", f"{url}/kept.zip", archive)
        operators.create(cluster, namespace, item)

        def under(decided: dict[str, Any], want: str) -> dict[str, Any]:
            """Run an operator until the version says that, and give its status."""
            with operators.run(cluster, namespace, kubeconfig, folder, decided=decided) as operator:
                seen = operators.eventually(
                    lambda: operators.get(cluster, namespace, item),
                    lambda seen: operators.ready(seen)[1] == want,
                )
                assert "Traceback" not in operator.log
            status: dict[str, Any] = seen["status"]
            return status

        first = under({}, "Succeeded")
        # It is not fetched again: what was fetched is kept.
        (tmp_path / "web/kept.zip").unlink()

        unsigned = under(SIGNED, "SignatureRefused")
        again = under({}, "Succeeded")

        assert "artifact" not in unsigned
        assert again["artifact"] == first["artifact"]
