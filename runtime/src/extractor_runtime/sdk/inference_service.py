"""What an author's realtime class may derive from.

Re-exported as ``shared.plugins.inference.serve``, the name that archives import.
"""

import logging
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ServeDeploymentConfig:
    """How a realtime class asks to be deployed, where the manifest has no ``serve_config``.

    It is read from ``realtime.py`` before that is imported: ``num_replicas`` has to be a plain number there.
    """

    enabled: bool = True
    num_replicas: int = 1


class BaseInferenceService:
    """The base of realtime classes: a logger, and nothing that must be called.

    A class answers one request with ``run_inference``, ``_process_single`` or ``__call__`` (inputs,
    parameters). One that also has ``run_inference_batch`` (lists of both, a list of answers) is given
    concurrent requests together.
    """

    serve_config: Any = ServeDeploymentConfig()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.logger = logging.getLogger(type(self).__module__)
