"""What goes wrong with an environment: what only another version heals, and what time may."""

from typing import ClassVar

from extractor_apis.conditions import Reason
from extractor_artifacts.errors import ArtifactError


class DependencyConflict(ArtifactError):
    """No environment can be what the version asks for: its author, or who runs the index, must act."""

    reason: ClassVar[Reason] = Reason.DEPENDENCY_CONFLICT
    is_transient: ClassVar[bool] = False


class EnvironmentFailed(ArtifactError):
    """An environment could not be made this time: an index that does not answer, a full disk, a deadline."""

    reason: ClassVar[Reason] = Reason.ENVIRONMENT_FAILED
    is_transient: ClassVar[bool] = True
