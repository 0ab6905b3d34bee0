"""What a RayService serves: `extractor_runtime.realtime.application:build`, with the path of a config file.

Serve's own config says how many replicas there are and what each is given; what a replica is and does stands
here. One that cannot answer, or should not, raises in its constructor, and Serve tells why.
"""

import functools
from pathlib import Path
from typing import Any

import pydantic
from ray import serve
from ray.serve.schema import LoggingConfig

from extractor_apis import naming
from extractor_apis.application import ApplicationConfig
from extractor_apis.meta import Struct
from extractor_runtime import errors, image
from extractor_runtime.loader import Tree
from extractor_runtime.realtime import asgi, replica
from extractor_runtime.realtime.realtime_service import RealtimeService
from extractor_runtime.sdk import assets
from extractor_runtime.trial import agreement


class Arguments(Struct):
    """What Serve's config gives to `build`."""

    config: Path
    """An ApplicationConfig as JSON, mounted in every pod."""


def build(arguments: Arguments) -> serve.Application:
    """Make the application of one version: a deployment of the version's name, that Serve's config completes.

    Raises RunError when the config cannot be read, and UnfitImage where the image has another Ray or Python.
    """
    config = _read(arguments.config)
    image.check(config.platform)
    deployment = serve.deployment(serve.ingress()(ApplicationReplica)).options(
        name=naming.extractor_id(config.manifest.name, config.manifest.version),
        logging_config=LoggingConfig(log_level="WARNING", enable_access_log=False),
        health_check_timeout_s=config.request_seconds,
        **replica.LIFE,
    )
    return deployment.bind(config)


class ApplicationReplica:
    """One replica; it agrees with the batch half of its version before it answers anybody."""

    def __init__(self, config: ApplicationConfig) -> None:
        # Pods may run an image that is not the head's.
        image.check(config.platform)
        # What a request names may be opened, and anyone may send one.
        assets.restrict()
        environment = Path(config.environment) if config.environment else None
        tree = Tree(Path(config.tree), config.artifact_digest, config.top_folder, environment)
        load = functools.partial(
            RealtimeService.load,
            tree,
            config.manifest,
            config.services,
            config.parameters,
            seconds=config.start_seconds,
        )
        try:
            self._service = agreement.load_agreeing(config, load)
        except errors.AuthorError as error:
            # Without what it came from: Ray shows whole chains, and the first is taken for the cause.
            raise errors.AuthorError(error.message, error.location) from None
        self._config = config
        self._about = replica.about(tree, config.manifest)

    def __serve_build_asgi_app__(self) -> asgi.AnswerApp:
        manifest = self._config.manifest
        return asgi.AnswerApp(
            self._service,
            self._about,
            seconds=self._config.request_seconds,
            max_ongoing=self._config.max_ongoing,
            route=naming.route_prefix(manifest.name, manifest.version),
        )

    async def check_health(self) -> None:
        """Let Serve, which has a time limit for this, replace a replica whose author's code hangs."""
        await self._service.breathe()


def _read(path: Path) -> ApplicationConfig:
    try:
        return ApplicationConfig.model_validate_json(path.read_bytes())
    except OSError as err:
        raise errors.RunError(f"cannot read {path}: {err.strerror}; the operator mounts it") from err
    except pydantic.ValidationError as err:
        first: Any = err.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise errors.RunError(f"{path} is no config of an application: {place}: {first['msg']}") from None
