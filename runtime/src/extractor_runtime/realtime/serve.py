"""One version behind Ray Serve on this machine.

HAProxy accepts and the replica's own HTTP server answers: no Python process stands in between. All that is
started here dies with this process, however that ends.
"""

import contextlib
import http.client
import logging
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from extractor_apis import naming
from extractor_apis.errors import ExtractorError
from extractor_apis.manifest import Manifest
from extractor_apis.services import Services
from extractor_runtime import loader, session
from extractor_runtime.realtime import address, haproxy, realtime_class, replica

Progress = Callable[[str], None]
_Arguments = tuple[loader.Tree, Manifest, Services, Path, float, float]

_POLL_SECONDS = 0.1
_SERVE_SECONDS = 60.0
_PROGRESS_SECONDS = 5.0
_NO_SERVICES = Services()
_FLAGS = {
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
    # Ten times a second by default, in every one of Serve's processes, also when nobody asks.
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "1",
    "RAY_SERVE_METRICS_EXPORT_INTERVAL_MS": "5000",
    # What the author prints goes to a file, for as long as the endpoint runs.
    "RAY_ROTATION_MAX_BYTES": str(16 << 20),
    "RAY_ROTATION_BACKUP_COUNT": "1",
}


class ServeError(ExtractorError):
    """The endpoint does not start."""


class Endpoint:
    """A version that answers at ``url`` until it is closed."""

    def __init__(self, url: str, resources: contextlib.ExitStack) -> None:
        self.url = url
        self._resources = resources

    def close(self) -> None:
        """Stop answering, and end every process that was started; a second call does nothing."""
        self._resources.close()

    def __enter__(self) -> "Endpoint":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def start(
    tree: loader.Tree,
    manifest: Manifest,
    *,
    services: Services = _NO_SERVICES,
    host: str = "127.0.0.1",
    port: int = 8000,
    on_progress: Progress = lambda message: None,
    start_seconds: float = 600.0,
    request_seconds: float = 60.0,
) -> Endpoint:
    """Start Ray and Ray Serve, and return once a request would be answered; port 0 takes a free one.

    Raises AddressError when it cannot listen there, AuthorError when the realtime class is not imported or
    constructed within ``start_seconds`` each, ServeError when the endpoint fails to come up otherwise.
    """
    realtime_class.require(tree, manifest)
    port = address.claim(host, port)
    path = naming.route_prefix(manifest.name, manifest.version)
    program = haproxy.binary()
    if program is None:
        on_progress("no HAProxy for this machine: Ray Serve's own proxy answers, some ms slower")
    with contextlib.ExitStack() as resources:
        folder = resources.enter_context(session.temporary_folder())
        flags = _FLAGS | {"RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(address.claim("127.0.0.1", 0))}
        flags |= haproxy.flags(folder, program, request_seconds) if program else {}
        resources.enter_context(session.environment(flags))
        on_progress("starting Ray")
        cpus = resources.enter_context(session.local(folder=folder))
        on_progress("starting Ray Serve")
        failure = folder / "failure.json"
        arguments = (tree, manifest, services, failure, start_seconds, request_seconds)
        _deploy(arguments, path, host=host, port=port, cpus=cpus)

        def is_ready() -> bool:
            routed = program is None or haproxy.reaches_replica(folder)
            return routed and _answers(address.reachable(host), port, path)

        # The replica gives up first, and then says at which line the author's code stood.
        _wait(is_ready, failure, 2 * start_seconds + _SERVE_SECONDS, on_progress)
        started = resources.pop_all()
    return Endpoint(f"http://{address.literal(host)}:{port}{path}", started)


def _deploy(arguments: _Arguments, path: str, *, host: str, port: int, cpus: int) -> None:
    import ray
    from ray import serve
    from ray.serve.schema import LoggingConfig

    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    quiet = LoggingConfig(log_level="WARNING", enable_access_log=False)
    tree, manifest, _, _, _, request_seconds = arguments
    name = naming.extractor_id(manifest.name, manifest.version)
    gpus = ray.cluster_resources().get("GPU", 0.0)
    deployment = serve.deployment(serve.ingress()(replica.Replica)).options(
        name=name,
        logging_config=quiet,
        health_check_timeout_s=request_seconds,
        **replica.options(
            manifest, cpus=cpus, gpus=gpus, class_replicas=realtime_class.declared_replicas(tree)
        ),
    )
    serve.start(http_options={"host": host, "port": port}, logging_config=quiet)
    serve.run_many(
        [serve.RunTarget(deployment.bind(*arguments), name=name, route_prefix=path)],
        wait_for_ingress_deployment_creation=False,
        wait_for_applications_running=False,
    )


def _wait(is_ready: Callable[[], bool], failure: Path, seconds: float, on_progress: Progress) -> None:
    from ray import serve

    on_progress("loading the realtime class")
    began = time.monotonic()
    said = 0.0
    while (elapsed := time.monotonic() - began) < seconds:
        if is_ready():
            return
        failed = [app for app in serve.status().applications.values() if app.status == "DEPLOY_FAILED"]
        if error := replica.read_failure(failure):
            raise error
        if failed:
            raise ServeError(f"Ray Serve could not start the endpoint: {_cause(failed[0])}")
        if elapsed - said >= _PROGRESS_SECONDS:
            said = elapsed
            on_progress(f"loading the realtime class ({elapsed:.0f} s)")
        time.sleep(_POLL_SECONDS)
    raise ServeError(f"the endpoint did not answer within {seconds:g} s")


def _answers(host: str, port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _cause(application: Any) -> str:
    """Pick the last line of what Serve tells: the exception, if its text is a traceback."""
    messages = [deployment.message for deployment in application.deployments.values()] + [application.message]
    lines = next(
        (message.strip().splitlines() for message in messages if message.strip()), ["no reason given"]
    )
    return str(lines[-1])[:500]
