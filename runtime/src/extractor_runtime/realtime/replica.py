"""What Ray Serve runs for one version: the author's object behind `asgi`, and the resources it is given."""

from pathlib import Path
from typing import Any

import orjson

from extractor_apis.manifest import Manifest, ServeConfig
from extractor_apis.services import Services
from extractor_runtime import errors, loader
from extractor_runtime.realtime import asgi, realtime_service
from extractor_runtime.sdk import assets

LIFE: dict[str, Any] = {
    # A constructor that raises once raises again.
    "max_constructor_retry_count": 1,
    "graceful_shutdown_timeout_s": 5.0,
}
"""How Serve starts and ends a replica."""
_TARGET_ONGOING = 2.0


class Replica:
    """One replica; Serve constructs it in a process of its own."""

    def __init__(
        self,
        tree: loader.Tree,
        manifest: Manifest,
        services: Services,
        failure: Path,
        start_seconds: float,
        request_seconds: float,
    ) -> None:
        # What a request names may be opened, and anyone may send one.
        assets.restrict()
        try:
            self._service = realtime_service.RealtimeService.load(
                tree, manifest, services, seconds=start_seconds
            )
        except errors.AuthorError as error:
            write_failure(failure, error)
            # Without what it came from: Ray writes whole chains into its logs.
            raise errors.AuthorError(error.message, error.location) from None
        self._about = about(tree, manifest)
        self._request_seconds = request_seconds

    def __serve_build_asgi_app__(self) -> asgi.AnswerApp:
        return asgi.AnswerApp(self._service, self._about, seconds=self._request_seconds)

    async def check_health(self) -> None:
        """Let Serve, which has a time limit for this, replace a replica whose author's code hangs."""
        await self._service.breathe()


def about(tree: loader.Tree, manifest: Manifest) -> dict[str, Any]:
    """Say which version answers."""
    return {"extractor": manifest.name, "version": manifest.version, "digest": tree.digest}


def write_failure(path: Path, error: errors.AuthorError) -> None:
    """Leave an author's error for whoever started Serve, which hands on a traceback's text only."""
    writing = path.with_suffix(".writing")
    writing.write_bytes(orjson.dumps({"message": error.message, "location": error.location}))
    writing.rename(path)


def read_failure(path: Path) -> errors.AuthorError | None:
    """Read what `write_failure` left, if anything."""
    if not path.exists():
        return None
    report = orjson.loads(path.read_bytes())
    return errors.AuthorError(report["message"], report["location"])


def options(
    manifest: Manifest, *, cpus: float, gpus: float, class_replicas: int | None = None
) -> dict[str, Any]:
    """Translate ``serve_config``, or else the compute profile, for a machine of that size.

    ``class_replicas`` is what the realtime class asks for, where the manifest has no ``serve_config``. As in
    batch, a machine with less than is asked for gives what it has: the author's code adapts.
    """
    config = manifest.serve_config or ServeConfig(num_replicas=class_replicas)
    resource = manifest.compute_profile.resource_type
    wanted_cpus = config.num_cpus if config.num_cpus is not None else float(resource == "cpu")
    wanted_gpus = config.num_gpus if config.num_gpus is not None else float(resource == "gpu")
    replicas = config.num_replicas or config.min_replicas or 1
    most = max(replicas, config.max_replicas or 1)
    chosen: dict[str, Any] = {
        # Every replica has to find its place. Memory is not reserved: Ray would only count it.
        "ray_actor_options": {
            "num_cpus": _share(wanted_cpus, cpus, most),
            "num_gpus": _share(wanted_gpus, gpus, most),
        },
        # Requests never queue inside Serve, where no deadline of ours runs: `asgi` turns the surplus away.
        "max_ongoing_requests": 16 * asgi.MAX_ONGOING,
        **LIFE,
    }
    if config.min_replicas is None and config.max_replicas is None:
        return chosen | {"num_replicas": replicas}
    scaling = {
        "min_replicas": config.min_replicas if config.min_replicas is not None else 1,
        "initial_replicas": replicas,
        "max_replicas": most,
        "target_ongoing_requests": config.target_ongoing_requests or _TARGET_ONGOING,
    }
    return chosen | {"autoscaling_config": scaling}


def _share(wanted: float, available: float, replicas: int) -> float:
    if wanted * replicas <= available:
        return wanted
    share = available / replicas
    # Ray takes whole ones, or a fraction below one.
    return float(int(share)) if share >= 1 else int(share * 1000) / 1000
