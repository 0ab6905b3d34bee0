"""Archives: fetched, named by digest, kept."""

from extractor_artifacts.digest import Digest
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.fetch import Fetched, fetch
from extractor_artifacts.store import Artifact, ArtifactStore

__all__ = ["Artifact", "ArtifactError", "ArtifactStore", "Digest", "Fetched", "fetch"]
